import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkCentralDocument } from '../agent/central/combine.ts';
import { startCollector } from '../collector/app.ts';
import { systemClock } from '../core/clock.ts';
import { AppError, errorText } from '../core/errors.ts';
import { createLogger, LOG_LEVELS, type LogLevel } from '../core/log.ts';
import { type Command, usageError } from './command.ts';
import { saveCompiledCode } from './compile-cache.ts';
import { untilTold } from './until-told.ts';
import { productVersion, ROOT_DIR } from './version.ts';

export const collectorCommand: Command = {
	help: `fournines collector [--config FILE] [--data DIR] [--listen HOST:PORT] [--log-level LEVEL]

Runs the collector: takes remote write, stores, evaluates rules, sends alerts, serves the console and all APIs.
Reads need a token or a log-in. SIGHUP reads the configuration again; SIGTERM and Ctrl-C stop it in order.

  fournines collector --config collector.yml --data /var/lib/fournines
  fournines check collector.yml          checks the file first

Options
  --config FILE        default: no file, all defaults
  --data DIR           everything that is kept (default ./data)
  --listen HOST:PORT   instead of server.listen in the file (default 127.0.0.1:9999)
  --log-level LEVEL    debug, info, warn, error (default info)`,
	run: async (args) => {
		const { values } = parseArgs({
			args: [...args],
			options: {
				config: { type: 'string' },
				data: { type: 'string', default: 'data' },
				listen: { type: 'string' },
				'log-level': { type: 'string', default: 'info' },
			},
		});
		const level = LOG_LEVELS.find((known): known is LogLevel => known === values['log-level']);
		if (level === undefined) throw usageError(`--log-level ${values['log-level']}: write debug, info, warn or error`);
		const log = createLogger('collector', { level });
		const told = untilTold(process.env);
		const collector = await startCollector({
			configFile: values.config === undefined ? null : resolve(values.config),
			dataDir: resolve(values.data),
			...(values.listen === undefined ? {} : { listen: values.listen }),
			rootDir: ROOT_DIR,
			env: process.env,
			log,
			clock: systemClock,
			version: productVersion(),
			checkAgentDocument: checkCentralDocument,
		});
		process.on('SIGHUP', () => {
			collector
				.reload()
				.catch((error: unknown) =>
					log.error(
						{ code: error instanceof AppError ? error.code : '', error: errorText(error) },
						'the configuration was not applied; the old one stays in force',
					),
				);
		});
		log.info({ address: collector.address }, 'the collector is ready');
		saveCompiledCode();
		const code = await collector.accounts.setupCode();
		if (code !== null) process.stderr.write(`First log-in: open ${collector.address}/setup with the one-time code ${code}\n`);
		log.info({ reason: await told }, 'the collector stops');
		await collector.stop();
		return 0;
	},
};
