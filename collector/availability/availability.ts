import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { monthOf, monthRange } from '../../core/zone-time.ts';
import type { AvailabilityFigures, ServiceStatus } from '../../protocol/api.ts';
import { outsideHours, type SecondSpan } from '../inventory/calendar.ts';
import type { InventoryConfig, ServiceConfig } from '../inventory/config.ts';
import type { Queryable } from '../storage/storage.ts';
import { readCheck, readCollectorGaps, rulesOf } from './check-reader.ts';
import { type CheckRules, contextMs } from './check-timeline.ts';
import { combineTimelines, exclude, explainUnknown } from './compose.ts';
import { availabilityFigures, countSeconds } from './figures.ts';
import { type Interval, type Timeline, TimelineBuilder } from './intervals.ts';

export interface ServiceLedger {
	readonly service: ServiceConfig;
	readonly window: SecondSpan;
	readonly timeline: Timeline;
	readonly figures: AvailabilityFigures;
	/** From here on a confirmation or a late sample can still change a state. */
	readonly provisionalFrom: number;
}

export interface Availability {
	/**
	 * The ledger of a service over `[fromMs, toMs)`, whole seconds, the future left out. `periodToMs` is the end of the
	 * period whose budget is meant (an open month goes on after `toMs`). Throws `FN_SERVICE_UNKNOWN`, `FN_RANGE_INVALID`.
	 */
	ledger(serviceId: string, range: LedgerRange, signal?: AbortSignal): Promise<ServiceLedger>;
	/** Every service now, with the figures of the current month so far; computed at most every few seconds. */
	statuses(): Promise<readonly ServiceStatus[]>;
	/** Stored checks of this time or later have changed: forget what was computed from them. */
	invalidate(fromMs: number): void;
}

export interface LedgerRange {
	readonly fromMs: number;
	readonly toMs: number;
	readonly periodToMs?: number;
}

const DAY_SECONDS = 86_400;
/** Days of checks kept computed; a day of one check is a handful of intervals. */
const CACHED_DAYS = 20_000;
const STATUS_AGE_MS = 5000;
const LONGEST_RANGE_MS = 3 * 366 * 86_400_000;

