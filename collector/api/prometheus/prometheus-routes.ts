import type { FastifyInstance } from 'fastify';
import type { Logger } from '../../../core/log.ts';
import type { Ruler } from '../../ruler/ruler.ts';
import { type AdminServices, registerAdminRoutes } from './admin-routes.ts';
import { sendFailure } from './answers.ts';
import { registerQueryRoutes } from './query-routes.ts';
import { type ReadServices, registerReadRoutes } from './read-routes.ts';
import { registerRuleRoutes } from './rule-routes.ts';
import { registerStatusRoutes, type StatusServices } from './status-routes.ts';

export interface PrometheusServices extends StatusServices, ReadServices {
	readonly ruler: Pick<Ruler, 'groups'>;
	readonly log: Logger;
	/** Without it there are no admin routes. */
	readonly admin?: AdminServices;
}

/**
 * The reading half of Prometheus' HTTP API (prometheus.io/docs/prometheus/latest/querying/api). Forms must be parsed by
 * the server (`@fastify/formbody`). Errors have Prometheus' shape, also those of hooks that run before.
 */
export async function registerPrometheusRoutes(app: FastifyInstance, services: PrometheusServices): Promise<void> {
	await app.register(async (scope) => {
		// vmalert says that its empty body is JSON, and has its parameters in the address.
		scope.removeContentTypeParser('application/json');
		scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, _body, done) => done(null, {}));
		scope.setErrorHandler((error: unknown, request, reply) => sendFailure(error, { request, reply, log: services.log }));
		registerQueryRoutes(scope, services);
		registerReadRoutes(scope, services);
		registerRuleRoutes(scope, services.ruler);
		registerStatusRoutes(scope, services);
		if (services.admin !== undefined) registerAdminRoutes(scope, services.admin);
	});
}
