import { fingerprint, labelsFromObject } from '../core/labels.ts';
import { type PostedAlert, SEVERITIES } from '../protocol/alert.ts';

/** An alert as the pipeline keeps it. One per label set; a new firing after a resolution is a new episode of the same alert. */
export interface Alert {
	readonly fingerprint: string;
	readonly labels: Readonly<Record<string, string>>;
	readonly annotations: Readonly<Record<string, string>>;
	readonly startsAtMs: number;
	/** It counts as resolved from this moment on unless it is posted again before. */
	readonly expiresAtMs: number;
	/** When it ended; `null` while it fires. */
	readonly resolvedAtMs: number | null;
	/** When the first post of this episode arrived. */
	readonly receivedAtMs: number;
	readonly updatedAtMs: number;
	readonly generatorUrl: string;
	/** Why nobody was told: `silence:<id>`, `inhibited:<fingerprint>`, or `''`. Kept so that what was hidden stays on record. */
	readonly mutedBy: string;
}

/**
 * An open alert in the dispatcher's hands. Evaluators post what fires every few seconds, so a mere repetition moves these two
 * in place: of ten thousand alerts, a copy for each post would be what the process consists of.
 */
export interface KeptAlert extends Alert {
	expiresAtMs: number;
	updatedAtMs: number;
}

export type AlertChange = 'fired' | 'refired' | 'changed' | 'extended' | 'resolved' | 'unchanged';

export interface MergedAlert {
	/** The same object as before when the change is `extended` or `unchanged`. */
	readonly alert: Alert;
	readonly change: AlertChange;
}

export interface PostContext {
	readonly fingerprint: string;
	readonly nowMs: number;
	readonly resolveTimeoutMs: number;
}

/** Until when an alert counts as firing that is posted now. */
export function expiryOf(posted: PostedAlert, { nowMs, resolveTimeoutMs }: Pick<PostContext, 'nowMs' | 'resolveTimeoutMs'>): number {
	return posted.endsAtMs ?? nowMs + resolveTimeoutMs;
}

/**
 * What a post does to what is known. A resolution of something older than the present episode, and the repetition of a
 * resolution, change nothing; a firing post after a resolution opens a new episode.
 */
export function mergeAlert(existing: Alert | null, posted: PostedAlert, context: PostContext): MergedAlert {
	const { nowMs } = context;
	if (existing !== null && repeats(existing, posted, nowMs)) return { alert: existing, change: 'extended' };
	const fresh: Alert = {
		fingerprint: context.fingerprint,
		labels: posted.labels,
		annotations: posted.annotations,
		startsAtMs: posted.startsAtMs,
		expiresAtMs: expiryOf(posted, context),
		resolvedAtMs: null,
		receivedAtMs: nowMs,
		updatedAtMs: nowMs,
		generatorUrl: posted.generatorUrl,
		mutedBy: '',
	};
	if (posted.endsAtMs !== null && posted.endsAtMs <= nowMs) {
		const resolved = { ...fresh, resolvedAtMs: posted.endsAtMs };
		if (existing === null) return { alert: resolved, change: 'resolved' };
		if (existing.resolvedAtMs !== null) {
			return posted.startsAtMs > existing.resolvedAtMs ? { alert: resolved, change: 'resolved' } : { alert: existing, change: 'unchanged' };
		}
		// A resolution that arrives late speaks of the episode before; one without a start of its own speaks of the present one.
		if (posted.endsAtMs < existing.startsAtMs && posted.startsAtMs < posted.endsAtMs) return { alert: existing, change: 'unchanged' };
		const startsAtMs = posted.endsAtMs < existing.startsAtMs ? existing.startsAtMs : Math.min(existing.startsAtMs, posted.startsAtMs);
		const resolvedAtMs = Math.max(posted.endsAtMs, startsAtMs);
		return { alert: { ...resolved, ...continued(existing, posted), startsAtMs, resolvedAtMs }, change: 'resolved' };
	}
	if (existing === null) return { alert: fresh, change: 'fired' };
	if (existing.resolvedAtMs !== null) return { alert: fresh, change: 'refired' };
	return { alert: { ...fresh, labels: existing.labels, ...continued(existing, posted) }, change: 'changed' };
}

/** It fires on, and only its life becomes longer. */
function repeats(existing: Alert, posted: PostedAlert, nowMs: number): boolean {
	if (existing.resolvedAtMs !== null || (posted.endsAtMs !== null && posted.endsAtMs <= nowMs)) return false;
	if (posted.startsAtMs < existing.startsAtMs || posted.generatorUrl !== existing.generatorUrl) return false;
	return sameEntries(existing.annotations, posted.annotations);
}

function continued(existing: Alert, posted: PostedAlert) {
	return {
		startsAtMs: Math.min(existing.startsAtMs, posted.startsAtMs),
		receivedAtMs: existing.receivedAtMs,
		mutedBy: existing.mutedBy,
	};
}

function sameEntries(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
	const names = Object.keys(a);
	return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

export function fingerprintOf(labels: Readonly<Record<string, string>>): string {
	return fingerprint(labelsFromObject(labels));
}

export function isFiring(alert: Alert, nowMs: number): boolean {
	return alert.resolvedAtMs === null && alert.expiresAtMs > nowMs;
}

/** 0 is the most severe; a severity that is not ours comes after ours. */
export function severityRank(labels: Readonly<Record<string, string>>): number {
	const rank = (SEVERITIES as readonly string[]).indexOf(labels['severity'] ?? '');
	return rank === -1 ? SEVERITIES.length : rank;
}

/** Most severe first, then the oldest, then by fingerprint so that the order never depends on arrival. */
export function compareAlerts(a: Alert, b: Alert): number {
	return severityRank(a.labels) - severityRank(b.labels) || a.startsAtMs - b.startsAtMs || (a.fingerprint < b.fingerprint ? -1 : 1);
}
