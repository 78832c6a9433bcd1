import { gzipSync } from 'node:zlib';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { formatLabels } from '../../core/labels.ts';
import { silentLogger } from '../../core/log.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { openTestStore } from '../../tests/harness/store/open-test-store.ts';
import type { ColumnIngest } from '../storage/column-ingest.ts';
import { createTextIngest, type TextImportQuery, type TextIngest } from './text-ingest.ts';

const LIMITS = { max_body_bytes: 10_000, max_decoded_bytes: 100_000, max_labels: 10, max_label_name_bytes: 64, max_label_value_bytes: 200 };

let folder: TemporaryFolder;
let store: Awaited<ReturnType<typeof openTestStore>>;
let ingest: TextIngest;
let metrics: Registry;

beforeEach(async () => {
	folder = temporaryFolder('text');
	metrics = new Registry();
	store = await openTestStore(folder.path);
	ingest = createTextIngest({ store, limits: LIMITS, clock: systemClock, log: silentLogger, metrics });
});

afterEach(async () => {
	await store.stop();
	folder.remove();
});

const NOW = Date.now() - 5000;

function send(text: string | Buffer, query: TextImportQuery = {}, type = 'text/plain', encoding?: string) {
	return ingest.importText(type, encoding, Buffer.from(text), query);
}

async function stored(): Promise<string[]> {
	const all = { name: 'none', kind: '=', value: '', test: (value: string) => value === '', literals: [''] } as const;
	const found = await store.select([all], 0, Date.now() + 60_000);
	return found.map(
		({ labels, timestamps, values }) => `${formatLabels(labels)} ${[...values]} @${[...timestamps].map((time) => time - NOW)}`,
	);
}

test('takes text with times, a default time, and labels from the query', async () => {
	const answer = await send(
		`# HELP m What\\nit is.\n# TYPE m gauge\nm{z="1",a="b\\\\c\\n\\"d\\"",empty="",job="own"} 1.5 ${NOW + 1}\nm 2\nA{a="四"} +Inf\n`,
		{ timestamp: String(NOW), job: 'batch', instance: 'vm-1' },
	);
	expect(answer).toEqual({ status: 204, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: '' });
	expect(await stored()).toEqual([
		'A{a="四", instance="vm-1", job="batch"} Infinity @0',
		'm{a="b\\\\c\\n\\"d\\"", instance="vm-1", job="batch", z="1"} 1.5 @1',
		'm{instance="vm-1", job="batch"} 2 @0',
	]);
	expect(store.metadata('m').get('m')).toEqual({ type: 'gauge', help: 'What\nit is.', unit: '' });
});

test('takes OpenMetrics and gzip, and the moment of arrival without a time', async () => {
	const before = Date.now();
	const answer = await send(gzipSync('# TYPE m counter\nm_total 1\n# EOF\n'), {}, 'application/openmetrics-text; version=1.0.0', 'gzip');
	expect(answer.status).toBe(204);
	const [line = ''] = await stored();
	expect(Number(/@(\d+)$/.exec(line)?.[1]) + NOW).toBeGreaterThanOrEqual(before);
	expect(await metrics.getSingleMetricAsString('fournines_ingest_samples_total')).toContain('{protocol="text"} 1');
});

test('sends of the same series are one series', async () => {
	for (const value of [1, 2]) await send(`m{b="2",a="1"} ${value} ${NOW + value}\n`);
	await send(`m{a="1",b="2"} 3 ${NOW + 3}\n`);
	expect(await stored()).toEqual(['m{a="1", b="2"} 1,2,3 @1,2,3']);
	expect(store.stats().series).toBe(1);
});

test('writes labels in the order that the store knows them by', async () => {
	let aliases = 0;
	const counting: ColumnIngest = {
		findSeries: (bytes, view, start, end, hint) => store.findSeries(bytes, view, start, end, hint),
		createSeries: (canonical) => store.createSeries(canonical),
		addAlias: () => {
			aliases++;
		},
		departures: () => store.departures(),
		identity: (id) => store.identity(id),
		bounds: () => store.bounds(),
		describe: (metric, metadata) => store.describe(metric, metadata),
		write: (samples, count) => store.write(samples, count),
	};
	ingest = createTextIngest({ store: counting, limits: LIMITS, clock: systemClock, log: silentLogger, metrics });
	await send('m{zz="1",B="2",aa="3",a="4",empty=""} 1\n', { job: 'j', instance: 'i' });
	expect(aliases).toBe(0);
});

test('refuses a part, names it, and takes the rest', async () => {
	const answer = await send(`long{a="${'x'.repeat(201)}"} 1\nold 1 1000\ngood 2 ${NOW}\n`);
	expect(answer).toMatchObject({ status: 400, body: expect.stringContaining('FN_INGEST_REFUSED: 2 samples were refused, 1 were taken') });
	expect(answer.body).toContain('longer than 200 bytes');
	expect(answer.body).toContain('older than what is kept');
	expect(await stored()).toEqual(['good 2 @0']);
});

test.each([
	{ name: 'malformed text', text: 'good 1\nbad{\n', says: 'FN_INGEST_BODY_INVALID', line: 'line 2' },
	{ name: 'OpenMetrics that was cut', text: 'good 1\n', type: 'application/openmetrics-text', says: 'FN_INGEST_BODY_INVALID' },
	{ name: 'a label value that is not UTF-8', text: Buffer.from('m{a="\xff"} 1\n', 'latin1'), says: 'FN_INGEST_REFUSED', line: 'not UTF-8' },
	{ name: 'many labels', text: `m{${Array.from({ length: 11 }, (_, i) => `l${i}="x"`)}} 1\n`, says: 'FN_INGEST_BODY_INVALID' },
	{ name: 'another type', text: 'm 1\n', type: 'application/json', says: 'FN_INGEST_CONTENT_TYPE', status: 415 },
	{ name: 'another encoding', text: 'm 1\n', encoding: 'br', says: 'FN_INGEST_CONTENT_ENCODING', status: 415 },
	{ name: 'gzip that is none', text: 'm 1\n', encoding: 'gzip', says: 'FN_INGEST_GZIP_INVALID' },
	{
		name: 'a gzip bomb',
		text: gzipSync(Buffer.alloc(1_000_000, 'm 1\n')),
		encoding: 'gzip',
		says: 'FN_INGEST_BODY_TOO_LARGE',
		status: 413,
	},
	{ name: 'a large body', text: 'm 1\n'.repeat(2501), says: 'FN_INGEST_BODY_TOO_LARGE', status: 413 },
	{ name: 'a broken timestamp', text: 'm 1\n', query: { timestamp: 'now' }, says: 'FN_INGEST_TIMESTAMP' },
])('refuses $name and changes nothing', async ({ text, query, type, encoding, says, line, status }) => {
	const answer = await send(text as string | Buffer, query ?? {}, type ?? 'text/plain', encoding);
	expect(answer.status).toBe(status ?? 400);
	expect(answer.body).toContain(says);
	expect(answer.body).toContain(line ?? '');
	expect(await stored()).toEqual([]);
	expect((await send(`good 1 ${NOW}\n`)).status).toBe(204);
	expect(await stored()).toEqual(['good 1 @0']);
});

test('says when nothing could be kept, so that the sender tries again', async () => {
	await store.stop();
	expect(await send('m 1\n')).toMatchObject({
		status: 503,
		headers: { 'retry-after': '5' },
		body: expect.stringContaining('FN_STORE_STOPPED'),
	});
});
