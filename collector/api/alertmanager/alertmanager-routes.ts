import type { FastifyInstance } from 'fastify';
import { RE2JS } from 're2js';
import type { Static } from 'typebox';
import type { AlertGroupStatus, Alerting, AlertStatus } from '../../../alerts/alerting.ts';
import { type Matcher, matchesAll, parseMatchers } from '../../../alerts/route/matcher.ts';
import { type Silence, silenceState } from '../../../alerts/silence/silence.ts';
import type { Clock } from '../../../core/clock.ts';
import { AppError, errorText } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { renderAlertmanagerConfig } from './render-config.ts';
import { AlertsQuerySchema, PostableAlertsSchema, PostableSilenceSchema, SilenceParamsSchema, SilencesQuerySchema } from './schemas.ts';
import { gettableAlert, gettableSilence, postedAlerts, silenceRequest } from './shapes.ts';

export interface AlertmanagerServices {
	readonly alerting: Alerting;
	readonly clock: Clock;
	readonly log: Logger;
	readonly version: string;
	/** Called after a silence was made, changed or ended, for the operations log. */
	readonly onSilence?: (change: { readonly request: unknown; readonly action: 'set' | 'expire'; readonly id: string }) => Promise<void>;
}

type AlertsQuery = Static<typeof AlertsQuerySchema>;

/** Ten thousand alerts with Chinese annotations. */
const ALERTS_BODY_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * Alertmanager's API version 2 (github.com/prometheus/alertmanager, api/v2/openapi.yaml), so that Prometheus, vmalert and
 * amtool take the collector for one. Errors are JSON strings, as its clients decode them.
 */
