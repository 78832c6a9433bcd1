import { parseArgs } from 'node:util';
import { parseDuration } from '../core/duration.ts';
import { formatLabels, labelsFromObject } from '../core/labels.ts';
import { formatZoned } from '../core/zone-time.ts';
import { callCollector, collectorAccess } from './client.ts';
import { type Command, usageError } from './command.ts';

interface Sample {
	readonly metric: Readonly<Record<string, string>>;
	readonly value?: readonly [number, string];
	readonly values?: readonly (readonly [number, string])[];
}

type QueryData =
	| { readonly resultType: 'vector' | 'matrix'; readonly result: readonly Sample[] }
	| { readonly resultType: 'scalar' | 'string'; readonly result: readonly [number, string] };

export const queryCommand: Command = {
	help: `fournines query EXPRESSION [options]

Asks a running collector and prints one line per series.

  fournines query 'up'
  fournines query 'node_load1' --range 10m --step 1m
  fournines query 'sum by (check) (probe_success)' --json

Options
  --range DURATION      the last DURATION instead of now
  --step DURATION       distance of the points of a range (default: a sixtieth of it, at least 1s)
  --json                the collector's answer as it is
  --url URL             default http://127.0.0.1:9999
  --token-file FILE     a token with the scope "read" (default: <data>/keys/local-read.token)
  --data DIR            the collector's data folder (default ./data)`,
	run: async (args) => {
		const { values, positionals } = parseArgs({
			args: [...args],
			allowPositionals: true,
			options: {
				range: { type: 'string' },
				step: { type: 'string' },
				json: { type: 'boolean' },
				url: { type: 'string' },
				'token-file': { type: 'string' },
				data: { type: 'string' },
			},
		});
		const [expression, ...more] = positionals;
		if (expression === undefined || more.length > 0) throw usageError('give one expression, in quotes');
		const access = collectorAccess({ url: values.url, tokenFile: values['token-file'], data: values.data });
		const query = new URLSearchParams({ query: expression });
		let path = '/api/v1/query';
		if (values.range !== undefined) {
			const rangeMs = parseDuration(values.range);
			const end = Date.now();
			path = '/api/v1/query_range';
			query.set('start', String((end - rangeMs) / 1000));
			query.set('end', String(end / 1000));
			query.set(
				'step',
				String((values.step === undefined ? Math.max(1000, Math.floor(rangeMs / 60_000) * 1000) : parseDuration(values.step)) / 1000),
			);
		}
		const response = await callCollector(access, `${path}?${query}`);
		const text = response.body.toString('utf8');
		if (values.json) process.stdout.write(`${text}\n`);
		else for (const line of formatData((JSON.parse(text) as { readonly data: QueryData }).data)) process.stdout.write(`${line}\n`);
		return 0;
	},
};

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function formatData(data: QueryData): readonly string[] {
	if (data.resultType === 'scalar' || data.resultType === 'string') return [data.result[1]];
	if (data.result.length === 0) return ['(no data)'];
	const result = data.result as readonly Sample[];
	return result.flatMap((series) => {
		const name = formatLabels(labelsFromObject(series.metric));
		if (series.value !== undefined) return [`${name} ${series.value[1]}`];
		return [name, ...(series.values ?? []).map(([seconds, value]) => `  ${formatZoned(seconds * 1000, ZONE)}  ${value}`)];
	});
}
