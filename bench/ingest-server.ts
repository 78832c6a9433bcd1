import fastify from 'fastify';
import { Registry } from 'prom-client';
import { createIngest } from '../collector/ingest/ingest.ts';
import { ArrivalMarks, NO_CLASS } from '../collector/storage/arrival-marks.ts';
import { openStore } from '../collector/tsdb/store.ts';
import { systemClock } from '../core/clock.ts';
import { createLogger } from '../core/log.ts';

/** The server under test: the store behind fastify, as in the product, without the rest of the collector. Prints its port. */
async function serve(dataDir: string): Promise<void> {
	const log = createLogger('bench', { level: 'warn' });
	const metrics = new Registry();
	// The dearest case: rules wait for every series.
	const arrivals = new ArrivalMarks();
	arrivals.read({ classify: () => NO_CLASS + 1, onMarks: () => void setTimeout(() => arrivals.take(() => {}), 100) });
	const store = await openStore({
		dataDir,
		retentionMs: 30 * 86_400_000,
		checkRetentionMs: 1096 * 86_400_000,
		fsync: 'interval',
		maxSeriesPerHost: 100_000,
		arrivals,
		log,
		clock: systemClock,
		metrics,
	});
	const ingest = createIngest({
		store,
		limits: {
			max_body_bytes: 16 << 20,
			max_decoded_bytes: 64 << 20,
			max_labels: 64,
			max_label_name_bytes: 256,
			max_label_value_bytes: 4096,
		},
		log,
		metrics,
	});
	const app = fastify({ bodyLimit: 16 << 20 });
	app.addContentTypeParser('application/x-protobuf', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
	app.post('/api/v1/write', async (request, reply) => {
		const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
		const answer = await ingest.remoteWrite(request.headers['content-type'], request.headers['content-encoding'], body);
		return reply.code(answer.status).headers(answer.headers).send(answer.body);
	});
	await app.listen({ port: 0, host: '127.0.0.1' });
	const address = app.server.address();
	process.stdout.write(`listening ${typeof address === 'object' && address !== null ? address.port : 0}\n`);
	process.on('SIGTERM', () => {
		void app.close().then(() => store.stop());
	});
}

void serve(process.argv[2] ?? '');
