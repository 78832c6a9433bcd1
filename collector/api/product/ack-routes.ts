import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { AckPage } from './ack-page.ts';

const Params = Type.Object({ token: Type.String({ minLength: 1, maxLength: 100 }) }, { additionalProperties: false });
/** Guessing 128 bits is hopeless anyway; this keeps it from costing anything. */
const LIMIT = { rateLimit: { max: 60, timeWindow: '1 minute' } };

/** `/ack/TOKEN`, for those who reach the collector itself. */
export function registerAckRoutes(app: FastifyInstance, services: { readonly page: AckPage; readonly nowMs: () => number }): void {
	for (const method of ['GET', 'POST'] as const) {
		app.route<{ Params: { token: string } }>({
			method,
			url: '/ack/:token',
			schema: { params: Params },
			config: LIMIT,
			handler: async ({ params, ip }, reply) => {
				const { status, type, body } = await services.page({ method, token: params.token, address: ip, atMs: services.nowMs() });
				return reply.status(status).type(type).header('cache-control', 'no-store').send(body);
			},
		});
	}
}
