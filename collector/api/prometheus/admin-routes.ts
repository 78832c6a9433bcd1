import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError, errorText } from '../../../core/errors.ts';
import { selectorMatchers } from '../../promql/selector-text.ts';
import type { Matcher } from '../../storage/storage.ts';
import { badParameter, Parameters } from './parameters.ts';

export interface AdminServices {
	/** `store.admin_api`. */
	readonly enabled: boolean;
	/** Resolves with the number of series. */
	readonly deleteSeries: (matchers: readonly Matcher[], minMs: number, maxMs: number, includeChecks: boolean) => Promise<number>;
	readonly cleanDeletions: () => Promise<void>;
	/** Remembers who did what, before the answer. */
	readonly record: (request: FastifyRequest, operation: AdminOperation) => Promise<void>;
}

export interface AdminOperation {
	readonly action: 'samples.delete' | 'samples.clean';
	readonly object: string;
	readonly result: 'success' | 'failure';
	readonly detail: string;
}

/** Prometheus' TSDB admin API (prometheus.io/docs/prometheus/latest/querying/api/#tsdb-admin-apis), without snapshots: there is `fournines backup`. */
export function registerAdminRoutes(app: FastifyInstance, services: AdminServices): void {
	const assertEnabled = () => {
		if (services.enabled) return;
		throw new AppError('FN_STORE_ADMIN_API_OFF', 'the admin API is switched off; set store.admin_api: true in collector.yml and restart', {
			status: 403,
		});
	};
	const recorded = async (request: FastifyRequest, operation: Omit<AdminOperation, 'result'>, work: () => Promise<string>) => {
		let detail: string;
		try {
			detail = await work();
		} catch (error) {
			await services.record(request, { ...operation, result: 'failure', detail: `${operation.detail}: ${errorText(error)}` });
			throw error;
		}
		await services.record(request, { ...operation, result: 'success', detail: `${operation.detail}${detail}` });
	};

	app.route({
		method: ['POST', 'PUT'],
		url: '/api/v1/admin/tsdb/delete_series',
		handler: async (request, reply) => {
			assertEnabled();
			const parameters = new Parameters(request);
			const selectors = parameters.all('match[]');
			if (selectors.length === 0) throw badParameter('match[]', 'name at least one series selector');
			const { startMs, endMs } = parameters.span();
			if (endMs < startMs) throw badParameter('end', 'end time must not be before start time');
			const includeChecks = parameters.one('include_checks') === 'true';
			// All are read before anything is deleted.
			const wanted = selectors.map(selectorMatchers);
			const detail = `${new Date(Math.max(0, startMs)).toISOString()} to ${endMs > 8e15 ? 'the end' : new Date(endMs).toISOString()}`;
			await recorded(request, { action: 'samples.delete', object: selectors.join(' '), detail }, async () => {
				let series = 0;
				for (const matchers of wanted) series += await services.deleteSeries(matchers, startMs, endMs, includeChecks);
				return `, ${series} series${includeChecks ? ', checks included' : ''}`;
			});
			return reply.status(204).send();
		},
	});

	app.route({
		method: ['POST', 'PUT'],
		url: '/api/v1/admin/tsdb/clean_tombstones',
		handler: async (request, reply) => {
			assertEnabled();
			await recorded(request, { action: 'samples.clean', object: 'block files', detail: 'deleted samples removed' }, async () => {
				await services.cleanDeletions();
				return '';
			});
			return reply.status(204).send();
		},
	});
}
