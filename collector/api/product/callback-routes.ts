import type { FastifyInstance } from 'fastify';
import type { Alerting } from '../../../alerts/alerting.ts';
import { registerRawRoute } from './raw-route.ts';

/**
 * Where providers send receipts, replies and button presses: `/api/fournines/v1/callbacks/NAME`, with the name of an entry of
 * `alerts.channels`. Open to anybody by nature; the channel checks its own signature or token before anything is believed.
 */
export async function registerCallbackRoutes(app: FastifyInstance, alerting: Pick<Alerting, 'callback'>): Promise<void> {
	await registerRawRoute(app, {
		method: ['GET', 'POST'],
		url: '/api/fournines/v1/callbacks/:name',
		handle: (name, request) => alerting.callback(name, request),
	});
}
