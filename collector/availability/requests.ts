import { createHash } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { labelValue } from '../../core/labels.ts';
import type { RequestFigures } from '../../protocol/availability-api.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { SecondSpan } from '../inventory/calendar.ts';
import type { ServiceConfig } from '../inventory/config.ts';
import { type RequestExpressions, type RequestTerm, requestExpressions, requestTerms } from '../inventory/request-terms.ts';
import type { RequestsConfig } from '../inventory/requests-config.ts';
import type { Queryable } from '../storage/storage.ts';
import { openRequestDays, type RequestDays, type StoredRequestDay } from './request-days.ts';
import { requestFigures, wholeMinutes } from './request-figures.ts';
import {
	type CounterSamples,
	countRequests,
	DAY_MINUTES,
	type MinuteRow,
	minuteRows,
	REQUEST_HOLD_MS,
	REQUEST_REACH_MS,
	type RequestReading,
	type SignedCounter,
} from './request-minutes.ts';

const DAY_MS = 86_400_000;
/** Until an agent that delivers on time has delivered; what comes later is told by `suspect`. */
const SETTLED_MS = 2 * REQUEST_HOLD_MS;

export interface RequestLedger {
	readonly service: ServiceConfig;
	/** Names the counters that it was computed from. */
	readonly definition: string;
	readonly expressions: RequestExpressions;
	/** Before exclusion; minutes since the epoch. */
	readonly rows: readonly MinuteRow[];
	readonly figures: RequestFigures;
}

export interface Requests {
	/** Good and all requests of a service over the whole minutes of the window; `null` for one that names none. */
	ledger(
		service: ServiceConfig,
		window: SecondSpan,
		more: { readonly exclusions: readonly SecondSpan[]; readonly signal?: AbortSignal },
	): Promise<RequestLedger | null>;
	/** Samples of the span have come late or were deleted. */
	invalidate(fromMs: number, toMs: number): void;
}

/** The request-based SLI: counted from stored samples, day by day, finished days kept. */
export function createRequests(options: {
	readonly queryable: Pick<Queryable, 'select'>;
	readonly clock: Clock;
	/** Where finished days are kept. Default: in memory. */
	readonly days?: RequestDays;
	/** Called for each day that had to be counted. */
	readonly onCounted?: (day: number) => void;
}): Requests {
	const { queryable, clock } = options;
	const days = options.days ?? openRequestDays(null);

	const count = async (expressions: RequestExpressions, day: number, signal?: AbortSignal): Promise<readonly MinuteRow[]> => {
		options.onCounted?.(day);
		return minuteRows(countRequests(await read(queryable, expressions, day, signal), day));
	};

	const dayRows = async (
		expressions: RequestExpressions,
		at: { readonly day: number; readonly stored: StoredRequestDay | undefined; readonly signal?: AbortSignal },
	): Promise<{ readonly rows: readonly MinuteRow[]; readonly fresh: boolean }> => {
		const { day, stored, signal } = at;
		if (stored !== undefined && !stored.suspect) return { rows: stored.rows, fresh: false };
		const rows = await count(expressions, day, signal);
		// What was counted while the samples were there stands when they have gone.
		if (stored !== undefined && coveredSeconds(rows) < coveredSeconds(stored.rows)) return { rows: stored.rows, fresh: true };
		return { rows, fresh: (day + 1) * DAY_MS + SETTLED_MS <= clock.now() };
	};

	return {
		ledger: async (service, window, { exclusions, signal }) => {
			if (service.requests === undefined) return null;
			const expressions = requestExpressions(service.requests);
			const key = requestsKey(service.requests);
			const { from, to } = wholeMinutes(window);
			const firstDay = Math.floor(from / DAY_MINUTES);
			const endDay = Math.ceil(to / DAY_MINUTES);
			const watch = days.watch();
			const rows: MinuteRow[] = [];
			try {
				const stored = days.load(key, firstDay, endDay);
				const fresh = new Map<number, readonly MinuteRow[]>();
				for (let day = firstDay; day < endDay; day++) {
					const own = await dayRows(expressions, { day, stored: stored.get(day), ...(signal === undefined ? {} : { signal }) });
					if (own.fresh) fresh.set(day, own.rows);
					for (const row of own.rows) push(rows, row, day * DAY_MINUTES, { from, to });
				}
				if (fresh.size > 0) days.save(key, watch.untouched(fresh));
			} finally {
				watch.end();
			}
			return {
				service,
				definition: key,
				expressions,
				rows,
				figures: requestFigures(rows, { window, exclusions, target: service.target }),
			};
		},
		invalidate: (fromMs, toMs) => days.suspect(Math.floor(fromMs / DAY_MS), Math.floor(toMs / DAY_MS)),
	};
}

