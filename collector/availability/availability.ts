import type { Clock } from '../../core/clock.ts';
import { AppError, errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { monthOf, monthRange } from '../../core/zone-time.ts';
import type { AvailabilityFigures, ServiceStatus } from '../../protocol/api.ts';
import { closedSpans, type SecondSpan } from '../inventory/calendar.ts';
import type { InventoryConfig, ServiceConfig } from '../inventory/config.ts';
import { createEngine } from '../promql/engine.ts';
import type { Queryable } from '../storage/storage.ts';
import { readChecks } from './check-reader.ts';
import { exclude } from './compose.ts';
import { createMemoryDayStore, type DayStore } from './day-store.ts';
import { availabilityFigures, budget, countSeconds } from './figures.ts';
import type { Interval, Timeline } from './intervals.ts';
import { evaluateCondition } from './promql-sources.ts';
import type { RequestDays } from './request-days.ts';
import { createRequests, type RequestLedger } from './requests.ts';
import { serviceTimelines } from './service-days.ts';
import { outsideLife, reachSeconds, serviceTree, treeKey } from './service-tree.ts';

/** Time that is taken out of the count, and why; `reason` as in `causes.ts`. */
export interface Exclusion extends SecondSpan {
	readonly reason: string;
}

/** Whether it was taken out by a person; hours and life of a service follow from the inventory. */
export function isApproved({ reason }: Exclusion): boolean {
	return reason !== 'calendar' && reason !== 'not in service';
}

export interface ServiceLedger {
	readonly service: ServiceConfig;
	readonly window: SecondSpan;
	readonly timeline: Timeline;
	/** Before anything was excluded. */
	readonly gross: Timeline;
	/** What was taken out of the window; spans may overlap. */
	readonly exclusions: readonly Exclusion[];
	readonly figures: AvailabilityFigures;
	/** From here on a confirmation or a late sample can still change a state. */
	readonly provisionalFrom: number;
	/** Names the definition of the service that it was computed by. */
	readonly definition: string;
}

export interface Availability {
	/**
	 * The ledger of a service over `[fromMs, toMs)`, whole seconds, the future left out. `periodToMs` is the end of the
	 * period whose budget is meant (an open month goes on after `toMs`). Throws `FN_SERVICE_UNKNOWN`, `FN_RANGE_INVALID`, `FN_CALENDAR_YEAR`.
	 */
	ledger(serviceId: string, range: LedgerRange, signal?: AbortSignal): Promise<ServiceLedger>;
	/** Several services at once, all of them without `serviceIds`: every day of checks is read once for all. In the order of the inventory. */
	ledgers(range: LedgerRange, serviceIds?: readonly string[], signal?: AbortSignal): Promise<readonly ServiceLedger[]>;
	/** Good and all requests of a service that names them; `null` for one that does not. Never mixed with the time-based figures. */
	requests(serviceId: string, range: LedgerRange, signal?: AbortSignal): Promise<RequestLedger | null>;
	/** Of every service that names some. */
	allRequests(range: LedgerRange): Promise<ReadonlyMap<string, RequestLedger>>;
	/** What is taken out of any span, the future as well: the service's hours, its life, approved maintenance. */
	exclusionsOf(serviceId: string, span: SecondSpan): Promise<readonly Exclusion[]>;
	/** The budget of a period, past or to come, in seconds. */
	budgetOf(serviceId: string, period: { readonly fromMs: number; readonly toMs: number }): Promise<number>;
	/** Every service now, with the figures of the current month so far; computed at most every few seconds. */
	statuses(): Promise<readonly ServiceStatus[]>;
	/** Stored checks of `[fromMs, toMs]` have changed (to now, where no end is given): forget what was computed from them. */
	invalidate(fromMs: number, toMs?: number): void;
	/** The inventory or what is excluded has changed; computed days stay, because they are kept by the definition they came from. */
	changed(): void;
}

export interface LedgerRange {
	readonly fromMs: number;
	readonly toMs: number;
	readonly periodToMs?: number;
}

export interface AvailabilityOptions {
	readonly queryable: Queryable;
	readonly inventory: () => InventoryConfig;
	readonly clock: Clock;
	/** Where finished days are kept. Default: in memory. */
	readonly days?: DayStore;
	/** Where finished days of request counts are kept. Default: in memory. */
	readonly requestDays?: RequestDays;
	/** Approved exclusions of a service beside its calendar and its life. Default: none. */
	readonly exclusions?: (service: ServiceConfig, span: SecondSpan) => Promise<readonly Exclusion[]>;
	readonly log?: Logger;
	/** Called for each day that had to be computed from checks. */
	readonly onComputed?: (day: number) => void;
}

const STATUS_AGE_MS = 5000;
const LONGEST_RANGE_MS = 3 * 366 * 86_400_000;
/** Closed spans are asked for the same periods again and again. */
const REMEMBERED_SPANS = 200;

export function createAvailability(options: AvailabilityOptions): Availability {
	const { queryable, inventory, clock, log } = options;
	const days = options.days ?? createMemoryDayStore();
	const engine = createEngine({ queryable, clock });
	const sources = {
		queryable,
		clock,
		days,
		evaluate: evaluateCondition(engine),
		...(options.onComputed === undefined ? {} : { onComputed: options.onComputed }),
	};
	const requests = createRequests({ queryable, clock, ...(options.requestDays === undefined ? {} : { days: options.requestDays }) });
	let statuses: { readonly atMs: number; readonly result: Promise<readonly ServiceStatus[]> } | null = null;
	let closed: { readonly of: InventoryConfig; readonly spans: Map<string, readonly Exclusion[]> } | null = null;

	const closedHours = (config: InventoryConfig, calendar: string, span: SecondSpan): readonly Exclusion[] => {
		if (closed === null || closed.of !== config || closed.spans.size > REMEMBERED_SPANS) closed = { of: config, spans: new Map() };
		const key = `${calendar} ${span.from} ${span.to}`;
		let spans = closed.spans.get(key);
		if (spans === undefined) {
			spans = closedSpans(config, calendar, span).map((part) => ({ ...part, reason: 'calendar' }));
			closed.spans.set(key, spans);
		}
		return spans;
	};

	const excluded = async (config: InventoryConfig, service: ServiceConfig, span: SecondSpan): Promise<readonly Exclusion[]> => [
		...outsideLife(serviceTree(config, service).life, span),
		...closedHours(config, service.calendar, span),
		...((await options.exclusions?.(service, span)) ?? []),
	];

	const windowOf = (range: LedgerRange): SecondSpan => {
		if (!(range.fromMs < range.toMs) || range.toMs - range.fromMs > LONGEST_RANGE_MS) {
			throw new AppError(
				'FN_RANGE_INVALID',
				`a ledger needs a beginning before its end and at most three years; given ${range.fromMs} to ${range.toMs}`,
				{ status: 400 },
			);
		}
		const from = Math.floor(range.fromMs / 1000);
		return { from, to: Math.max(from, Math.min(Math.floor(range.toMs / 1000), Math.floor(clock.now() / 1000))) };
	};

	const find = (config: InventoryConfig, id: string): ServiceConfig => {
		const service = config.services.find((candidate) => candidate.id === id);
		if (service !== undefined) return service;
		const known = config.services.map((candidate) => candidate.id).join(', ') || 'none';
		throw new AppError('FN_SERVICE_UNKNOWN', `there is no service "${id}"; known: ${known}`, { status: 404 });
	};

	const ledgerOf = async (config: InventoryConfig, service: ServiceConfig, parts: LedgerParts): Promise<ServiceLedger> => {
		const { window, period, gross } = parts;
		const exclusions = await excluded(config, service, window);
		const timeline = exclude(gross, exclusions);
		const agreedSecondsOfPeriod =
			period.to === window.to && period.from === window.from
				? countSeconds(timeline).total - countSeconds(timeline).excluded
				: agreedSeconds(period, await excluded(config, service, period));
		const tree = serviceTree(config, service);
		const nowSeconds = Math.floor(clock.now() / 1000);
		return {
			service,
			window,
			timeline,
			gross,
			exclusions,
			figures: availabilityFigures(countSeconds(timeline), {
				fromSeconds: window.from,
				toSeconds: window.to,
				target: service.target,
				agreedSecondsOfPeriod,
			}),
			provisionalFrom: Math.max(window.from, Math.min(window.to, nowSeconds - reachSeconds(config, tree))),
			definition: treeKey(config, tree),
		};
	};

	const ledgers: Availability['ledgers'] = async (range, serviceIds, signal) => {
		const config = inventory();
		const services = serviceIds === undefined ? config.services : serviceIds.map((id) => find(config, id));
		const window = windowOf(range);
		const period = { from: window.from, to: Math.floor((range.periodToMs ?? range.toMs) / 1000) };
		const timelines =
			window.to > window.from
				? await serviceTimelines(sources, config, { services, window, ...(signal === undefined ? {} : { signal }) })
				: new Map<string, Timeline>();
		const result: ServiceLedger[] = [];
		for (const service of services)
			result.push(await ledgerOf(config, service, { window, period, gross: timelines.get(service.id) ?? [] }));
		return result;
	};

	const requestsOf = async (service: ServiceConfig, range: LedgerRange, signal?: AbortSignal): Promise<RequestLedger | null> => {
		if (service.requests === undefined) return null;
		const window = windowOf(range);
		const exclusions = await excluded(inventory(), service, window);
		return requests.ledger(service, window, { exclusions, ...(signal === undefined ? {} : { signal }) });
	};

	const computeStatuses = async (): Promise<readonly ServiceStatus[]> => {
		const config = inventory();
		const nowMs = clock.now();
		const month = monthRange(monthOf(nowMs, config.zone), config.zone);
		if (month === null || config.services.length === 0) return [];
		const now = Math.floor(nowMs / 1000);
		const window = { from: Math.floor(month.fromMs / 1000), to: now };
		const ids = [...new Set(config.services.flatMap((service) => service.checks))];
		const checks = await readChecks(queryable, config, { ids, window: { from: now - 1, to: now } });
		const timelines =
			window.to > window.from
				? await serviceTimelines(sources, config, { services: config.services, window })
				: new Map<string, Timeline>();
		const result: ServiceStatus[] = [];
		for (const service of config.services) {
			const gross = timelines.get(service.id) ?? [];
			const period = { from: window.from, to: Math.floor(month.toMs / 1000) };
			let ledger: Pick<ServiceLedger, 'timeline' | 'figures'>;
			try {
				ledger = await ledgerOf(config, service, { window, period, gross });
			} catch (error) {
				// One calendar without data must not hide the other services; its own has no figure then, not a wrong one.
				log?.error({ service: service.id, error: errorText(error) }, 'the figures of a service could not be computed');
				ledger = { timeline: gross, figures: noFigures(window, service.target) };
			}
			const last = ledger.timeline.at(-1);
			result.push({
				id: service.id,
				name: service.name,
				core: service.core,
				state: last?.state ?? 'unknown',
				sinceMs: last === undefined ? null : beginningOf(ledger.timeline, last) * 1000,
				month: ledger.figures,
				checks: service.checks.map((id) => ({ id, state: checks.get(id)?.at(-1)?.state ?? 'unknown' })),
				children: service.children,
			});
		}
		return result;
	};

	return {
		ledgers,
		ledger: async (serviceId, range, signal) => {
			const [ledger] = await ledgers(range, [serviceId], signal);
			return ledger as ServiceLedger;
		},
		requests: async (serviceId, range, signal) => requestsOf(find(inventory(), serviceId), range, signal),
		allRequests: async (range) => {
			const all = new Map<string, RequestLedger>();
			for (const service of inventory().services) {
				const own = await requestsOf(service, range);
				if (own === null) continue;
				all.set(service.id, own);
				// A month takes milliseconds: others get a turn.
				await new Promise((resolve) => setImmediate(resolve));
			}
			return all;
		},
		exclusionsOf: async (serviceId, span) => excluded(inventory(), find(inventory(), serviceId), span),
		budgetOf: async (serviceId, { fromMs, toMs }) => {
			const service = find(inventory(), serviceId);
			const period = { from: Math.floor(fromMs / 1000), to: Math.floor(toMs / 1000) };
			return Number(budget(agreedSeconds(period, await excluded(inventory(), service, period)), service.target));
		},
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
		invalidate: (fromMs, toMs = clock.now()) => {
			days.forget(Math.floor(fromMs / 86_400_000), Math.floor(toMs / 86_400_000));
			requests.invalidate(fromMs, toMs);
			statuses = null;
		},
		changed: () => {
			closed = null;
			statuses = null;
		},
	};
}

interface LedgerParts {
	readonly window: SecondSpan;
	readonly period: SecondSpan;
	readonly gross: Timeline;
}

/** Seconds of the period that no exclusion covers. */
export function agreedSeconds(period: SecondSpan, exclusions: readonly Exclusion[]): number {
	if (period.to <= period.from) return 0;
	const counts = countSeconds(exclude([{ ...period, state: 'up', reason: '', unconfirmed: false }], exclusions));
	return counts.total - counts.excluded;
}

function noFigures(window: SecondSpan, target: string): AvailabilityFigures {
	return availabilityFigures(countSeconds([]), { fromSeconds: window.from, toSeconds: window.to, target, agreedSecondsOfPeriod: 0 });
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
