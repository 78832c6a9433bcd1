import type { Duty } from '../../../alerts/duty.ts';
import { isExhausted } from '../../../alerts/escalation/chain.ts';
import { clockText, type FaultFacts, noticeText } from '../../../alerts/escalation/progress.ts';
import type { Incident } from '../../../alerts/incident/incident.ts';
import { type IncidentEvent, NOTICE_KINDS } from '../../../alerts/incident/incident-event.ts';
import { timeline } from '../../../alerts/incident/timeline.ts';
import type { NotificationHistory } from '../../../alerts/ports.ts';
import type { IncidentAnswer, IncidentDetailAnswer, NoticeAnswer } from '../../../protocol/incident-api.ts';

/** Alerts whose own record a timeline shows; the rest is counted. */
const ALERTS_SHOWN = 5;
const EVENTS_PER_ALERT = 50;
const MOST_MESSAGES = 500;

export function incidentAnswer(incident: Incident, duty: Duty): IncidentAnswer {
	const { chain, position, source } = incident;
	return {
		id: incident.id,
		number: incident.number,
		state: incident.state,
		source: source.kind,
		title: incident.title,
		severity: incident.severity,
		labels: incident.labels,
		startsAtMs: incident.startsAtMs,
		openedAtMs: incident.openedAtMs,
		acknowledgedAtMs: incident.acknowledgedAtMs,
		resolvedAtMs: incident.resolvedAtMs,
		owner: incident.owner === '' ? '' : duty.name(incident.owner),
		releaseAtMs: incident.releaseAtMs,
		nextCallAtMs:
			incident.state === 'open' && chain !== null && position !== null && !isExhausted(chain, position) ? position.dueAtMs : null,
		exhausted:
			incident.state === 'open' && chain !== null && position !== null && position.dueAtMs === null && isExhausted(chain, position),
		held: incident.held,
		policy: chain?.policy ?? '',
		firingCount: incident.firing.length,
		alertCount: incident.alertCount,
		fault: incident.fault,
		faultLevel: incident.faultLevel,
		called: incident.calls.map(({ name, atMs }) => ({ name, atMs })),
	};
}

export async function incidentDetail(
	incident: Incident,
	sources: {
		readonly events: readonly IncidentEvent[];
		readonly history: NotificationHistory;
		readonly duty: Duty;
		/** Of the fault that it belongs to, while that is not closed. */
		readonly fault: FaultFacts | null;
		readonly nowMs: number;
	},
): Promise<IncidentDetailAnswer> {
	const { events, history, duty, fault, nowMs } = sources;
	const { zone } = duty.plan.config;
	const ids = events.flatMap(({ body }) => (body.kind === 'told' ? body.notifications : [])).slice(0, MOST_MESSAGES);
	const shown = incident.shown.slice(0, ALERTS_SHOWN);
	const [deliveries, notifications, alertEvents] = await Promise.all([
		history.deliveries(incident.id),
		ids.length === 0 ? [] : history.listNotifications({ limit: MOST_MESSAGES, ids }),
		Promise.all(shown.map(({ fingerprint }) => history.listAlertEvents({ fingerprint, limit: EVENTS_PER_ALERT }))),
	]);
	const sender = incident.owner === '' ? '' : duty.name(incident.owner);
	return {
		incident: incidentAnswer(incident, duty),
		alerts: incident.shown.map(({ labels, annotations, startsAtMs, endsAtMs }) => ({
			summary: annotations['summary'] ?? labels['alertname'] ?? '',
			severity: labels['severity'] ?? '',
			labels,
			startsAtMs,
			endsAtMs,
			action: annotations['action'] ?? '',
			runbookUrl: annotations['runbook_url'] ?? '',
		})),
		timeline: timeline({
			incident,
			events,
			deliveries,
			notifications,
			// An alert has a life before and after; of it only what belongs to this incident.
			alertEvents: alertEvents
				.flat()
				.filter(({ atMs }) => atMs >= incident.openedAtMs - 60_000 && atMs <= (incident.resolvedAtMs ?? nowMs)),
			nameOf: (id) => duty.name(id),
		}),
		clock: fault === null ? '' : clockText(fault, nowMs, zone),
		notices: fault === null ? [] : NOTICE_KINDS.map((notice) => noticeAnswer(notice, fault, { events, nowMs, zone, sender })),
	};
}

function noticeAnswer(
	notice: NoticeAnswer['notice'],
	fault: FaultFacts,
	{
		events,
		nowMs,
		zone,
		sender,
	}: { readonly events: readonly IncidentEvent[]; readonly nowMs: number; readonly zone: string; readonly sender: string },
): NoticeAnswer {
	return {
		notice,
		text: noticeText(notice, fault, { nowMs, zone, sender }),
		tell: fault.tell,
		ticked: events.flatMap(({ atMs, actor, body }) =>
			body.kind === 'notice' && body.notice === notice ? [{ atMs, by: actor, told: body.told, channel: body.channel }] : [],
		),
	};
}
