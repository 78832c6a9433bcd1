import { gunzipSync } from 'node:zlib';
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { httpExchange } from '../../../core/http-client.ts';
import { labelsFromObject } from '../../../core/labels.ts';
import { createEngine } from '../../promql/engine.ts';
import { localQueryService } from '../../promql/query-service.ts';
import { createMemoryStorage } from '../../storage/memory-storage.ts';
import { takesGzip } from './compression.ts';
import { registerQueryRoutes } from './query-routes.ts';

const storage = createMemoryStorage();
for (let host = 0; host < 50; host++) storage.add(labelsFromObject({ __name__: 'm', host: `host-${host}` }), 1_700_000_000_000, host);
let app: FastifyInstance;
let address = '';

beforeAll(async () => {
	app = fastify();
	const queries = localQueryService(createEngine({ queryable: storage, clock: systemClock }), storage);
	registerQueryRoutes(app, { queries, clock: systemClock });
	address = await app.listen({ port: 0, host: '127.0.0.1' });
});

afterAll(() => app.close());

const ask = (query: string, encoding?: string) =>
	httpExchange(`${address}/api/v1/query?query=${query}&time=1700000000`, {
		timeoutMs: 10_000,
		...(encoding === undefined ? {} : { headers: { 'accept-encoding': encoding } }),
	});

test('a client that takes gzip gets the same answer, shorter', async () => {
	const plain = await ask('m');
	expect(plain.headers['content-encoding']).toBeUndefined();
	const packed = await ask('m', 'gzip');
	expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding', 'content-type': 'application/json' });
	expect(packed.body.length).toBeLessThan(plain.body.length / 2);
	expect(gunzipSync(packed.body).equals(plain.body)).toBe(true);
	expect((await ask('1', 'gzip')).headers['content-encoding']).toBeUndefined();
});

test.each([
	{ header: undefined, want: false },
	{ header: '', want: false },
	{ header: 'gzip', want: true },
	{ header: 'br, GZIP;q=0.5', want: true },
	{ header: 'gzip;q=0', want: false },
	{ header: '*', want: true },
	{ header: '*, gzip;q=0', want: false },
	{ header: 'deflate, br', want: false },
])('Accept-Encoding "$header" takes gzip: $want', ({ header, want }) => {
	expect(takesGzip(header)).toBe(want);
});
