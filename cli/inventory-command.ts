import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { CollectorConfigSchema, checkCollectorConfig } from '../collector/config.ts';
import { inventoryYaml, parseInventoryFile } from '../collector/inventory/inventory-yaml.ts';
import { configOrThrow, formatProblem, loadConfigFile } from '../core/config-file.ts';
import { callCollector, collectorAccess } from './client.ts';
import { type Command, usageError } from './command.ts';

export const inventoryCommand: Command = {
	help: `fournines inventory export [options]
fournines inventory check FILE

export   Writes the inventory as YAML with the one key "inventory", defaults filled in; read again it means the same.
         From a collector.yml with --config, otherwise from a running collector.
check    Reads such a file and prints every problem with its line; exit code 1 when there is one.

  fournines inventory export --config collector.yml --out inventory.yml
  fournines inventory check inventory.yml

Options of export
  --config FILE       a collector.yml, instead of a running collector
  --out FILE          default: standard output
  --url URL           default http://127.0.0.1:9999
  --token-file FILE   a token with the scope "read" (default: <data>/keys/local-read.token)
  --data DIR          the collector's data folder (default ./data)`,
	run: async (args) => {
		const [action, ...rest] = args;
		if (action === 'export') return runExport(rest);
		if (action === 'check') return runCheck(rest);
		throw usageError(`say "inventory export" or "inventory check"${action === undefined ? '' : `, not "inventory ${action}"`}`);
	},
};

async function runExport(args: readonly string[]): Promise<number> {
	const { values } = parseArgs({
		args: [...args],
		options: {
			config: { type: 'string' },
			out: { type: 'string' },
			url: { type: 'string' },
			'token-file': { type: 'string' },
			data: { type: 'string' },
		},
	});
	const text =
		values.config === undefined
			? (
					await callCollector(
						collectorAccess({ url: values.url, tokenFile: values['token-file'], data: values.data }),
						'/api/fournines/v1/inventory',
					)
				).body.toString('utf8')
			: inventoryYaml(configOrThrow(loadConfigFile(values.config, CollectorConfigSchema, checkCollectorConfig)).inventory);
	if (values.out === undefined) process.stdout.write(text);
	else {
		writeFileSync(values.out, text);
		process.stdout.write(`written to ${values.out}\n`);
	}
	return 0;
}

function runCheck(args: readonly string[]): number {
	const [file] = args;
	if (file === undefined) throw usageError('name a file');
	const result = parseInventoryFile(readFileSync(file, 'utf8'), file);
	if (result.kind === 'ok') {
		process.stdout.write(`${file}: good\n`);
		return 0;
	}
	for (const problem of result.problems) process.stdout.write(`${formatProblem(problem)}\n`);
	return 1;
}
