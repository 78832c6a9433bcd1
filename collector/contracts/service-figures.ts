import { type Availability, agreedSeconds } from '../availability/availability.ts';
import type { Timeline } from '../availability/intervals.ts';
import { edgeSeconds, serviceTree } from '../availability/service-tree.ts';
import { type LedgerOutage, outagesOf, type UnknownAs } from '../availability/unknown-time.ts';
import type { InventoryConfig, ServiceConfig } from '../inventory/config.ts';
import type { AssessedFault, AssessedOutage, AssessedService } from './assessed.ts';
import { answersFor } from './fault-rules.ts';
import type { Period } from './period.ts';
import type { Profile } from './profile.ts';

/** A fault of any stage, as far as it says which outages are one. */
export interface Failure {
	readonly id: string;
	readonly service: string | null;
	readonly affected: readonly string[];
	readonly onsetMs: number;
	/** `null` while nobody said so; then the outage that it began with tells. */
	readonly restoredMs: number | null;
}

/** An outage that others explain, whether or not anybody has recorded a fault: late checks bring outages that nobody was woken for. */
export interface CausedOutage {
	readonly service: string;
	readonly fromSeconds: number;
	readonly toSeconds: number | null;
	readonly causes: readonly { readonly service: string; readonly fromSeconds: number; readonly toSeconds: number | null }[];
}

/** The services that a profile prices, over what has passed of the period, with the fault that each outage belongs to. */
export async function assessedServices(
	availability: Pick<Availability, 'ledgers' | 'exclusionsOf'>,
	services: readonly ServiceConfig[],
	options: {
		readonly profile: Profile;
		readonly period: Period;
		readonly faults: readonly AssessedFault[];
		/** What failed in or before the period, declared or not. */
		readonly failures: readonly Failure[];
		readonly caused: readonly CausedOutage[];
		readonly nowMs: number;
		readonly inventory: InventoryConfig;
	},
): Promise<readonly AssessedService[]> {
	const { profile, period, faults, nowMs, inventory } = options;
	if (nowMs <= period.fromMs) return [];
	if (services.length === 0) return [];
	const range = { fromMs: period.fromMs, toMs: Math.min(nowMs, period.toMs), periodToMs: period.toMs };
	const ledgers = await availability.ledgers(
		range,
		services.map(({ id }) => id),
	);
	const outagesByService = new Map(ledgers.map((ledger) => [ledger.service.id, outagesOf(ledger.timeline)]));
	const failures = options.failures.toSorted((a, b) => a.onsetMs - b.onsetMs || (a.id < b.id ? -1 : 1));
	const assessed: AssessedService[] = [];
	for (const { service, figures, timeline, window } of ledgers) {
		const edgeMs = edgeSeconds(inventory, serviceTree(inventory, service)) * 1000;
		const outagesAs = (unknown: UnknownAs): readonly AssessedOutage[] =>
			outagesOf(timeline, unknown).map((outage): AssessedOutage => {
				const toSeconds = outage.toSeconds ?? (nowMs < period.toMs ? null : window.to);
				const causes = options.caused.filter((one) => one.service === service.id && overlap(one, outage)).flatMap((one) => one.causes);
				const told = faultsOf(service.id, outage, { faults, causes });
				const excusedSeconds = excusedSecondsOf({ ...outage, timeline, unknown }, { ...told, profile, edgeMs });
				return {
					...outage,
					toSeconds,
					id: String(outage.fromSeconds),
					service: service.id,
					faultId: (told.own[0] ?? told.affecting[0])?.id ?? null,
					...failureOf(service.id, outage, { failures, outagesByService, causes }),
					excused: excusedSeconds === outage.downSeconds,
					excusedSeconds,
				};
			});
		const rest = { from: window.to, to: Math.floor(period.toMs / 1000) };
		const passed = figures.totalSeconds - figures.excludedSeconds;
		assessed.push({
			service: service.id,
			name: service.name,
			core: service.core,
			agreedSeconds: passed,
			// What is approved for later and will be excluded is no time that downtime is measured by.
			agreedSecondsOfPeriod: passed + (rest.from < rest.to ? agreedSeconds(rest, await availability.exclusionsOf(service.id, rest)) : 0),
			downSeconds: figures.downSeconds,
			unknownSeconds: figures.unknownSeconds,
			outages: outagesAs('left-out'),
			outagesAs: { up: outagesAs('up'), down: outagesAs('down') },
		});
	}
	return assessed;
}

