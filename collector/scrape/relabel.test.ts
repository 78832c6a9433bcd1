// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of Go look like those of JavaScript.

import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../core/config-file.ts';
import { checkScrapeConfig } from './check-config.ts';
import { parseSize, type RelabelConfig, ScrapeConfigSchema } from './config.ts';
import { compileRelabelling, relabel } from './relabel.ts';
import { sampleLabels } from './sample-labels.ts';
import { buildTarget } from './target.ts';

function steps(...configs: Partial<RelabelConfig>[]) {
	return compileRelabelling(
		configs.map((config) => ({
			source_labels: [],
			separator: ';',
			target_label: '',
			regex: '(.*)',
			modulus: 0,
			replacement: '$1',
			action: 'replace',
			...config,
		})),
	);
}

describe('relabelling', () => {
	const labels = { a: 'foo', b: 'bar', c: 'baz' };
	test.each<{ name: string; step: Partial<RelabelConfig>; gives: Record<string, string> | null }>([
		{
			name: 'replace with a group',
			step: { source_labels: ['a'], regex: 'f(.*)', target_label: 'd', replacement: 'ch${1}-ch${1}' },
			gives: { ...labels, d: 'choo-choo' },
		},
		{
			name: 'replace that does not match',
			step: { source_labels: ['a'], regex: 'o+', target_label: 'd', replacement: 'x' },
			gives: labels,
		},
		{
			name: 'replace with several sources',
			step: { source_labels: ['a', 'b'], separator: '-', target_label: 'd' },
			gives: { ...labels, d: 'foo-bar' },
		},
		{ name: 'replace by nothing', step: { source_labels: ['a'], target_label: 'b', replacement: '' }, gives: { a: 'foo', c: 'baz' } },
		{
			name: 'replace with a made-up name',
			step: { source_labels: ['a'], regex: '(f).*', target_label: '${1}_x' },
			gives: { ...labels, f_x: 'f' },
		},
		{
			name: 'a group whose name runs on, which is empty',
			step: { source_labels: ['a'], regex: '(f).*', target_label: 'd', replacement: '$1_x' },
			gives: labels,
		},
		{ name: 'replace with an invalid name', step: { source_labels: ['a'], regex: '(f).*', target_label: '-${1}' }, gives: labels },
		{
			name: 'a named group and a dollar',
			step: { source_labels: ['a'], regex: '(?P<n>fo)o', target_label: 'd', replacement: '$$${n}$unknown' },
			gives: { ...labels, d: '$fo' },
		},
		{
			name: 'a line feed within the text',
			step: { source_labels: ['a'], separator: '', regex: 'f.o', target_label: 'd', replacement: 'x' },
			gives: { ...labels, d: 'x' },
		},
		{ name: 'keep', step: { source_labels: ['a'], regex: 'f|foo', action: 'keep' }, gives: labels },
		{ name: 'keep that does not match', step: { source_labels: ['a'], regex: 'fo', action: 'keep' }, gives: null },
		{ name: 'drop', step: { source_labels: ['b'], regex: '.*ar', action: 'drop' }, gives: null },
		{ name: 'drop that does not match', step: { source_labels: ['b'], regex: 'f', action: 'drop' }, gives: labels },
		{ name: 'keepequal', step: { source_labels: ['a'], target_label: 'b', action: 'keepequal' }, gives: null },
		{ name: 'dropequal', step: { source_labels: ['a'], target_label: 'b', action: 'dropequal' }, gives: labels },
		{
			name: 'hashmod, as Prometheus computes it',
			step: { source_labels: ['c'], target_label: 'd', separator: ';', modulus: 1000, action: 'hashmod' },
			gives: { ...labels, d: '976' },
		},
		{ name: 'labelmap', step: { regex: '(b|c)', replacement: 'x_${1}', action: 'labelmap' }, gives: { ...labels, x_b: 'bar', x_c: 'baz' } },
		{ name: 'labeldrop', step: { regex: '[ab]', action: 'labeldrop' }, gives: { c: 'baz' } },
		{ name: 'labelkeep', step: { regex: '[ab]', action: 'labelkeep' }, gives: { a: 'foo', b: 'bar' } },
		{
			name: 'uppercase',
			step: { source_labels: ['a', 'b'], separator: '', target_label: 'd', action: 'uppercase' },
			gives: { ...labels, d: 'FOOBAR' },
		},
		{ name: 'lowercase', step: { source_labels: ['a'], target_label: 'a', action: 'lowercase' }, gives: labels },
	])('$name', ({ step, gives }) => {
		const map = new Map(Object.entries(labels));
		const kept = relabel(map, steps(step));
		expect(kept ? Object.fromEntries(map) : null).toEqual(gives);
	});

	test('a step sees what the step before has made, and nothing happens after a drop', () => {
		const map = new Map([['a', 'foo']]);
		expect(
			relabel(
				map,
				steps(
					{ source_labels: ['a'], target_label: 'b' },
					{ source_labels: ['b'], regex: 'foo', action: 'drop' },
					{ target_label: 'c', replacement: 'x' },
				),
			),
		).toBe(false);
		expect([...map]).toEqual([
			['a', 'foo'],
			['b', 'foo'],
		]);
	});
});

