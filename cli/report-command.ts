import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { callCollector, collectorAccess } from './client.ts';
import { type Command, usageError } from './command.ts';

export const reportCommand: Command = {
	help: `fournines report availability --month YYYY-MM [options]

Asks a running collector for the report of a calendar month and writes it to a file.

  fournines report availability --month 2026-11
  fournines report availability --month 2026-11 --format xlsx --out november.xlsx
  fournines report availability --month 2026-11 --version 2

Options
  --version N               as it was issued; default: as it is known now
  --format html|xlsx|json   default html
  --out FILE                default availability-YYYY-MM[-vN].<format>; "-" is standard output
  --lang zh|en              default: as configured
  --url URL                 default http://127.0.0.1:9999
  --token-file FILE         a token with the scope "read" (default: <data>/keys/local-read.token)
  --data DIR                the collector's data folder (default ./data)`,
	run: async (args) => {
		const [kind, ...rest] = args;
		if (kind !== 'availability') throw usageError(`there is one report: availability${kind === undefined ? '' : `, not "${kind}"`}`);
		const { values } = parseArgs({
			args: [...rest],
			options: {
				month: { type: 'string' },
				version: { type: 'string' },
				format: { type: 'string', default: 'html' },
				out: { type: 'string' },
				lang: { type: 'string' },
				url: { type: 'string' },
				'token-file': { type: 'string' },
				data: { type: 'string' },
			},
		});
		if (values.month === undefined) throw usageError('--month is needed, for example --month 2026-11');
		const query = new URLSearchParams({ month: values.month, format: values.format });
		if (values.version !== undefined) query.set('version', values.version);
		if (values.lang !== undefined) query.set('lang', values.lang);
		const access = collectorAccess({ url: values.url, tokenFile: values['token-file'], data: values.data });
		const response = await callCollector(access, `/api/fournines/v1/reports/availability?${query}`);
		const out = values.out ?? `availability-${values.month}${values.version === undefined ? '' : `-v${values.version}`}.${values.format}`;
		if (out === '-') process.stdout.write(response.body);
		else {
			writeFileSync(out, response.body);
			process.stdout.write(`written to ${out}\n`);
		}
		return 0;
	},
};
