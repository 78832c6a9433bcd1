import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import type { CallbackAnswer, CallbackRequest } from '../../../alerts/notify/channel-line.ts';

const ParamsSchema = Type.Object({ name: Type.String({ maxLength: 64 }) }, { additionalProperties: false });

/** A provider's batch of receipts, or another system's alerts, are a few hundred kilobytes at most. */
const BODY_LIMIT_BYTES = 1024 * 1024;
/** Addresses that anybody may call must not be an oracle for tokens and signatures. */
const RATE = { max: 1200, timeWindow: '1 minute' } as const;

/** A route with one parameter, `:name`, whose handler gets the request as it came: the bytes are what is signed, whatever the type says. */
export async function registerRawRoute(
	app: FastifyInstance,
	route: {
		readonly method: string[];
		readonly url: string;
		readonly handle: (name: string, request: CallbackRequest) => Promise<CallbackAnswer>;
	},
): Promise<void> {
	await app.register(async (scope) => {
		scope.removeAllContentTypeParsers();
		scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
		scope.route<{ Params: Static<typeof ParamsSchema> }>({
			method: route.method,
			url: route.url,
			schema: { params: ParamsSchema },
			bodyLimit: BODY_LIMIT_BYTES,
			config: { rateLimit: RATE },
			handler: async (request, reply) => {
				const query = Object.fromEntries(new URL(request.url, 'http://localhost').searchParams);
				const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
				const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
				const answer = await route.handle(request.params.name, { method: request.method, query, headers, body });
				return reply.status(answer.status).type(answer.type).send(answer.body);
			},
		});
	});
}
