import type { Clock } from '../../core/clock.ts';
import { AppError, errorText } from '../../core/errors.ts';
import { labelsFromObject, labelValue } from '../../core/labels.ts';
import type { Logger } from '../../core/log.ts';
import { monthOf, monthRange } from '../../core/zone-time.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import type { InventoryConfig, ServiceConfig } from '../inventory/config.ts';
import type { Appendable, Queryable } from '../storage/storage.ts';
import type { Availability } from './availability.ts';
import { type BudgetState, budgetState, LONGEST_BURN_SECONDS, type WhatIf, whatIf } from './budget.ts';
import { equals, oneOf } from './matchers.ts';
import { checksOf, serviceTree } from './service-tree.ts';

export interface Budgets {
	/** Every service of the current month, groups (services with children) as well. */
	states(): Promise<readonly BudgetState[]>;
	/** What an outage of the service over the span would cost its month. Throws `FN_SERVICE_UNKNOWN`, `FN_RANGE_INVALID`. */
	whatIf(serviceId: string, fromMs: number, toMs: number): Promise<WhatIf>;
	/** Writes the states into the store, so that rules can use them. */
	record(): Promise<void>;
	start(): void;
	stop(): Promise<void>;
}

const RECORD_MS = 30_000;
/** Counting a month of requests costs more than what else is recorded, and their minutes are whole anyway. */
const RECORD_REQUESTS_MS = 60_000;
const LONGEST_WHAT_IF_MS = 31 * 86_400_000;

