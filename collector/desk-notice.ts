import type { PostedAlert } from '../protocol/alert.ts';

/** A notice is an alert for the people on duty; it ends by itself when it is not repeated. */
const NOTICE_MS = 10 * 60_000;
const REPEATED_MS = 60_000;

/** Something that the desk reminds people of, as an alert that takes the same routes to them as every other one. */
export interface DeskNotice {
	readonly name: string;
	readonly severity: 'critical' | 'warning' | 'info';
	/** Account that answers for it; `''` where nobody does yet. */
	readonly owner: string;
	readonly service: string | null;
	readonly labels: Readonly<Record<string, string>>;
	readonly summary: string;
	readonly action: string;
	/** File under docs/runbooks. */
	readonly runbook: string;
	/** Repeated every few seconds while it holds: it ends soon after it was repeated last, instead of after ten minutes. */
	readonly repeated?: boolean;
	/** Since when; default: now. */
	readonly sinceMs?: number;
}

export function deskAlert(notice: DeskNotice, nowMs: number): PostedAlert {
	const { name, severity, owner, service, labels, summary, action, runbook } = notice;
	return {
		labels: {
			alertname: name,
			severity,
			team: 'ops',
			...(owner === '' ? {} : { owner }),
			...(service === null ? {} : { service }),
			...labels,
		},
		annotations: { summary, action, runbook_url: `docs/runbooks/${runbook}` },
		startsAtMs: notice.sinceMs ?? nowMs,
		endsAtMs: nowMs + (notice.repeated === true ? REPEATED_MS : NOTICE_MS),
		generatorUrl: '',
	};
}
