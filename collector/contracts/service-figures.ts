import type { Availability, ServiceLedger } from '../availability/availability.ts';
import { closedSpans } from '../inventory/calendar.ts';
import type { InventoryConfig, ServiceConfig } from '../inventory/config.ts';
import type { AssessedFault, AssessedOutage, AssessedService } from './assessed.ts';
import { answersFor } from './fault-rules.ts';
import type { Period } from './period.ts';
import type { Profile } from './profile.ts';

/** A run of downtime in a ledger. Unknown time between two stretches of it does not end it; a good check does. */
export interface LedgerOutage {
	readonly fromSeconds: number;
	/** `null` when the window ends in it. */
	readonly toSeconds: number | null;
	readonly downSeconds: number;
}

export function outagesOf({ timeline }: Pick<ServiceLedger, 'timeline'>): readonly LedgerOutage[] {
	const found: { fromSeconds: number; toSeconds: number | null; downSeconds: number }[] = [];
	let current: { fromSeconds: number; toSeconds: number | null; downSeconds: number } | null = null;
	for (const { from, to, state } of timeline) {
		if (state === 'down') {
			if (current === null) {
				current = { fromSeconds: from, toSeconds: null, downSeconds: 0 };
				found.push(current);
			}
			current.downSeconds += to - from;
		} else if (state !== 'unknown' && current !== null) {
			current.toSeconds = from;
			current = null;
		}
	}
	return found;
}

/** A fault of any stage, as far as it says which outages are one. */
export interface Failure {
	readonly id: string;
	readonly service: string | null;
	readonly affected: readonly string[];
	readonly onsetMs: number;
	/** `null` while nobody said so; then the outage that it began with tells. */
	readonly restoredMs: number | null;
}

/** The services that a profile prices, over what has passed of the period, with the fault that each outage belongs to. */
export async function assessedServices(
	availability: Pick<Availability, 'ledgers'>,
	services: readonly ServiceConfig[],
	options: {
		readonly profile: Profile;
		readonly period: Period;
		readonly faults: readonly AssessedFault[];
		/** What failed in or before the period, declared or not. */
		readonly failures: readonly Failure[];
		readonly nowMs: number;
		/** For what is agreed in the rest of an open period. */
		readonly inventory: Pick<InventoryConfig, 'calendars' | 'holidays' | 'zone'>;
	},
): Promise<readonly AssessedService[]> {
	const { profile, period, faults, failures, nowMs, inventory } = options;
	if (nowMs <= period.fromMs) return [];
	if (services.length === 0) return [];
	const range = { fromMs: period.fromMs, toMs: Math.min(nowMs, period.toMs), periodToMs: period.toMs };
	const ledgers = await availability.ledgers(
		range,
		services.map(({ id }) => id),
	);
	const outagesByService = new Map(ledgers.map((ledger) => [ledger.service.id, outagesOf(ledger)]));
	return ledgers.map((ledger): AssessedService => {
		const { service } = ledger;
		const { figures } = ledger;
		const outages = (outagesByService.get(service.id) ?? []).map((outage): AssessedOutage => {
			const fault = faultOf(service.id, outage, faults);
			return {
				...outage,
				toSeconds: outage.toSeconds ?? (nowMs < period.toMs ? null : ledger.window.to),
				id: String(outage.fromSeconds),
				service: service.id,
				faultId: fault?.id ?? null,
				...failureOf(service.id, outage, { failures, outagesByService }),
				excused: fault !== null && !answersFor(profile, fault),
			};
		});
		const agreedSeconds = figures.totalSeconds - figures.excludedSeconds;
		const rest = { from: ledger.window.to, to: Math.floor(period.toMs / 1000) };
		const closed = rest.from < rest.to ? closedSpans(inventory, service.calendar, rest) : [];
		return {
			service: service.id,
			core: service.core,
			agreedSeconds,
			agreedSecondsOfPeriod: agreedSeconds + Math.max(0, rest.to - rest.from) - closed.reduce((sum, span) => sum + span.to - span.from, 0),
			downSeconds: figures.downSeconds,
			unknownSeconds: figures.unknownSeconds,
			outages,
		};
	});
}

/** The failure that the outage is part of: it lasted while the failed service, or what was affected, was down. */
function failureOf(
	service: string,
	outage: LedgerOutage,
	known: { readonly failures: readonly Failure[]; readonly outagesByService: ReadonlyMap<string, readonly LedgerOutage[]> },
): { readonly failure?: string } {
	const endMs = (one: LedgerOutage): number => (one.toSeconds ?? Number.POSITIVE_INFINITY) * 1000;
	const found = known.failures.find((failure) => {
		if (failure.service === null || (failure.service !== service && !failure.affected.includes(service))) return false;
		const { onsetMs } = failure;
		const first = known.outagesByService.get(failure.service)?.find((one) => one.fromSeconds * 1000 <= onsetMs && endMs(one) > onsetMs);
		const overMs = failure.restoredMs ?? (first === undefined ? onsetMs + 1 : endMs(first));
		return onsetMs < endMs(outage) && overMs > outage.fromSeconds * 1000;
	});
	return found === undefined ? {} : { failure: found.id };
}

/** The fault of the service that overlaps the outage, otherwise one that it was affected by; the earliest where several are. */
function faultOf(service: string, outage: LedgerOutage, faults: readonly AssessedFault[]): AssessedFault | null {
	const endMs = outage.toSeconds === null ? Number.POSITIVE_INFINITY : outage.toSeconds * 1000;
	const overlapping = faults
		.filter(({ service: other, affected = [], moments }) => {
			if ((other !== service && !affected.includes(service)) || moments.onset === null) return false;
			return moments.onset < endMs && (moments.restored ?? Number.POSITIVE_INFINITY) > outage.fromSeconds * 1000;
		})
		.sort((a, b) => (a.moments.onset ?? 0) - (b.moments.onset ?? 0) || (a.id < b.id ? -1 : 1));
	return overlapping.find((fault) => fault.service === service) ?? overlapping[0] ?? null;
}
