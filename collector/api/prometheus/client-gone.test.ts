import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import type { QueryService } from '../../promql/query-service.ts';
import { registerQueryRoutes } from './query-routes.ts';

let app: FastifyInstance;
let address = '';
let begun: () => void = () => {};
let ended: (reason: string) => void = () => {};

/** A service whose queries run until they are cancelled. */
const endless: QueryService = {
	execute: (_request, options) =>
		new Promise((_resolve, reject) => {
			begun();
			options?.signal?.addEventListener('abort', () => {
				ended('cancelled');
				reject(new Error('cancelled'));
			});
		}),
};

beforeAll(async () => {
	app = fastify({ forceCloseConnections: true });
	registerQueryRoutes(app, { queries: endless, clock: systemClock });
	address = await app.listen({ port: 0, host: '127.0.0.1' });
});

afterAll(() => app.close());

test('a client that goes away takes its query along', async () => {
	const running = new Promise<void>((resolve) => {
		begun = resolve;
	});
	const over = new Promise<string>((resolve) => {
		ended = resolve;
	});
	const client = new AbortController();
	const asked = fetch(`${address}/api/v1/query?query=up`, { signal: client.signal }).catch(() => 'gone');
	await running;
	client.abort();
	expect(await asked).toBe('gone');
	expect(await over).toBe('cancelled');
});