export function createAvailability(options: {
	readonly queryable: Queryable;
	readonly inventory: () => InventoryConfig;
	readonly clock: Clock;
}): Availability {
	const { queryable, inventory, clock } = options;
	const days = new Map<string, Timeline>();
	let statuses: { readonly atMs: number; readonly result: Promise<readonly ServiceStatus[]> } | null = null;

	/** A check over the window, day by day, so that days which cannot change any more are computed once. */
	const checkOver = async (rules: CheckRules, window: SecondSpan, signal?: AbortSignal): Promise<Timeline> => {
		const settledBefore = Math.floor((clock.now() - contextMs(rules)) / 1000);
		const parts: Interval[] = [];
		for (let day = Math.floor(window.from / DAY_SECONDS) * DAY_SECONDS; day < window.to; day += DAY_SECONDS) {
			const span = { from: Math.max(day, window.from), to: Math.min(day + DAY_SECONDS, window.to) };
			if (day + DAY_SECONDS > settledBefore) {
				parts.push(...(await readCheck(queryable, rules, span, signal)));
				continue;
			}
			const key = `${day} ${JSON.stringify(rules)}`;
			let timeline = days.get(key);
			if (timeline === undefined) {
				timeline = await readCheck(queryable, rules, { from: day, to: day + DAY_SECONDS }, signal);
				if (days.size >= CACHED_DAYS) days.clear();
				days.set(key, timeline);
			}
			parts.push(...clip(timeline, span));
		}
		return join(parts, window);
	};

	const timelineOf = async (service: ServiceConfig, window: SecondSpan, signal?: AbortSignal): Promise<Timeline> => {
		const config = inventory();
		const parts: Timeline[] = [];
		for (const id of service.checks) {
			const check = config.checks.find((candidate) => candidate.id === id);
			if (check !== undefined) parts.push(await checkOver(rulesOf(check), window, signal));
		}
		for (const id of service.children) {
			const child = config.services.find((candidate) => candidate.id === id);
			// A child's own hours do not count here: rule 7 excludes last, by the calendar of the service that is asked about.
			if (child !== undefined) parts.push(await timelineOf(child, window, signal));
		}
		return combineTimelines(parts, service.combine, window);
	};

	const excludedSpans = (service: ServiceConfig, window: SecondSpan): readonly (SecondSpan & { readonly reason: string })[] => {
		const { calendars, zone } = inventory();
		const calendar = calendars.find((candidate) => candidate.id === service.calendar);
		if (calendar === undefined) return [];
		return outsideHours(calendar, window.from, window.to, zone).map((span) => ({ ...span, reason: 'calendar' }));
	};

	const ledger: Availability['ledger'] = async (serviceId, range, signal) => {
		const service = inventory().services.find((candidate) => candidate.id === serviceId);
		if (service === undefined) {
			throw new AppError(
				'FN_SERVICE_UNKNOWN',
				`there is no service "${serviceId}"; known: ${
					inventory()
						.services.map((known) => known.id)
						.join(', ') || 'none'
				}`,
				{ status: 404 },
			);
		}
		if (!(range.fromMs < range.toMs) || range.toMs - range.fromMs > LONGEST_RANGE_MS) {
			throw new AppError(
				'FN_RANGE_INVALID',
				`a ledger needs a beginning before its end and at most three years; given ${range.fromMs} to ${range.toMs}`,
				{ status: 400 },
			);
		}
		const nowSeconds = Math.floor(clock.now() / 1000);
		const from = Math.floor(range.fromMs / 1000);
		const window = { from, to: Math.max(from, Math.min(Math.floor(range.toMs / 1000), nowSeconds)) };
		const period = { from, to: Math.floor((range.periodToMs ?? range.toMs) / 1000) };
		const raw = window.to > window.from ? await timelineOf(service, window, signal) : [];
		const explained = raw.some((interval) => interval.state === 'unknown')
			? explainUnknown(raw, await readCollectorGaps(queryable, window, signal), 'collector down')
			: raw;
		const timeline = exclude(explained, excludedSpans(service, window));
		const agreedSecondsOfPeriod =
			period.to - period.from - excludedSpans(service, period).reduce((sum, span) => sum + span.to - span.from, 0);
		const figures = availabilityFigures(countSeconds(timeline), {
			fromSeconds: window.from,
			toSeconds: window.to,
			target: service.target,
			agreedSecondsOfPeriod,
		});
		const slowest = Math.max(0, ...inventory().checks.map((check) => contextMs(rulesOf(check))));
		return {
			service,
			window,
			timeline,
			figures,
			provisionalFrom: Math.max(window.from, Math.min(window.to, nowSeconds - Math.ceil(slowest / 1000))),
		};
	};

	const computeStatuses = async (): Promise<readonly ServiceStatus[]> => {
		const config = inventory();
		const nowMs = clock.now();
		const month = monthRange(monthOf(nowMs, config.zone), config.zone);
		if (month === null) return [];
		const result: ServiceStatus[] = [];
		for (const service of config.services) {
			const { timeline, figures } = await ledger(service.id, { fromMs: month.fromMs, toMs: nowMs, periodToMs: month.toMs });
			const last = timeline.at(-1);
			const checks: { id: string; state: ServiceStatus['state'] }[] = [];
			for (const id of service.checks) {
				const check = config.checks.find((candidate) => candidate.id === id);
				if (check === undefined) continue;
				const now = Math.floor(nowMs / 1000);
				const recent = await readCheck(queryable, rulesOf(check), { from: now - 1, to: now });
				checks.push({ id, state: recent.at(-1)?.state ?? 'unknown' });
			}
			result.push({
				id: service.id,
				name: service.name,
				core: service.core,
				state: last?.state ?? 'unknown',
				sinceMs: last === undefined ? null : beginningOf(timeline, last) * 1000,
				month: figures,
				checks,
			});
		}
		return result;
	};

	return {
		ledger,
		statuses: () => {
			const nowMs = clock.now();
			if (statuses === null || nowMs - statuses.atMs > STATUS_AGE_MS || nowMs < statuses.atMs) {
				const result = computeStatuses();
				statuses = { atMs: nowMs, result };
				// A failure must not be served for as long as a result would be.
				result.catch(() => {
					if (statuses?.result === result) statuses = null;
				});
			}
			return statuses.result;
		},
		invalidate: (fromMs) => {
			for (const key of days.keys())
				if ((Number(key.slice(0, key.indexOf(' '))) + DAY_SECONDS) * 1000 > fromMs - LATE_REACH_MS) days.delete(key);
			statuses = null;
		},
	};
}

/** A sample also decides about the outage it confirms, which may have begun the day before. */
const LATE_REACH_MS = DAY_SECONDS * 1000;

/** Neighbours that say the same become one: an outage does not end at midnight because its days were computed apart. */
function join(parts: readonly Interval[], window: SecondSpan): Timeline {
	const builder = new TimelineBuilder(window.from, window.to);
	for (const part of parts) builder.until(part.to, part.state, part.reason, part.unconfirmed);
	return builder.build();
}

function clip(timeline: Timeline, span: SecondSpan): readonly Interval[] {
	return timeline
		.filter((interval) => interval.to > span.from && interval.from < span.to)
		.map((interval) => ({ ...interval, from: Math.max(interval.from, span.from), to: Math.min(interval.to, span.to) }));
}

/** Where the run of the last state began, whatever its reasons were. */
function beginningOf(timeline: Timeline, last: Interval): number {
	let since = last.from;
	for (let i = timeline.length - 1; i >= 0; i--) {
		const interval = timeline[i] as Interval;
		if (interval.state !== last.state) break;
		since = interval.from;
	}
	return since;
}
