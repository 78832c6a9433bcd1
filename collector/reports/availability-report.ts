import { AppError } from '../../core/errors.ts';
import { monthRange } from '../../core/zone-time.ts';
import type { AvailabilityFigures } from '../../protocol/api.ts';
import type { RequestFigures } from '../../protocol/availability-api.ts';
import { type Availability, type Exclusion, isApproved, type ServiceLedger } from '../availability/availability.ts';
import type { Timeline } from '../availability/intervals.ts';
import { ledgerDigest } from '../availability/ledger-digest.ts';
import type { InventoryConfig } from '../inventory/config.ts';
import type { KeptService } from './report-changes.ts';

export interface ReportedOutage {
	readonly fromSeconds: number;
	readonly toSeconds: number;
	readonly reason: string;
	/** Still down when the report was made. */
	readonly ongoing: boolean;
}

/** The longest stretches in order of time, and what is left of others. */
export interface UnseenTime {
	readonly longest: readonly Omit<ReportedOutage, 'ongoing'>[];
	readonly others: number;
	readonly otherSeconds: number;
}

const MOST_UNSEEN = 20;

export interface ReportedService {
	readonly id: string;
	readonly name: string;
	readonly core: boolean;
	readonly figures: AvailabilityFigures;
	/** Beside the figures of time; `null` for a service that names no requests. */
	readonly requests: RequestFigures | null;
	readonly outages: readonly ReportedOutage[];
	/** Mean seconds from the end of an outage to the beginning of the next: known good time by outages; `null` without one. */
	readonly mtbfSeconds: number | null;
	/** Mean seconds of an outage, those that go on as long as they have lasted; `null` without one. */
	readonly mttrSeconds: number | null;
	/** Names the checks, rules and vantage points that it was computed by, as in the ledger export. */
	readonly definition: string;
	/** The profile that prices it and its version; `null` without one. */
	readonly contract: { readonly id: string; readonly version: number | null } | null;
	/** Approved maintenance that was left out; hours and life of the service follow from the inventory. */
	readonly exclusions: readonly Exclusion[];
	/** Time in which nothing was seen. Reports of before it was listed have none. */
	readonly unseen?: UnseenTime;
	/** `met` and `missed` only when no unknown or future second could change it. */
	readonly verdict: 'met' | 'missed' | 'open';
}

export interface AvailabilityReport {
	readonly month: string;
	readonly zone: string;
	readonly fromMs: number;
	readonly toMs: number;
	readonly issuedMs: number;
	/** The month goes on after the report. */
	readonly open: boolean;
	readonly services: readonly ReportedService[];
	/** Two reports and a ledger export over the same ledger have the same digest. */
	readonly ledgerDigest: string;
}

/** A report, and what is kept of it when it is issued. */
export interface ReportDraft {
	readonly report: AvailabilityReport;
	readonly kept: readonly KeptService[];
}

export interface ReportSources {
	readonly availability: Availability;
	readonly inventory: InventoryConfig;
	readonly nowMs: number;
	/** Versions of the contract profiles. Default: none is known. */
	readonly contractVersion?: (id: string) => number | null;
}

/** The month's report from the ledger. Throws `FN_REPORT_MONTH` for anything but a past or current `YYYY-MM`. */
export async function reportDraft(month: string, sources: ReportSources): Promise<ReportDraft> {
	const { availability, inventory, nowMs } = sources;
	const range = monthRange(month, inventory.zone);
	if (range === null)
		throw new AppError('FN_REPORT_MONTH', `"${month.slice(0, 20)}" is not a month; write for example 2026-11`, { status: 400 });
	if (range.fromMs >= nowMs) throw new AppError('FN_REPORT_MONTH', `${month} has not begun yet`, { status: 400 });
	const services: ReportedService[] = [];
	const kept: KeptService[] = [];
	for (const ledger of await availability.ledgers(range)) {
		const { service, definition, gross, timeline, figures } = ledger;
		const requests = (await availability.requests(service.id, range))?.figures ?? null;
		const contract =
			service.contract === undefined ? null : { id: service.contract, version: sources.contractVersion?.(service.contract) ?? null };
		services.push({ ...reported(ledger, { nowMs, endMs: range.toMs }), requests, contract });
		kept.push({ id: service.id, name: service.name, definition, gross, net: timeline, figures, requests });
	}
	const digest = ledgerDigest(kept.map(({ id, net, requests }) => ({ id, timeline: net, requests })));
	return {
		report: { month, zone: inventory.zone, ...range, issuedMs: nowMs, open: nowMs < range.toMs, services, ledgerDigest: digest },
		kept,
	};
}

function reported(
	{ service, timeline, figures, window, exclusions, definition }: ServiceLedger,
	time: { readonly nowMs: number; readonly endMs: number },
): Omit<ReportedService, 'requests' | 'contract'> {
	const open = time.nowMs < time.endMs;
	const budget = Number(figures.budgetSeconds);
	const missed = figures.downSeconds > budget;
	const outages = outagesOf(timeline);
	const met = !open && figures.downSeconds + figures.unknownSeconds <= budget && figures.totalSeconds > figures.excludedSeconds;
	return {
		id: service.id,
		name: service.name,
		core: service.core,
		figures,
		definition,
		exclusions: exclusions.filter(isApproved),
		mtbfSeconds: mean(figures.upSeconds + figures.degradedSeconds, outages.length),
		mttrSeconds: mean(figures.downSeconds, outages.length),
		outages: outages.map((outage) => ({ ...outage, ongoing: open && outage.toSeconds === window.to })),
		unseen: unseenTime(timeline),
		verdict: missed ? 'missed' : met ? 'met' : 'open',
	};
}

/** At most twenty of a service are listed: an agent that comes and goes leaves thousands. */
export function unseenTime(timeline: Timeline): UnseenTime {
	const all = timeline.flatMap(({ from, to, state, reason }) =>
		state === 'unknown' ? [{ fromSeconds: from, toSeconds: to, reason }] : [],
	);
	const seconds = ({ fromSeconds, toSeconds }: { readonly fromSeconds: number; readonly toSeconds: number }) => toSeconds - fromSeconds;
	const sorted = all.toSorted((a, b) => seconds(b) - seconds(a) || a.fromSeconds - b.fromSeconds);
	const others = sorted.slice(MOST_UNSEEN);
	return {
		longest: sorted.slice(0, MOST_UNSEEN).sort((a, b) => a.fromSeconds - b.fromSeconds),
		others: others.length,
		otherSeconds: others.reduce((sum, one) => sum + seconds(one), 0),
	};
}

function mean(seconds: number, outages: number): number | null {
	return outages === 0 ? null : Math.floor(seconds / outages);
}

/** Neighbouring down intervals with different reasons are one outage that lists all of them. */
export function outagesOf(timeline: Timeline): readonly Omit<ReportedOutage, 'ongoing'>[] {
	const outages: { fromSeconds: number; toSeconds: number; reason: string }[] = [];
	for (const interval of timeline) {
		if (interval.state !== 'down') continue;
		const last = outages.at(-1);
		if (last === undefined || last.toSeconds !== interval.from) {
			outages.push({ fromSeconds: interval.from, toSeconds: interval.to, reason: interval.reason });
			continue;
		}
		last.toSeconds = interval.to;
		const known = last.reason.split('; ');
		for (const reason of interval.reason.split('; ')) if (!known.includes(reason)) last.reason += `; ${reason}`;
	}
	return outages;
}
