import type { SecondSpan } from '../inventory/calendar.ts';
import { explainUnknown } from './compose.ts';
import type { Timeline } from './intervals.ts';

/** What is known about a window beside the checks themselves. All spans are ascending and do not touch. */
export interface SilenceFacts {
	/** This collector was not running. */
	readonly collectorGaps: readonly SecondSpan[];
	/** By host: its agent delivered nothing. A host that is missing here has no agent that is known. */
	readonly agentGaps: ReadonlyMap<string, readonly SecondSpan[]>;
	/** By host: what a check of the host from elsewhere says. */
	readonly hostStates: ReadonlyMap<string, Timeline>;
	/** By host: its zone and the spans in which all agents of the zone were silent; only where the zone has several. */
	readonly zoneGaps: ReadonlyMap<string, { readonly zone: string; readonly gaps: readonly SecondSpan[] }>;
}

/**
 * Gives the unknown time of one vantage point's check its cause (docs/availability.md, rule 3); states do not change. The stronger
 * explanation wins: agent silent < agent dead < host dead < network cut < collector down. A silent agent whose collector was down,
 * or whose whole zone fell silent, says nothing about its host.
 */
export function explainSilence(timeline: Timeline, vantage: string, facts: SilenceFacts): Timeline {
	let explained = timeline;
	const gaps = facts.agentGaps.get(vantage) ?? [];
	if (gaps.length > 0) {
		explained = explainUnknown(explained, gaps, `agent silent: ${vantage}`);
		const host = facts.hostStates.get(vantage) ?? [];
		for (const [state, cause] of [
			['up', 'agent dead'],
			['down', 'host dead'],
		] as const)
			explained = explainUnknown(
				explained,
				intersect(
					gaps,
					host.filter((interval) => interval.state === state),
				),
				`${cause}: ${vantage}`,
			);
		const zone = facts.zoneGaps.get(vantage);
		if (zone !== undefined) explained = explainUnknown(explained, intersect(gaps, zone.gaps), `network cut: ${zone.zone}`);
	}
	return explainUnknown(explained, facts.collectorGaps, 'collector down');
}

/** What two lists of ascending spans have in common. */
export function intersect(a: readonly SecondSpan[], b: readonly SecondSpan[]): readonly SecondSpan[] {
	const common: SecondSpan[] = [];
	let i = 0;
	let j = 0;
	while (i < a.length && j < b.length) {
		const left = a[i] as SecondSpan;
		const right = b[j] as SecondSpan;
		const from = Math.max(left.from, right.from);
		const to = Math.min(left.to, right.to);
		if (from < to) common.push({ from, to });
		if (left.to < right.to) i++;
		else j++;
	}
	return common;
}

/** Spans of the window without a beat; a beat speaks for `holdMs`. `times` in milliseconds, any order. */
export function gapsBetween(times: readonly number[], window: SecondSpan, holdMs: number): readonly SecondSpan[] {
	const gaps: SecondSpan[] = [];
	let aliveUntil = window.from * 1000;
	for (const time of [...[...times].sort((a, b) => a - b), window.to * 1000]) {
		if (time > aliveUntil) gaps.push({ from: Math.ceil(aliveUntil / 1000), to: Math.floor(Math.min(time, window.to * 1000) / 1000) });
		aliveUntil = Math.max(aliveUntil, time + holdMs);
	}
	return gaps.filter((gap) => gap.to > gap.from);
}