/** The same counters have the same key, whichever service names them. */
export function requestsKey(requests: RequestsConfig): string {
	return createHash('sha256')
		.update(JSON.stringify(requestExpressions(requests)))
		.digest('hex')
		.slice(0, 32);
}

function push(rows: MinuteRow[], row: MinuteRow, offset: number, clip: { readonly from: number; readonly to: number }): void {
	const [minute, count, ...values] = row;
	const from = Math.max(minute + offset, clip.from);
	const to = Math.min(minute + offset + count, clip.to);
	if (from < to) rows.push([from, to - from, ...values]);
}

function coveredSeconds(rows: readonly MinuteRow[]): number {
	return rows.reduce((sum, [, count, , , covered]) => sum + count * covered, 0);
}

async function read(
	queryable: Pick<Queryable, 'select'>,
	expressions: RequestExpressions,
	day: number,
	signal?: AbortSignal,
): Promise<RequestReading> {
	const select = async (term: RequestTerm): Promise<readonly SignedCounter[]> => {
		const series = await queryable.select(
			term.matchers,
			day * DAY_MS - REQUEST_REACH_MS,
			(day + 1) * DAY_MS + REQUEST_HOLD_MS,
			signal === undefined ? {} : { signal },
		);
		return series.map(({ labels, timestamps, values }) => ({
			sign: term.sign,
			samples: keep({ source: sourceOf(labels), times: timestamps, values }, isCount),
		}));
	};
	const terms = async (expression: string): Promise<readonly SignedCounter[]> => {
		const list: SignedCounter[] = [];
		for (const term of requestTerms(expression)) list.push(...(await select(term)));
		return list;
	};
	const total = await terms(expressions.total);
	const good = await terms(expressions.good);
	const alive =
		expressions.alive === null
			? total
			: (await terms(expressions.alive)).map(({ sign, samples }) => ({ sign, samples: keep(samples, (value) => value === 1) }));
	return { good, total, sources: readTimes(alive.map(({ samples }) => samples)) };
}

/** One agent's or exporter's counters come and go together. */
function sourceOf(labels: Labels): string {
	return ['job', 'instance', 'host'].map((name) => labelValue(labels, name)).join('\n');
}

function keep(samples: CounterSamples, wanted: (value: number) => boolean): CounterSamples {
	const { source, times, values } = samples;
	if (values.every(wanted)) return samples;
	const kept = [...times.keys()].filter((i) => wanted(values[i] as number));
	return {
		source,
		times: Float64Array.from(kept, (i) => times[i] as number),
		values: Float64Array.from(kept, (i) => values[i] as number),
	};
}

/** Stale markers and other NaN are no counts, and with an infinite one nothing could be added up. */
function isCount(value: number): boolean {
	return Number.isFinite(value);
}

function readTimes(series: readonly CounterSamples[]): ReadonlyMap<string, Float64Array> {
	const sets = new Map<string, Set<number>>();
	for (const { source, times } of series) {
		const own = sets.get(source) ?? new Set<number>();
		sets.set(source, own);
		for (const time of times) own.add(time);
	}
	return new Map([...sets].map(([source, times]) => [source, Float64Array.from(times).sort()] as const));
}
