import fc from 'fast-check';
import { Counter, Histogram, type OpenMetricsContentType, Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { expositionMutationRounds } from '../../tests/harness/exposition-mutations.ts';
import { parseExposition } from '../../tests/harness/exposition-sink.ts';
import { findCommand, freePort, startProcess, waitFor } from '../../tests/harness/process.ts';
import { expositionFormat } from './parse.ts';
import { parseNumber } from './parse-number.ts';
import { formatSampleValue, writeExposition } from './write.ts';

test('the example of the text format', () => {
	const { samples, metadata } = parseExposition(
		`# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47
something_weird{problem="division by zero"} +Inf -3982045
# HELP rpc_duration_seconds A summary\\nin two \\\\ lines with "quotes".
# TYPE rpc_duration_seconds summary
	rpc_duration_seconds { quantile = "0.01" , } 3102
rpc_duration_seconds_sum 1.7560473e+07
nothing_at_all{empty=""} NaN`,
		'text',
	);
	const time = { timestampMs: 1_395_066_363_000 };
	const none = { timestampMs: null };
	expect(samples).toEqual([
		{ name: 'http_requests_total', labels: { method: 'post', code: '200' }, value: 1027, ...time },
		{ name: 'http_requests_total', labels: { method: 'post', code: '400' }, value: 3, ...time },
		{
			name: 'msdos_file_access_time_seconds',
			labels: { path: 'C:\\DIR\\FILE.TXT', error: 'Cannot find file:\n"FILE.TXT"' },
			value: 1_458_255_915,
			...none,
		},
		{ name: 'metric_without_timestamp_and_labels', labels: {}, value: 12.47, ...none },
		{ name: 'something_weird', labels: { problem: 'division by zero' }, value: Number.POSITIVE_INFINITY, timestampMs: -3_982_045 },
		{ name: 'rpc_duration_seconds', labels: { quantile: '0.01' }, value: 3102, ...none },
		{ name: 'rpc_duration_seconds_sum', labels: {}, value: 17_560_473, ...none },
		{ name: 'nothing_at_all', labels: { empty: '' }, value: Number.NaN, ...none },
	]);
	expect(metadata).toEqual({
		http_requests_total: { type: 'counter', help: 'The total number of HTTP requests.', unit: '' },
		rpc_duration_seconds: { type: 'summary', help: 'A summary\nin two \\ lines with "quotes".', unit: '' },
	});
});

test('OpenMetrics with every type, units, exemplars and seconds', () => {
	const { samples, metadata } = parseExposition(
		`# TYPE acme_http_router_request_seconds summary
# UNIT acme_http_router_request_seconds seconds
# HELP acme_http_router_request_seconds Latency of \\"all\\" requests.
acme_http_router_request_seconds_sum{path="/api/v1",method="GET"} 9036.32
acme_http_router_request_seconds_created{path="/api/v1",method="GET"} 1605281325.0
# TYPE foo histogram
foo_bucket{le="0.1"} 8 # {} 0.054
foo_bucket{le="+Inf"} 17 1520879607.789 # {trace_id="oHg5SJYRHA0",x="}"} 9.8 1520879607.7
# TYPE foo_requests counter
foo_requests_total 17.0 # {trace_id="KOO5S4vxi0o"} 0.67
# TYPE switch stateset
switch{switch="on"} 1
# TYPE build info
build_info{version="8.2.7"} 1
# TYPE queue gaugehistogram
queue_gcount 4
# TYPE other unknown
other 5
# EOF
`,
		'openmetrics',
	);
	expect(samples.map(({ name, value, timestampMs }) => [name, value, timestampMs])).toEqual([
		['acme_http_router_request_seconds_sum', 9036.32, null],
		['acme_http_router_request_seconds_created', 1_605_281_325, null],
		['foo_bucket', 8, null],
		['foo_bucket', 17, 1_520_879_607_789],
		['foo_requests_total', 17, null],
		['switch', 1, null],
		['build_info', 1, null],
		['queue_gcount', 4, null],
		['other', 5, null],
	]);
	expect(samples[3]?.labels).toEqual({ le: '+Inf' });
	expect(metadata).toEqual({
		acme_http_router_request_seconds: { type: 'summary', help: 'Latency of "all" requests.', unit: 'seconds' },
		foo: { type: 'histogram', help: '', unit: '' },
		foo_requests_total: { type: 'counter', help: '', unit: '' },
		switch: { type: 'stateset', help: '', unit: '' },
		build_info: { type: 'info', help: '', unit: '' },
		queue: { type: 'gaugehistogram', help: '', unit: '' },
		other: { type: 'unknown', help: '', unit: '' },
	});
});

test('a series is taken apart once', () => {
	const line = 'm{a="1"} 1\nm{b="2"} 2\n';
	expect(parseExposition(line.repeat(3), 'text')).toMatchObject({ parsedSeries: 2, samples: { length: 6 } });
});

describe.each([
	{ name: 'no value', text: 'a', says: 'line 1: a value is missing' },
	{ name: 'no value after labels', text: 'a 1\nb{c="d"}\n', says: 'line 2: a value is missing' },
	{ name: 'a value that is none', text: 'a 1\na 1x\n', says: 'line 2: the value is not a number' },
	{ name: 'a hexadecimal value', text: 'a 0x10\n', says: 'not a number' },
	{ name: 'a value with underscores', text: 'a 1_000\n', says: 'not a number' },
	{ name: 'a value too large', text: 'a 1e999\n', says: 'not a number' },
	{ name: 'a carriage return', text: 'a 1\r\n', says: 'not a number' },
	{ name: 'a broken time', text: 'a 1 1.5\n', says: 'whole number of milliseconds' },
	{ name: 'a third word', text: 'a 1 2 3\n', says: 'should end here' },
	{ name: 'a name that begins with a digit', text: '1a 1\n', says: 'a metric name should begin here' },
	{ name: 'a name with a dash', text: 'a-b 1\n', says: 'not allowed' },
	{ name: 'a quoted name', text: '{"a.b"} 1\n', says: 'in quotes is not taken' },
	{ name: 'a quoted label name', text: 'a{"b.c"="d"} 1\n', says: 'in quotes is not taken' },
	{ name: 'labels that do not end', text: 'a{b="c" 1\nd 1\n', says: 'line 1: the labels do not end' },
	{ name: 'a value that does not end', text: 'a{b="c} 1\nd 1\n', says: 'line 1: a label value does not end' },
	{ name: 'a line feed behind a backslash', text: 'a{b="c\\\n"} 1\n', says: 'line 1: a label value does not end' },
	{ name: 'a label without a value', text: 'a{b} 1\n', says: 'followed by =' },
	{ name: 'a label without quotes', text: 'a{b=c} 1\n', says: 'should begin with "' },
	{ name: 'labels without a comma', text: 'a{b="c" d="e"} 1\n', says: 'separated by a comma' },
	{ name: 'two commas', text: 'a{b="c",,} 1\n', says: 'a label name should begin' },
	{ name: 'a label twice', text: 'a{b="c",b="d"} 1\n', says: 'stands twice' },
	{ name: 'a second name', text: 'a{__name__="b"} 1\n', says: '__name__' },
	{ name: 'a colon in a label name', text: 'a{b:c="d"} 1\n', says: 'followed by =' },
	{ name: 'an unknown type', text: '# TYPE a counters\n', says: 'the type is not known' },
	{ name: 'a type without a name', text: '# TYPE 1 counter\n', says: 'a metric name should stand here' },
	{ name: 'too many labels', text: 'a{b="",c="",d="",e=""} 1\n', says: 'more than 3 labels' },
	{ name: 'too many samples', text: 'a 1\n'.repeat(6), says: 'line 6: there are more than 5 samples' },
	{ name: 'a line too long', text: `a 1\n# ${'x'.repeat(200)}\n`, says: 'line 2: the line is longer than 100 bytes' },
])('text with $name', ({ text, says }) => {
	test('is refused', () => {
		expect(() => parseExposition(text, 'text', { maxLabels: 3, maxSamples: 5, maxLineBytes: 100 })).toThrow(says);
	});
});

test.each([
	{ name: 'no end', text: 'a 1\n', says: '# EOF is missing' },
	{ name: 'something after the end', text: 'a 1\n# EOF\nb 2\n', says: 'line 3: there is more after # EOF' },
	{ name: 'an empty line', text: 'a 1\n\n# EOF\n', says: 'line 2: OpenMetrics has no empty lines' },
	{ name: 'a comment', text: '# hello\n# EOF\n', says: 'no comments' },
	{ name: 'two spaces', text: 'a  1\n# EOF\n', says: 'the value is not a number' },
	{ name: 'a tab', text: 'a\t1\n# EOF\n', says: 'one space' },
	{ name: 'untyped', text: '# TYPE a untyped\n# EOF\n', says: 'the type is not known' },
	{ name: 'a unit that is not in the name', text: '# UNIT a_seconds bytes\n# EOF\n', says: 'ends with _ and the unit' },
	{ name: 'a time that is not finite', text: 'a 1 NaN\n# EOF\n', says: 'number of seconds' },
	{ name: 'a broken exemplar', text: 'a 1 # {x="y"\n# EOF\n', says: 'the labels do not end' },
	{ name: 'an exemplar without a value', text: 'a 1 # {x="y"} z\n# EOF\n', says: 'value of the exemplar' },
])('OpenMetrics with $name is refused', ({ text, says }) => {
	expect(() => parseExposition(text, 'openmetrics')).toThrow(says);
});

test('numbers read as JavaScript and Go read them', () => {
	const read = (text: string) => {
		const bytes = new TextEncoder().encode(`x${text}x`);
		return parseNumber(bytes, 1, bytes.length - 1);
	};
	for (const text of ['', '+', '.', 'e5', '1e', '1e+', '--1', '1 ', '0x1', '1_0', '+nan', 'infin', '1e400', '1.2.3']) {
		expect([text, read(text)]).toEqual([text, undefined]);
	}
	for (const [text, value] of [
		['-0', -0],
		['.5', 0.5],
		['5.', 5],
		['+1', 1],
		['1E3', 1000],
		['-iNf', Number.NEGATIVE_INFINITY],
		['Infinity', Number.POSITIVE_INFINITY],
		['nan', Number.NaN],
		['1e-400', 0],
		['9007199254740993', 9_007_199_254_740_992],
		['4.9406564584124654e-324', 5e-324],
	] as const) {
		expect([text, read(text)]).toEqual([text, value]);
	}
	fc.assert(
		fc.property(fc.double(), (value) => {
			expect(read(formatSampleValue(value))).toBe(value);
		}),
		{ numRuns: 2000 },
	);
	fc.assert(
		fc.property(fc.stringMatching(/^-?[0-9]{0,20}\.?[0-9]{0,20}(e-?[0-9]{1,2})?$/), (text) => {
			const expected = /[0-9]/.test(text.replace(/e.*/, '')) ? Number(text) : undefined;
			expect(read(text)).toBe(expected);
		}),
		{ numRuns: 2000 },
	);
});

test('what the writer writes is read back', () => {
	const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/).filter((text) => text !== '__name__');
	const sample = fc.record({
		labels: fc.uniqueArray(
			fc.tuple(
				name,
				fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
			),
			{
				selector: ([label]) => label,
				maxLength: 4,
			},
		),
		value: fc.double(),
		timestampMs: fc.integer({ min: -1e13, max: 1e13 }),
	});
	fc.assert(
		fc.property(name, fc.array(sample), fc.string(), (metric, samples, help) => {
			const text = writeExposition([
				{
					name: metric,
					type: 'gauge',
					help: help.trim(),
					samples: samples.map(({ labels, ...rest }) => ({ ...rest, labels: ['__name__', metric, ...labels.flat()] })),
				},
			]);
			const parsed = parseExposition(text, 'text');
			expect(parsed.samples).toEqual(samples.map(({ labels, ...rest }) => ({ ...rest, name: metric, labels: Object.fromEntries(labels) })));
			expect(parsed.metadata[metric]).toEqual({ type: 'gauge', help: help.trim(), unit: '' });
		}),
	);
});