export async function registerAlertmanagerRoutes(app: FastifyInstance, services: AlertmanagerServices): Promise<void> {
	const { alerting, clock } = services;
	const startedAt = new Date(clock.now()).toISOString();
	const shown = async (silence: Silence, nowMs: number) =>
		gettableSilence(silence, nowMs, {
			hidden: await alerting.history.silencePrice(silence, nowMs),
			next: alerting.silences.next(silence.id),
		});
	await app.register(async (scope) => {
		scope.setErrorHandler((error: unknown, request, reply) => {
			const status = statusOf(error);
			if (status === 401) reply.header('www-authenticate', 'Basic realm="fournines", charset="UTF-8"');
			if (status === 503) reply.header('retry-after', '5');
			if (status >= 500)
				services.log.error({ method: request.method, route: request.routeOptions.url, error: errorText(error) }, 'a request failed');
			const known = error instanceof AppError || status < 500;
			return reply
				.status(status)
				.type('application/json')
				.send(JSON.stringify(known ? errorText(error) : 'an internal error; the log says more'));
		});

		scope.get('/api/v2/status', async () => ({
			cluster: { status: 'disabled', peers: [] },
			config: { original: renderAlertmanagerConfig(alerting.config()) },
			uptime: startedAt,
			versionInfo: { branch: '', buildDate: '', buildUser: '', goVersion: '', revision: '', version: services.version },
		}));

		scope.get('/api/v2/receivers', async () => alerting.config().receivers.map(({ name }) => ({ name })));

		scope.get<{ Querystring: AlertsQuery }>('/api/v2/alerts', { schema: { querystring: AlertsQuerySchema } }, async (request) => {
			const wanted = alertFilter(request.query);
			const receiver = receiverFilter(request.query.receiver);
			return alerting
				.alerts()
				.filter((status) => wanted(status) && status.receivers.some(receiver))
				.sort((a, b) => (a.alert.fingerprint < b.alert.fingerprint ? -1 : 1))
				.map((status) => gettableAlert(status));
		});

		scope.post<{ Body: Static<typeof PostableAlertsSchema> }>(
			'/api/v2/alerts',
			{ schema: { body: PostableAlertsSchema }, bodyLimit: ALERTS_BODY_LIMIT_BYTES },
			async (request, reply) => {
				await alerting.receive(postedAlerts(request.body, clock.now()));
				return reply.status(200).send();
			},
		);

		scope.get<{ Querystring: AlertsQuery }>('/api/v2/alerts/groups', { schema: { querystring: AlertsQuerySchema } }, async (request) => {
			const wanted = alertFilter(request.query);
			const receiver = receiverFilter(request.query.receiver);
			return alerting
				.groups()
				.filter((group) => receiver(group.receiver))
				.map((group) => ({ ...group, alerts: group.alerts.filter(wanted) }))
				.filter((group) => group.alerts.length > 0)
				.sort((a, b) => (a.groupKey < b.groupKey ? -1 : 1))
				.map(gettableGroup);
		});

		scope.get<{ Querystring: Static<typeof SilencesQuerySchema> }>(
			'/api/v2/silences',
			{ schema: { querystring: SilencesQuerySchema } },
			async (request) => {
				const matchers = matchersOf(request.query.filter);
				const creators = listOf(request.query.creator);
				const nowMs = clock.now();
				const wanted = alerting.silences
					.list()
					.filter((silence) => matchesAll(matchers, Object.fromEntries(silence.matchers.map(({ name, value }) => [name, value]))))
					.filter((silence) => creators.length === 0 || creators.includes(silence.createdBy))
					.sort((a, b) => STATE_ORDER[silenceState(a, nowMs)] - STATE_ORDER[silenceState(b, nowMs)] || a.endsAtMs - b.endsAtMs);
				return Promise.all(wanted.map((silence) => shown(silence, nowMs)));
			},
		);

		scope.post<{ Body: Static<typeof PostableSilenceSchema> }>(
			'/api/v2/silences',
			{ schema: { body: PostableSilenceSchema } },
			async (request) => {
				const id = await alerting.silences.set(silenceRequest(request.body));
				await services.onSilence?.({ request, action: 'set', id });
				return { silenceID: id };
			},
		);

		scope.get<{ Params: { id: string } }>('/api/v2/silence/:id', { schema: { params: SilenceParamsSchema } }, async (request) => {
			const silence = alerting.silences.get(request.params.id);
			if (silence === undefined)
				throw new AppError('FN_ALERTS_SILENCE_UNKNOWN', `there is no silence ${request.params.id}`, { status: 404 });
			return shown(silence, clock.now());
		});

		scope.delete<{ Params: { id: string } }>('/api/v2/silence/:id', { schema: { params: SilenceParamsSchema } }, async (request, reply) => {
			await alerting.silences.expire(request.params.id);
			await services.onSilence?.({ request, action: 'expire', id: request.params.id });
			return reply.status(200).send();
		});
	});
}

const STATE_ORDER = { active: 0, pending: 1, expired: 2 } as const;

function statusOf(error: unknown): number {
	if (error instanceof AppError) return error.status;
	if (typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number') return error.statusCode;
	return 500;
}

function gettableGroup(group: AlertGroupStatus) {
	return {
		alerts: group.alerts.map((status) => gettableAlert(status, [group.receiver])),
		labels: group.labels,
		receiver: { name: group.receiver },
	};
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
	if (value === undefined) return [];
	return typeof value === 'string' ? [value] : value;
}

function matchersOf(filter: string | readonly string[] | undefined): readonly Matcher[] {
	return listOf(filter).flatMap(parseMatchers);
}

function alertFilter(query: AlertsQuery): (status: AlertStatus) => boolean {
	const matchers = matchersOf(query.filter);
	return ({ alert, state, silencedBy, inhibitedBy }) => {
		if (query.active === 'false' && state === 'active') return false;
		if (query.silenced === 'false' && silencedBy.length > 0) return false;
		if (query.inhibited === 'false' && inhibitedBy.length > 0) return false;
		return matchesAll(matchers, alert.labels);
	};
}

function receiverFilter(expression: string | undefined): (name: string) => boolean {
	if (expression === undefined || expression === '') return () => true;
	try {
		const pattern = RE2JS.compile(`^(?:${expression})$`);
		return (name) => pattern.matcher(name).find();
	} catch (error) {
		throw new AppError('FN_ALERTS_MATCHER', `receiver: "${expression}" is not a valid RE2 expression`, { status: 400, cause: error });
	}
}