export function createBudgets(options: {
	readonly availability: Availability;
	readonly store: Queryable & Appendable;
	readonly inventory: () => InventoryConfig;
	readonly clock: Clock;
	readonly log: Logger;
}): Budgets {
	const { availability, store, inventory, clock, log } = options;
	let requestsAtMs = Number.NEGATIVE_INFINITY;
	let timer: NodeJS.Timeout | null = null;
	let running: Promise<void> = Promise.resolve();

	/** Times of failed checks of the last three days, by check; read only for services that lost time. */
	const failures = async (ids: readonly string[], nowMs: number): Promise<ReadonlyMap<string, readonly number[]>> => {
		const times = new Map<string, number[]>();
		const fromMs = nowMs - LONGEST_BURN_SECONDS * 1000;
		for (const series of await store.select([equals(METRIC_NAME, 'probe_success'), oneOf('check', ids)], fromMs, nowMs)) {
			const check = labelValue(series.labels, 'check');
			const list = times.get(check) ?? [];
			times.set(check, list);
			for (let i = 0; i < series.timestamps.length; i++) if (series.values[i] === 0) list.push(series.timestamps[i] as number);
		}
		return times;
	};

	const periodOf = (timeMs: number) => {
		const { zone } = inventory();
		const month = monthRange(monthOf(timeMs, zone), zone);
		if (month === null) throw new AppError('FN_RANGE_INVALID', `${timeMs} lies in no month`, { status: 400 });
		return month;
	};

	const statesOf = async (services: readonly ServiceConfig[]): Promise<readonly BudgetState[]> => {
		const config = inventory();
		const nowMs = clock.now();
		const month = periodOf(nowMs);
		const ids = services.map(({ id }) => id);
		const months = await availability.ledgers(
			{ fromMs: month.fromMs, toMs: Math.max(nowMs, month.fromMs + 1), periodToMs: month.toMs },
			ids,
		);
		const recents = await availability.ledgers({ fromMs: nowMs - LONGEST_BURN_SECONDS * 1000, toMs: nowMs }, ids);
		const lossy = services.filter((_, i) => (recents[i]?.figures.downSeconds ?? 0) > 0);
		const checks = (service: ServiceConfig) => checksOf(serviceTree(config, service));
		const wanted = [...new Set(lossy.flatMap(checks))];
		const times = wanted.length === 0 ? new Map<string, readonly number[]>() : await failures(wanted, nowMs);
		return services.flatMap((service, i) => {
			const [monthly, recent] = [months[i], recents[i]];
			if (monthly === undefined || recent === undefined) return [];
			const failed = lossy.includes(service)
				? checks(service)
						.flatMap((id) => times.get(id) ?? [])
						.sort((a, b) => a - b)
				: [];
			// A condition has no checks whose failures could be counted; its own confirmation is the evidence.
			const evidence = failed.length === 0 && recent.figures.downSeconds > 0 ? new Array<number>(CONDITION_EVIDENCE).fill(nowMs) : failed;
			return [budgetState({ month: monthly, recent }, evidence, { endMs: month.toMs, nowMs })];
		});
	};

	const states = () => statesOf(inventory().services);

	const record = async (): Promise<void> => {
		const appender = store.appender();
		const timeMs = clock.now();
		const put = (name: string, labels: Readonly<Record<string, string>>, value: number) =>
			appender.append(labelsFromObject({ __name__: name, job: 'fournines', ...labels }), timeMs, value);
		for (const state of await states()) {
			const service = { service: state.serviceId };
			put('fournines_budget_seconds', service, state.budgetSeconds);
			put('fournines_budget_used_seconds', service, state.usedSeconds);
			put('fournines_budget_loss_timestamp_seconds', service, (state.lostAtMs ?? state.lossForecastAtMs ?? 0) / 1000);
			for (const burn of state.burns) {
				const labels = { ...service, burn: burn.name };
				put('fournines_budget_burn_used_seconds', labels, burn.longUsedSeconds);
				put('fournines_budget_burn_limit_seconds', labels, burn.longLimitSeconds);
				put('fournines_budget_burn_recent_used_seconds', labels, burn.shortUsedSeconds);
				put('fournines_budget_burn_recent_limit_seconds', labels, burn.shortLimitSeconds);
				put('fournines_budget_burn_failed_checks', labels, burn.failedChecks);
			}
		}
		if (Math.abs(timeMs - requestsAtMs) >= RECORD_REQUESTS_MS) {
			requestsAtMs = timeMs;
			const month = periodOf(timeMs);
			for (const [service, { figures }] of await availability.allRequests({
				fromMs: month.fromMs,
				toMs: Math.max(timeMs, month.fromMs + 1),
			})) {
				put('fournines_requests_counted', { service }, figures.total);
				put('fournines_requests_good', { service }, figures.good);
				put('fournines_requests_budget', { service }, Number(figures.budgetRequests));
				if (figures.sli !== null) put('fournines_requests_sli_ratio', { service }, Number(figures.sli) / 100);
				if (figures.coverage !== null) put('fournines_requests_coverage_ratio', { service }, Number(figures.coverage) / 100);
			}
		}
		await appender.commit();
	};

	return {
		states,
		record,
		whatIf: async (serviceId, fromMs, toMs) => {
			if (!(fromMs < toMs) || toMs - fromMs > LONGEST_WHAT_IF_MS)
				throw new AppError('FN_RANGE_INVALID', 'name a span that begins before it ends, of at most 31 days', { status: 400 });
			const month = periodOf(fromMs);
			const nowMs = clock.now();
			const end = Math.min(toMs, month.toMs);
			const budget = await availability.budgetOf(serviceId, month);
			// A month to come has used nothing yet.
			const used = month.fromMs >= nowMs ? 0 : (await availability.ledger(serviceId, month)).figures.budgetUsedSeconds;
			const span = { from: Math.floor(fromMs / 1000), to: Math.floor(end / 1000) };
			return whatIf({ remainingSeconds: Math.round((budget - used) * 100) / 100 }, span, await availability.exclusionsOf(serviceId, span));
		},
		start: () => {
			timer = setInterval(() => {
				// A round that takes longer than the pace must not pile up.
				running = running.then(record).catch((error: unknown) => {
					log.error({ error: errorText(error) }, 'the budgets of the services could not be written');
				});
			}, RECORD_MS);
			timer.unref();
		},
		stop: async () => {
			if (timer !== null) clearInterval(timer);
			timer = null;
			await running;
		},
	};
}

const CONDITION_EVIDENCE = 3;
