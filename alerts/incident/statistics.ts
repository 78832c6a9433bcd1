import type { IncidentStatisticsAnswer } from '../../protocol/incident-api.ts';
import type { Incident } from './incident.ts';

/** Drills are rehearsals and do not count. Leaving out what nobody took would reward whoever answers nothing. */
export function incidentStatistics(incidents: readonly Incident[], nowMs: number): IncidentStatisticsAnswer {
	const counted = incidents.filter(({ source }) => source.kind !== 'drill');
	const toAcknowledge = counted.map(
		({ openedAtMs, acknowledgedAtMs, resolvedAtMs }) => (acknowledgedAtMs ?? resolvedAtMs ?? nowMs) - openedAtMs,
	);
	const toResolve = counted.map(({ openedAtMs, resolvedAtMs }) => (resolvedAtMs ?? nowMs) - openedAtMs);
	const acknowledged = counted.filter(({ acknowledgedAtMs }) => acknowledgedAtMs !== null).length;
	return {
		count: counted.length,
		acknowledged,
		neverTaken: counted.length - acknowledged,
		open: counted.filter(({ state }) => state !== 'resolved').length,
		mttaMs: mean(toAcknowledge),
		medianToAcknowledgeMs: median(toAcknowledge),
		mttrMs: mean(toResolve),
	};
}

function mean(values: readonly number[]): number | null {
	return values.length === 0 ? null : Math.round(values.reduce((sum, value) => sum + value, 0) / values.length);
}

function median(values: readonly number[]): number | null {
	if (values.length === 0) return null;
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	const upper = sorted[middle] ?? 0;
	return sorted.length % 2 === 1 ? upper : Math.round(((sorted[middle - 1] ?? 0) + upper) / 2);
}
