import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { labelsFromObject } from '../../core/labels.ts';
import { silentLogger } from '../../core/log.ts';
import { createMemoryStorage } from '../storage/memory-storage.ts';
import { createEngine } from './engine.ts';
import { measuredQueryService } from './query-metrics.ts';
import { errorOf, failureOf, localQueryService, type QueryService } from './query-service.ts';

const storage = createMemoryStorage();
for (const host of ['a', 'b', 'c']) storage.add(labelsFromObject({ __name__: 'm', host }), 1000, 1);
const service = localQueryService(createEngine({ queryable: storage, clock: systemClock }), storage);
const text = (json: Uint8Array) => new TextDecoder().decode(json);

test('answers survive being posted to another thread', async () => {
	const request = structuredClone({ kind: 'instant', query: 'm{host="a"}', timeMs: 1500 } as const);
	const answer = await service.execute(request);
	const moved = structuredClone(answer, { transfer: [answer.json.buffer] });
	expect(text(moved.json)).toBe(
		'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"m","host":"a"},"value":[1.5,"1"]}]}}',
	);
});

test('errors keep code and status across threads', async () => {
	const error = await service.execute({ kind: 'instant', query: 'm +', timeMs: 0 }).catch((caught: unknown) => caught);
	expect(errorOf(structuredClone(failureOf(error)))).toMatchObject({ code: 'FN_QUERY_PARSE', status: 400 });
	expect(failureOf(new TypeError('x'))).toEqual({
		code: 'FN_QUERY_INTERNAL',
		message: 'the query failed: x',
		status: 500,
		retryable: false,
	});
});

test.each([
	{ kind: 'instant', query: 'm', timeMs: 1000, limit: 2 },
	{ kind: 'range', query: 'm', startMs: 1000, endMs: 2000, stepMs: 1000, limit: 2 },
	{ kind: 'series', selectors: ['m'], startMs: 0, endMs: 2000, limit: 2 },
	{ kind: 'labelValues', name: 'host', selectors: [], startMs: 0, endMs: 2000, limit: 2 },
] as const)('cuts the answer of $kind at the limit and says so', async (request) => {
	const answer = await service.execute(request);
	expect(answer.warnings).toEqual(['results truncated due to limit']);
	expect(text(answer.json)).toContain('b');
	expect(text(answer.json)).not.toContain('"c"');
});

test('selectors are joined, and each must be a plain one', async () => {
	const answer = await service.execute({ kind: 'series', selectors: ['m{host="a"}', 'm{host=~"a|b"}'], startMs: 0, endMs: 2000 });
	expect(JSON.parse(text(answer.json))).toMatchObject({ status: 'success', data: [{ host: 'a' }, { host: 'b' }] });
	await expect(service.execute({ kind: 'series', selectors: ['m offset 5m'], startMs: 0, endMs: 1 })).rejects.toMatchObject({
		status: 400,
	});
	await expect(service.execute({ kind: 'labels', selectors: ['sum(m)'], startMs: 0, endMs: 1 })).rejects.toThrow(AppError);
});

test('counts what it does', async () => {
	const registry = new Registry();
	const measured = measuredQueryService(service, registry);
	await measured.execute({ kind: 'instant', query: 'm', timeMs: 1000 });
	await measured.execute({ kind: 'instant', query: 'm +', timeMs: 1000 }).catch(() => {});
	const metrics = await registry.metrics();
	expect(metrics).toContain('fournines_query_requests_total{kind="instant",outcome="ok"} 1');
	expect(metrics).toContain('fournines_query_requests_total{kind="instant",outcome="FN_QUERY_PARSE"} 1');
	expect(metrics).toContain('fournines_query_samples_read_total 3');
});

test('what takes long is logged with who asked and what it read, and nothing else is', async () => {
	const lines: { readonly fields: object; readonly message: string }[] = [];
	const log = { ...silentLogger, warn: (fields: object, message: string) => void lines.push({ fields, message }) };
	let now = 0;
	let takesMs = 10;
	const slow = { log, fromMs: 1000, monotonic: () => now };
	const delayed: QueryService = {
		execute: async (request, options) => {
			now += takesMs;
			return service.execute(request, options);
		},
	};
	const registry = new Registry();
	const measured = measuredQueryService(delayed, registry, slow);
	await measured.execute({ kind: 'instant', query: 'm', timeMs: 1000 }, { caller: 'grafana' });
	expect(lines).toEqual([]);
	takesMs = 1000;
	await measured.execute({ kind: 'instant', query: 'm', timeMs: 1000 }, { caller: 'grafana' });
	await measured.execute({ kind: 'series', selectors: ['m +'], startMs: 0, endMs: 1 }).catch(() => {});
	expect(lines.map(({ fields }) => fields)).toEqual([
		{ kind: 'instant', query: 'm', timeMs: 1000, caller: 'grafana', outcome: 'ok', samplesRead: 3, durationMs: 1000 },
		{ kind: 'series', query: 'm +', caller: '', outcome: 'FN_QUERY_PARSE', samplesRead: null, durationMs: 1000 },
	]);
	expect(await registry.metrics()).toContain('fournines_query_slow_total 2');
});
