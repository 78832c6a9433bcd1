import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import type { Alerting } from '../../../alerts/alerting.ts';

const ParamsSchema = Type.Object({ channel: Type.String({ maxLength: 64 }) }, { additionalProperties: false });

/** A provider's batch of receipts is a few hundred kilobytes at most. */
const BODY_LIMIT_BYTES = 1024 * 1024;
/** Addresses that anybody may call must not be an oracle for tokens and signatures. */
const RATE = { max: 1200, timeWindow: '1 minute' } as const;

/**
 * Where providers send receipts, replies and button presses: `/api/fournines/v1/callbacks/NAME`, with the name of an entry of
 * `alerts.channels`. Open to anybody by nature; the channel checks its own signature or token before anything is believed.
 */
export async function registerCallbackRoutes(app: FastifyInstance, alerting: Pick<Alerting, 'callback'>): Promise<void> {
	await app.register(async (scope) => {
		// Whatever the type says, the bytes are what is signed.
		scope.removeAllContentTypeParsers();
		scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
		scope.route<{ Params: Static<typeof ParamsSchema> }>({
			method: ['GET', 'POST'],
			url: '/api/fournines/v1/callbacks/:channel',
			schema: { params: ParamsSchema },
			bodyLimit: BODY_LIMIT_BYTES,
			config: { rateLimit: RATE },
			handler: async (request, reply) => {
				const query = Object.fromEntries(new URL(request.url, 'http://localhost').searchParams);
				const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
				const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
				const answer = await alerting.callback(request.params.channel, { method: request.method, query, headers, body });
				return reply.status(answer.status).type(answer.type).send(answer.body);
			},
		});
	});
}