describe('the labels of a sample', () => {
	const rules = {
		targetLabels: ['instance', 'i', 'job', 'j'],
		honorLabels: false,
		steps: [],
		labelLimit: 0,
		nameLengthLimit: 0,
		valueLengthLimit: 0,
	};
	const labels = (exposed: Record<string, string>, other: object = {}) =>
		sampleLabels(new Map(Object.entries({ __name__: 'm', ...exposed })), { ...rules, ...other });

	test.each<{ name: string; exposed: Record<string, string>; rules?: object; gives: readonly string[] | null }>([
		{ name: 'get those of the target', exposed: { a: '1' }, gives: ['__name__', 'm', 'a', '1', 'instance', 'i', 'job', 'j'] },
		{
			name: 'are renamed where they conflict',
			exposed: { job: 'x', exported_job: 'y' },
			gives: ['__name__', 'm', 'exported_exported_job', 'x', 'exported_job', 'y', 'instance', 'i', 'job', 'j'],
		},
		{ name: 'give way when they are empty', exposed: { job: '' }, gives: ['__name__', 'm', 'instance', 'i', 'job', 'j'] },
		{
			name: 'are honoured on demand',
			exposed: { job: 'x' },
			rules: { honorLabels: true },
			gives: ['__name__', 'm', 'instance', 'i', 'job', 'x'],
		},
		{ name: 'are honoured even when empty', exposed: { job: '' }, rules: { honorLabels: true }, gives: ['__name__', 'm', 'instance', 'i'] },
		{
			name: 'can be dropped',
			exposed: {},
			rules: { steps: steps({ source_labels: ['__name__'], regex: 'm', action: 'drop' }) },
			gives: null,
		},
	])('$name', ({ exposed, rules: other, gives }) => {
		expect(labels(exposed, other)).toEqual(gives);
	});

	test.each([
		{ name: 'no name is left', rules: { steps: steps({ regex: '__name__', action: 'labeldrop' }) }, says: 'without a metric name' },
		{
			name: 'the name is invalid',
			rules: { steps: steps({ target_label: '__name__', replacement: 'a b' }) },
			says: 'the metric name "a b"',
		},
		{
			name: 'a label name is invalid',
			rules: { steps: steps({ regex: 'job', replacement: 'a-b', action: 'labelmap' }) },
			says: 'the label name "a-b"',
		},
		{ name: 'there are too many', rules: { labelLimit: 2 }, says: 'label_limit is 2' },
		{ name: 'a name is too long', rules: { nameLengthLimit: 7 }, says: 'label_name_length_limit, which is 7' },
		{
			name: 'a value is too long',
			rules: { valueLengthLimit: 3 },
			exposed: { a: 'four' },
			says: 'value of a longer than label_value_length_limit',
		},
	])('are refused when $name', ({ rules: other, exposed, says }) => {
		expect(() => labels((exposed ?? {}) as Record<string, string>, other)).toThrow(says);
	});
});

function scrapeConfig(text: string) {
	return parseConfig(text, { file: 'scrape.yml', schema: ScrapeConfigSchema, check: checkScrapeConfig });
}

function target(text: string, discovered: Record<string, string>) {
	const result = scrapeConfig(text);
	if (result.kind !== 'ok') throw new Error(JSON.stringify(result.problems));
	const [job] = result.config.scrape_configs;
	if (job === undefined) throw new Error('no job');
	return buildTarget(discovered, { job, global: result.config, steps: compileRelabelling(job.relabel_configs) });
}

