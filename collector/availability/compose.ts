import type { ServiceState } from '../../protocol/api.ts';
import type { SecondSpan } from '../inventory/calendar.ts';
import { type Interval, sweep, type Timeline, TimelineBuilder } from './intervals.ts';

/** `redundancy`: good parts below which the state is degraded; all of them where it is not given. */
export type Combine = 'all' | 'any' | { readonly quorum: number; readonly redundancy?: number };

/** Worst first. */
const WORST: readonly ServiceState[] = ['down', 'unknown', 'degraded', 'up', 'excluded'];
const BEST: readonly ServiceState[] = ['up', 'degraded', 'unknown', 'down', 'excluded'];

/**
 * One timeline from several over the same window (docs/availability.md, rule 7): `all` takes the worst of
 * down > unknown > degraded > up, `any` the best child, `quorum(k)` counts and is unknown where unknown children could
 * decide it. No children: unknown throughout.
 */
export function combineTimelines(timelines: readonly Timeline[], combine: Combine, window: SecondSpan): Timeline {
	const builder = new TimelineBuilder(window.from, window.to);
	if (timelines.length === 1) return timelines[0] as Timeline;
	sweep(timelines, (_from, to, current) => {
		const deciding =
			typeof combine === 'object'
				? decideQuorum(current, combine.quorum, combine.redundancy)
				: pick(current, combine === 'all' ? WORST : BEST);
		builder.until(to, deciding.state, deciding.reason, deciding.unconfirmed);
	});
	builder.until(window.to, 'unknown', 'no data');
	return builder.build();
}

type Verdict = Pick<Interval, 'state' | 'reason' | 'unconfirmed'>;

function pick(current: readonly Interval[], order: readonly ServiceState[]): Verdict {
	for (const state of order) {
		const holders = current.filter((interval) => interval.state === state);
		if (holders.length === 0) continue;
		return {
			state,
			reason: reasons(holders),
			unconfirmed: state !== 'down' && state !== 'unknown' && current.some((interval) => interval.unconfirmed),
		};
	}
	return { state: 'unknown', reason: 'no data', unconfirmed: false };
}

function decideQuorum(all: readonly Interval[], quorum: number, redundancy = all.length): Verdict {
	const current = all.filter((interval) => interval.state !== 'excluded');
	if (current.length === 0) return { state: 'excluded', reason: reasons(all), unconfirmed: false };
	const good = current.filter((interval) => interval.state === 'up' || interval.state === 'degraded');
	const unknown = current.filter((interval) => interval.state === 'unknown');
	const bad = current.filter((interval) => interval.state === 'down');
	if (good.length >= quorum) {
		// A part that has not been created yet, or is gone for good, is not missed.
		const wanted = Math.min(redundancy, current.length);
		const lost = good.length < wanted;
		const weakened = lost || good.filter((interval) => interval.state === 'up').length < Math.min(wanted, good.length);
		const missing = reasons(current.filter((interval) => interval.state !== 'up'));
		return {
			state: weakened ? 'degraded' : 'up',
			reason: weakened ? (lost ? joinReasons([`redundancy lost: ${good.length} of ${wanted}`, missing]) : missing) : '',
			unconfirmed: good.some((interval) => interval.unconfirmed),
		};
	}
	if (good.length + unknown.length >= quorum) return { state: 'unknown', reason: reasons(unknown), unconfirmed: false };
	return { state: 'down', reason: reasons(bad), unconfirmed: false };
}

/** One vantage point's view of one check. */
export interface VantageView {
	readonly vantage: string;
	readonly timeline: Timeline;
	/** Its declared reference target over the same window, where it has one. */
	readonly reference?: Timeline;
}

/**
 * A vantage point's `down` while its own reference target is down says nothing about the check and becomes unknown, but only where
 * another vantage point reports: a single one is believed whatever happens to its reference.
 */
