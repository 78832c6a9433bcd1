import { labelsKey, withLabel, withoutName } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import { type ActiveAlert, advanceAlerts, newAlert } from './alert-state.ts';
import type { AlertingDefinition } from './rule-file.ts';

/** One time that an alert would have fired. */
export interface Firing {
	readonly labels: Labels;
	readonly fromMs: number;
	/** `null`: it still fires at the end. */
	readonly toMs: number | null;
}

/** The part of a rule that decides when it fires. */
export type ReplayedRule = Pick<AlertingDefinition, 'name' | 'query' | 'forMs' | 'keepFiringForMs' | 'labels'>;

export interface ReplaySeries {
	readonly labels: Labels;
	/** Ascending, each on the grid that was asked for. */
	readonly timestamps: ArrayLike<number>;
	readonly values: ArrayLike<number>;
}

/** Evaluates an expression at `startMs`, `startMs + stepMs`, … up to `endMs`, at most `MAX_POINTS` of them. */
export type RangeSource = (query: string, startMs: number, endMs: number, stepMs: number) => Promise<readonly ReplaySeries[]>;

export interface ReplayOptions {
	readonly ranges: RangeSource;
	readonly fromMs: number;
	readonly toMs: number;
	readonly stepMs: number;
}

/** Points that are asked for at once; the most that a range query gives. */
const POINTS = 10_000;

/**
 * When the rule would have fired, in order of time. It is evaluated every `stepMs` with the ruler's own state machine, as if it
 * had been loaded at `fromMs`. Labels are those of the series and the rule's own where they are not templates.
 */
export async function replayRule(rule: ReplayedRule, options: ReplayOptions): Promise<readonly Firing[]> {
	const { fromMs, toMs, stepMs, ranges } = options;
	const firings: Firing[] = [];
	const active = new Map<string, ActiveAlert>();
	for (let startMs = fromMs; startMs <= toMs; startMs += POINTS * stepMs) {
		const endMs = Math.min(startMs + (POINTS - 1) * stepMs, toMs);
		const cursors = (await ranges(rule.query, startMs, endMs, stepMs)).map((series) => ({ series, next: 0 }));
		for (let timeMs = startMs; timeMs <= endMs; timeMs += stepMs) {
			const current = new Map<string, ActiveAlert>();
			for (const cursor of cursors) {
				const { timestamps, values, labels } = cursor.series;
				if (timestamps[cursor.next] !== timeMs) continue;
				const own = alertLabels(labels, rule);
				current.set(labelsKey(own), newAlert(own, {}, values[cursor.next] ?? Number.NaN, timeMs));
				cursor.next += 1;
			}
			if (current.size > 0 || active.size > 0) advance(active, current, { rule, timeMs, firings });
		}
	}
	for (const alert of active.values())
		if (alert.state === 'firing') firings.push({ labels: alert.labels, fromMs: alert.firedAtMs ?? toMs, toMs: null });
	return firings.sort((a, b) => a.fromMs - b.fromMs);
}

function advance(
	active: Map<string, ActiveAlert>,
	current: ReadonlyMap<string, ActiveAlert>,
	place: { readonly rule: ReplayedRule; readonly timeMs: number; readonly firings: Firing[] },
): void {
	const { rule, timeMs, firings } = place;
	advanceAlerts(active, current, { forMs: rule.forMs, keepFiringForMs: rule.keepFiringForMs, timeMs });
	for (const [key, alert] of active) {
		if (alert.state !== 'inactive') continue;
		firings.push({ labels: alert.labels, fromMs: alert.firedAtMs ?? timeMs, toMs: alert.resolvedAtMs ?? timeMs });
		active.delete(key);
	}
}

function alertLabels(labels: Labels, rule: ReplayedRule): Labels {
	let own = withoutName(labels);
	for (const [name, text] of Object.entries(rule.labels)) if (!text.includes('{{')) own = withLabel(own, name, text);
	return withLabel(own, 'alertname', rule.name);
}

export interface ReplaySummary {
	readonly count: number;
	readonly totalMs: number;
	readonly longestMs: number;
}

/** `endMs`: until when a firing that goes on counts. */
export function summarise(firings: readonly Firing[], endMs: number): ReplaySummary {
	const lengths = firings.map(({ fromMs, toMs }) => (toMs ?? endMs) - fromMs);
	return {
		count: firings.length,
		totalMs: lengths.reduce((sum, length) => sum + length, 0),
		longestMs: lengths.reduce((longest, length) => Math.max(longest, length), 0),
	};
}

export interface ReplayDifference {
	/** Firings of the proposed rule during which the present one is silent throughout, for series of the same labels. */
	readonly added: readonly Firing[];
	/** The other way round. */
	readonly removed: readonly Firing[];
}

export function compareFirings(proposed: readonly Firing[], present: readonly Firing[], endMs: number): ReplayDifference {
	const without = (some: readonly Firing[], others: readonly Firing[]) =>
		some.filter((one) => !others.some((other) => sameSubject(one, other) && overlap(one, other, endMs)));
	return { added: without(proposed, present), removed: without(present, proposed) };
}

/** Severity and the like may be what the proposal changes. */
function sameSubject(a: Firing, b: Firing): boolean {
	return subject(a.labels) === subject(b.labels);
}

function subject(labels: Labels): string {
	return labelsKey(withLabel(withLabel(labels, 'severity', ''), 'team', ''));
}

function overlap(a: Firing, b: Firing, endMs: number): boolean {
	return a.fromMs <= (b.toMs ?? endMs) && b.fromMs <= (a.toMs ?? endMs);
}
