import type { FastifyInstance } from 'fastify';
import type { Alerting } from '../../../alerts/alerting.ts';
import { registerRawRoute } from './raw-route.ts';

/** Where other systems post their alerts: `/api/fournines/v1/intake/NAME`, with the name of an entry of `alerts.intake` and its token. */
export async function registerIntakeRoutes(app: FastifyInstance, alerting: Pick<Alerting, 'intake'>): Promise<void> {
	await registerRawRoute(app, {
		method: ['POST'],
		url: '/api/fournines/v1/intake/:name',
		handle: async (name, request) => {
			const alerts = await alerting.intake(name, request);
			return { status: 200, type: 'application/json', body: JSON.stringify({ alerts }) };
		},
	});
}