export function setAside(views: readonly VantageView[], window: SecondSpan): readonly Timeline[] {
	return views.map(({ vantage, timeline, reference }) => {
		if (reference === undefined || views.length < 2 || !timeline.some(({ state }) => state === 'down')) return timeline;
		const others = views.filter((view) => view.vantage !== vantage).map((view) => view.timeline);
		const builder = new TimelineBuilder(window.from, window.to);
		sweep([timeline, reference, ...others], (_from, to, [own, ref, ...rest]) => {
			if (own === undefined || ref === undefined) return;
			const aside = own.state === 'down' && ref.state === 'down' && rest.some(({ state }) => state !== 'unknown');
			if (aside) builder.until(to, 'unknown', `set aside: ${vantage}`);
			else builder.until(to, own.state, own.reason, own.unconfirmed);
		});
		return builder.build();
	});
}

/**
 * Several vantage points on one check: down when more than half of those that report say so, unknown when none reports.
 */
export function combineVantages(timelines: readonly Timeline[], window: SecondSpan): Timeline {
	if (timelines.length === 1) return timelines[0] as Timeline;
	const builder = new TimelineBuilder(window.from, window.to);
	sweep(timelines, (_from, to, current) => {
		const reporting = current.filter((interval) => interval.state !== 'unknown');
		const down = reporting.filter((interval) => interval.state === 'down');
		if (reporting.length === 0) builder.until(to, 'unknown', reasons(current));
		else if (down.length * 2 > reporting.length) builder.until(to, 'down', reasons(down));
		else {
			const rest = pick(
				reporting.filter((interval) => interval.state !== 'down'),
				WORST,
			);
			builder.until(to, rest.state, rest.reason, rest.unconfirmed || down.length > 0);
		}
	});
	return builder.build();
}

/** Takes spans out of the count, whatever the state in them; applied last. Spans may overlap and are clipped to the window. */
export function exclude(timeline: Timeline, spans: readonly (SecondSpan & { readonly reason: string })[]): Timeline {
	const first = timeline[0];
	const last = timeline.at(-1);
	if (first === undefined || last === undefined) return timeline;
	const mask = new TimelineBuilder(first.from, last.to);
	for (const span of [...spans].sort((a, b) => a.from - b.from)) {
		mask.until(span.from, 'up', '');
		mask.until(span.to, 'excluded', span.reason);
	}
	mask.until(last.to, 'up', '');
	const builder = new TimelineBuilder(first.from, last.to);
	sweep([mask.build(), timeline], (_from, to, [cover, below]) => {
		if (cover === undefined || below === undefined) return;
		if (cover.state === 'excluded') builder.until(to, 'excluded', cover.reason);
		else builder.until(to, below.state, below.reason, below.unconfirmed);
	});
	return builder.build();
}

/** Gives unknown time inside `spans` a cause. Neither states nor other intervals change. */
export function explainUnknown(timeline: Timeline, spans: readonly SecondSpan[], reason: string): Timeline {
	const first = timeline[0];
	const last = timeline.at(-1);
	if (first === undefined || last === undefined || spans.length === 0) return timeline;
	const cover = exclude(
		[{ from: first.from, to: last.to, state: 'up', reason: '', unconfirmed: false }],
		spans.map((span) => ({ ...span, reason })),
	);
	const builder = new TimelineBuilder(first.from, last.to);
	sweep([cover, timeline], (_from, to, [cause, below]) => {
		if (cause === undefined || below === undefined) return;
		const explained = below.state === 'unknown' && cause.state === 'excluded' ? reason : below.reason;
		builder.until(to, below.state, explained, below.unconfirmed);
	});
	return builder.build();
}

function reasons(intervals: readonly Interval[]): string {
	return joinReasons(intervals.map((interval) => interval.reason));
}

/** All parts of several reasons, sorted, each once. */
function joinReasons(reasons: readonly string[]): string {
	return [...new Set(reasons.flatMap((reason) => (reason === '' ? [] : reason.split('; '))))].sort().join('; ');
}