/** The failure that the outage is part of: it lasted while the failed service, or what was affected, was down. Otherwise that of its cause. */
function failureOf(
	service: string,
	outage: LedgerOutage,
	known: {
		readonly failures: readonly Failure[];
		readonly outagesByService: ReadonlyMap<string, readonly LedgerOutage[]>;
		readonly causes: CausedOutage['causes'];
	},
): { readonly failure?: string } {
	const endMs = (one: LedgerOutage): number => (one.toSeconds ?? Number.POSITIVE_INFINITY) * 1000;
	const found = known.failures.find((failure) => {
		if (failure.service === null || (failure.service !== service && !failure.affected.includes(service))) return false;
		const { onsetMs } = failure;
		const first = known.outagesByService.get(failure.service)?.find((one) => one.fromSeconds * 1000 <= onsetMs && endMs(one) > onsetMs);
		const overMs = failure.restoredMs ?? (first === undefined ? onsetMs + 1 : endMs(first));
		return onsetMs < endMs(outage) && overMs > outage.fromSeconds * 1000;
	});
	if (found !== undefined) return { failure: found.id };
	const [cause] = [...known.causes].sort((a, b) => a.fromSeconds - b.fromSeconds || (a.service < b.service ? -1 : 1));
	if (cause === undefined) return {};
	const itself = known.outagesByService.get(cause.service)?.find((one) => overlap(one, cause)) ?? { ...cause, downSeconds: 0 };
	return { failure: failureOf(cause.service, itself, { ...known, causes: [] }).failure ?? `${cause.service} ${itself.fromSeconds}` };
}

type Span = Pick<LedgerOutage, 'fromSeconds' | 'toSeconds'>;

function overlap(a: Span, b: Span): boolean {
	const end = ({ toSeconds }: Span) => toSeconds ?? Number.POSITIVE_INFINITY;
	return a.fromSeconds < end(b) && b.fromSeconds < end(a);
}

interface TellingFaults {
	/** Of the service itself. */
	readonly own: readonly AssessedFault[];
	/** Of others that it was affected by. */
	readonly affecting: readonly AssessedFault[];
}

/** Faults that overlap the outage, the earliest first. A fault of its cause affects it also where nobody wrote that down. */
function faultsOf(
	service: string,
	outage: LedgerOutage,
	{ faults, causes }: { readonly faults: readonly AssessedFault[]; readonly causes: CausedOutage['causes'] },
): TellingFaults {
	const endMs = outage.toSeconds === null ? Number.POSITIVE_INFINITY : outage.toSeconds * 1000;
	const overlapping = faults
		.filter(({ service: other, affected = [], moments }) => {
			const isCause = causes.some((cause) => cause.service === other);
			if ((other !== service && !affected.includes(service) && !isCause) || moments.onset === null) return false;
			return moments.onset < endMs && (moments.restored ?? Number.POSITIVE_INFINITY) > outage.fromSeconds * 1000;
		})
		.sort((a, b) => (a.moments.onset ?? 0) - (b.moments.onset ?? 0) || (a.id < b.id ? -1 : 1));
	return {
		own: overlapping.filter((fault) => fault.service === service),
		affecting: overlapping.filter((fault) => fault.service !== service),
	};
}

/**
 * How many seconds of an outage belong to faults that the contractor does not answer for. A second belongs to the service's own fault
 * that lasted then; otherwise to one that it was affected by, which it may follow by as much as checks differ; otherwise, where it was
 * seen down, to the service's nearest own fault. So what outlasts an excused cause is not excused with it.
 */
function excusedSecondsOf(
	outage: LedgerOutage & { readonly timeline: Timeline; readonly unknown: UnknownAs },
	{ own, affecting, profile, edgeMs }: TellingFaults & { readonly profile: Profile; readonly edgeMs: number },
): number {
	if (![...own, ...affecting].some((fault) => !answersFor(profile, fault))) return 0;
	const { fromSeconds, toSeconds, timeline, unknown } = outage;
	const spanOf = (slackMs: number) => (fault: AssessedFault) => ({
		fault,
		from: Math.floor(((fault.moments.onset ?? 0) - slackMs) / 1000),
		to: fault.moments.restored === null ? Number.POSITIVE_INFINITY : Math.ceil((fault.moments.restored + slackMs) / 1000),
	});
	const lasting = [...own.map(spanOf(0)), ...affecting.map(spanOf(edgeMs))];
	const edges = lasting.flatMap(({ from, to }) => [from, to]);
	const end = toSeconds ?? Number.POSITIVE_INFINITY;
	let excused = 0;
	for (const { from, to, state } of timeline) {
		if (from < fromSeconds || from >= end || (state !== 'down' && (state !== 'unknown' || unknown !== 'down'))) continue;
		const cuts = [from, ...edges.filter((edge) => edge > from && edge < to).sort((a, b) => a - b), to];
		for (let i = 0; i + 1 < cuts.length; i++) {
			const at = cuts[i] as number;
			const owner = lasting.find((span) => span.from <= at && at < span.to)?.fault ?? (state === 'down' ? nearest(own, at) : undefined);
			if (owner !== undefined && !answersFor(profile, owner)) excused += (cuts[i + 1] as number) - at;
		}
	}
	return excused;
}

/** The last one that began before, otherwise the first. */
function nearest(own: readonly AssessedFault[], atSeconds: number): AssessedFault | undefined {
	return own.findLast(({ moments }) => (moments.onset ?? 0) <= atSeconds * 1000) ?? own[0];
}
