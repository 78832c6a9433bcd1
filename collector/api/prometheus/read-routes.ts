import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { compressSync } from 'snappy';
import type { Clock } from '../../../core/clock.ts';
import { decompressSnappy } from '../../ingest/snappy-block.ts';
import type { QueryService } from '../../promql/query-service.ts';
import { sendCompressed } from './compression.ts';
import { badParameter, Parameters } from './parameters.ts';
import { decodeReadRequest } from './read-request.ts';

export interface ReadServices {
	readonly queries: QueryService;
	readonly clock: Clock;
	/** Name of who asks, for logs and fairness. Default: nobody has a name. */
	readonly caller?: (request: FastifyRequest) => string;
	/** Added to federated series that have no label of that name. */
	readonly externalLabels?: Readonly<Record<string, string>>;
}

/** A request is a few matchers. */
const MAX_BODY_BYTES = 1 << 20;
/** What `--storage.remote.read-sample-limit` is by default. */
const SAMPLE_LIMIT = 50_000_000;

/** Other servers that read from this one: `/federate` and remote read (`/api/v1/read`, raw samples). */
export function registerReadRoutes(app: FastifyInstance, services: ReadServices): void {
	const { queries, clock } = services;
	const caller = (request: FastifyRequest) => services.caller?.(request) ?? '';

	app.get('/federate', async (request, reply) => {
		const parameters = new Parameters(request);
		const selectors = parameters.all('match[]');
		if (selectors.length === 0) throw badParameter('match[]', 'name at least one series selector');
		const { externalLabels } = services;
		const { json } = await whileThere(reply, (signal) =>
			queries.execute(
				{
					kind: 'federate',
					selectors,
					timeMs: clock.now(),
					limit: parameters.limit(),
					...(externalLabels === undefined ? {} : { externalLabels }),
				},
				{ signal, caller: caller(request) },
			),
		);
		return sendCompressed(reply, 'text/plain; version=0.0.4; charset=utf-8', Buffer.from(json.buffer, json.byteOffset, json.byteLength));
	});

	void app.register(async (scope) => {
		scope.removeAllContentTypeParsers();
		scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, (_request, body, done) => done(null, body));
		scope.post('/api/v1/read', { bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
			const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
			const wanted = decodeReadRequest(decompressSnappy(body, MAX_BODY_BYTES));
			const { json } = await whileThere(reply, (signal) =>
				queries.execute({ kind: 'read', queries: wanted, sampleLimit: SAMPLE_LIMIT }, { signal, caller: caller(request) }),
			);
			const compressed = compressSync(Buffer.from(json.buffer, json.byteOffset, json.byteLength));
			return reply.status(200).headers({ 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' }).send(compressed);
		});
	});
}

/** Runs a query that ends when the client goes away. */
export async function whileThere<T>(reply: FastifyReply, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
	const gone = new AbortController();
	const onClose = () => {
		if (!reply.raw.writableFinished) gone.abort();
	};
	reply.raw.on('close', onClose);
	try {
		return await run(gone.signal);
	} finally {
		reply.raw.off('close', onClose);
	}
}
