import type { Alerting } from '../alerts/alerting.ts';
import type { Clock } from '../core/clock.ts';
import { labelValue } from '../core/labels.ts';
import type { HostStatus, NotificationListAnswer, OpenAlert, OverviewAnswer } from '../protocol/api.ts';
import { type Labels, METRIC_NAME } from '../protocol/labels.ts';
import type { Availability } from './availability/availability.ts';
import type { Matcher, Queryable } from './storage/storage.ts';

/** An agent that has not delivered for this long counts as gone. */
const HOST_ALIVE_MS = 60_000;
/** Hosts that were last seen longer ago are not listed any more. */
const HOST_LISTED_MS = 86_400_000;

export interface OverviewSources {
	readonly availability: Availability;
	readonly alerting: Alerting;
	readonly queryable: Queryable;
	readonly clock: Clock;
	readonly version: string;
	readonly activeSeries: () => number;
}

export async function overview(sources: OverviewSources): Promise<OverviewAnswer> {
	const { clock } = sources;
	return {
		nowMs: clock.now(),
		version: sources.version,
		services: await sources.availability.statuses(),
		hosts: await hosts(sources),
		alerts: openAlerts(sources.alerting),
		activeSeries: sources.activeSeries(),
	};
}

const SEVERITY_ORDER = ['critical', 'warning', 'info'];

/** Worst first, then oldest. */
function openAlerts(alerting: Alerting): readonly OpenAlert[] {
	const rank = (alert: OpenAlert) => {
		const index = SEVERITY_ORDER.indexOf(alert.labels['severity'] ?? '');
		return index < 0 ? SEVERITY_ORDER.length : index;
	};
	return alerting
		.alerts()
		.map(({ alert, state }) => ({
			fingerprint: alert.fingerprint,
			labels: alert.labels,
			annotations: alert.annotations,
			startsAtMs: alert.startsAtMs,
			suppressed: state === 'suppressed',
		}))
		.sort((a, b) => rank(a) - rank(b) || a.startsAtMs - b.startsAtMs);
}

const LAST_PUSH = 'fournines_agent_last_push_timestamp_seconds';
const EXPECTED_DELAY = 'fournines_agent_expected_delay_seconds';

function named(metric: string): Matcher {
	return { name: METRIC_NAME, kind: '=', value: metric, test: (value) => value === metric, literals: [metric] };
}

async function hosts({ queryable, clock }: OverviewSources): Promise<readonly HostStatus[]> {
	const nowMs = clock.now();
	const fromMs = nowMs - HOST_LISTED_MS;
	const hostOf = (labels: Labels) => labelValue(labels, 'host') || labelValue(labels, 'instance');
	// What passes a gap device as files arrives minutes late, and its host is alive all the same.
	const delays = new Map<string, number>();
	for (const { labels, values } of await queryable.select([named(EXPECTED_DELAY)], fromMs, nowMs)) {
		delays.set(hostOf(labels), (values.at(-1) ?? 0) * 1000);
	}
	const byHost = new Map<string, HostStatus>();
	for (const { labels, timestamps } of await queryable.select([named(LAST_PUSH)], fromMs, nowMs)) {
		const lastPushMs = timestamps.at(-1);
		const host = hostOf(labels);
		if (lastPushMs === undefined || host === '') continue;
		if ((byHost.get(host)?.lastPushMs ?? 0) >= lastPushMs) continue;
		const alive = nowMs - lastPushMs <= HOST_ALIVE_MS + (delays.get(host) || 0);
		byHost.set(host, { host, system: labelValue(labels, 'system'), lastPushMs, alive });
	}
	return [...byHost.values()].sort((a, b) => (a.host < b.host ? -1 : 1));
}

export async function notificationList(alerting: Alerting, limit: number): Promise<NotificationListAnswer> {
	const records = await alerting.history.listNotifications({ limit });
	return {
		notifications: records.map(({ attempts, ...record }) => {
			const last = attempts.at(-1);
			return { ...record, attempts: attempts.length, lastCode: last?.code ?? '', lastReason: last?.reason ?? '', text: last?.text ?? '' };
		}),
	};
}