describe('targets', () => {
	test('get their address, parameters and labels as in Prometheus', () => {
		const verdict = target(
			`scrape_configs:
  - job_name: probe
    metrics_path: /probe
    scheme: https
    params: {module: [http_2xx, other], a: ['1 2']}
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {target_label: __address__, replacement: '127.0.0.1:9115'}
      - {source_labels: [__meta_filepath], target_label: file}
`,
			{ __address__: 'http.example:80', __meta_filepath: '/x.yml', system: 's', empty: '' },
		);
		expect(verdict).toMatchObject({
			kind: 'target',
			target: {
				url: 'https://127.0.0.1:9115/probe?a=1+2&module=http_2xx&module=other&target=http.example%3A80',
				labels: ['file', '/x.yml', 'instance', 'http.example:80', 'job', 'probe', 'system', 's'],
				intervalMs: 15_000,
				timeoutMs: 10_000,
				interval: '15s',
				timeout: '10s',
			},
		});
		expect(verdict.kind === 'target' ? verdict.target.discoveredLabels : []).toContain('__param_module');
	});

	test('take the timeout of their interval when that is shorter', () => {
		expect(target('scrape_configs: [{job_name: a, scrape_interval: 5s}]', { __address__: 'b:1' })).toMatchObject({
			target: { timeout: '5s', url: 'http://b:1/metrics' },
		});
	});

	test.each([
		{ name: 'without an address', discovered: {}, gives: { kind: 'invalid', reason: 'it has no address' } },
		{ name: 'with a path', discovered: { __address__: 'a/b' }, gives: { kind: 'invalid' } },
		{ name: 'with another scheme', discovered: { __address__: 'a', __scheme__: 'ftp' }, gives: { kind: 'invalid' } },
		{ name: 'with a broken interval', discovered: { __address__: 'a', __scrape_interval__: 'soon' }, gives: { kind: 'invalid' } },
		{ name: 'with a timeout beyond its interval', discovered: { __address__: 'a', __scrape_timeout__: '1h' }, gives: { kind: 'invalid' } },
		{ name: 'that relabelling drops', discovered: { __address__: 'a', job: 'dropped' }, gives: { kind: 'dropped' } },
	])('$name are none', ({ discovered, gives }) => {
		const text = 'scrape_configs: [{job_name: a, relabel_configs: [{source_labels: [job], regex: dropped, action: drop}]}]';
		expect(target(text, discovered as Record<string, string>)).toMatchObject(gives);
	});
});

describe('the configuration', () => {
	test('has defaults for everything', () => {
		expect(scrapeConfig('')).toEqual({ kind: 'ok', config: { scrape_interval: '15s', scrape_timeout: '10s', scrape_configs: [] } });
	});

	test('is checked in one go', () => {
		const result = scrapeConfig(`scrape_configs:
  - job_name: a
    scrape_interval: 5s
    scrape_timeout: 6s
    basic_auth: {username: u, password: {env: P}}
    authorization: {credentials: {env: T}}
    static_configs: [{targets: ['http://a:1/metrics', 'b/c', 'ok:1'], labels: {'a-b': x}}]
    file_sd_configs: [{files: ['*.txt', 'targets/*.yml']}]
    relabel_configs:
      - {regex: '(', target_label: x}
      - {source_labels: [a]}
      - {action: hashmod, target_label: x}
      - {action: labeldrop, regex: x, source_labels: [a]}
  - job_name: a
`);
		expect(result.kind === 'bad' ? result.problems.map(({ path }) => path) : []).toEqual([
			'scrape_configs[0].scrape_timeout',
			'scrape_configs[0].authorization',
			'scrape_configs[0].static_configs[0].targets[0]',
			'scrape_configs[0].static_configs[0].targets[1]',
			'scrape_configs[0].static_configs[0].labels.a-b',
			'scrape_configs[0].file_sd_configs[0].files[0]',
			'scrape_configs[0].relabel_configs[0].regex',
			'scrape_configs[0].relabel_configs[1].target_label',
			'scrape_configs[0].relabel_configs[2].modulus',
			'scrape_configs[0].relabel_configs[3].action',
			'scrape_configs[1].job_name',
		]);
	});

	test('takes no secret inline', () => {
		const result = scrapeConfig('scrape_configs: [{job_name: a, basic_auth: {username: u, password: hunter2}}]');
		expect(result.kind).toBe('bad');
	});

	test.each([
		['16MB', 16_777_216],
		['2KiB', 2048],
		['7B', 7],
		['0', 1024 ** 3],
	])('the size %s is %d bytes', (text, bytes) => {
		expect(parseSize(text)).toBe(bytes);
	});
});