test('2,000 damaged texts are taken or refused, and nothing else happens', () => {
	expect(expositionMutationRounds(2000)).toBeGreaterThan(20);
});

test.each([
	[undefined, 'text'],
	['text/plain; version=0.0.4', 'text'],
	['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
])('content type %s means %s', (contentType, format) => {
	expect(expositionFormat(contentType)).toBe(format);
});

test('OpenMetrics of an independent writer is understood', async () => {
	const registry = new Registry<OpenMetricsContentType>();
	registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
	new Counter({
		name: 'jobs',
		help: 'Jobs "done".',
		labelNames: ['kind'],
		registers: [registry],
		enableExemplars: true,
	}).inc({
		labels: { kind: 'a\\b\n"c"' },
		value: 3,
		exemplarLabels: { kind: '4711' },
	});
	new Histogram({ name: 'took_seconds', help: 'Time.', buckets: [1, 2], registers: [registry] }).observe(1.5);
	expect(expositionFormat(registry.contentType)).toBe('openmetrics');
	const { samples, metadata } = parseExposition(await registry.metrics(), 'openmetrics');
	expect(samples.map(({ name, labels, value }) => [name, labels, value])).toEqual([
		['jobs_total', { kind: 'a\\b\n"c"' }, 3],
		['took_seconds_bucket', { le: '1' }, 0],
		['took_seconds_bucket', { le: '2' }, 1],
		['took_seconds_bucket', { le: '+Inf' }, 1],
		['took_seconds_sum', {}, 1.5],
		['took_seconds_count', {}, 1],
	]);
	expect(metadata['jobs_total']?.type).toBe('counter');
});

const exporter = findCommand('prometheus-node-exporter');

describe.skipIf(exporter === null)('the exporter of Debian', () => {
	test('is understood line by line', async () => {
		const address = `127.0.0.1:${await freePort()}`;
		const running = startProcess(exporter ?? '', [`--web.listen-address=${address}`]);
		try {
			const answer = await waitFor('node_exporter', () => fetch(`http://${address}/metrics`));
			const text = await answer.text();
			const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
			const { samples } = parseExposition(text, 'text');
			expect(samples.length).toBe(lines.length);
			expect(samples.length).toBeGreaterThan(100);
			for (const [i, sample] of samples.entries()) {
				const line = lines[i] as string;
				expect(line.startsWith(sample.name)).toBe(true);
				expect(Object.is(Number(line.slice(line.lastIndexOf(' ') + 1)), sample.value)).toBe(true);
				expect(Object.keys(sample.labels)).toHaveLength(line.match(/[a-z_]+="/g)?.length ?? 0);
			}
		} finally {
			await running.stop();
		}
	});
});
