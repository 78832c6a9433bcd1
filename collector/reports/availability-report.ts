import { createHash } from 'node:crypto';
import { AppError } from '../../core/errors.ts';
import { monthRange } from '../../core/zone-time.ts';
import type { AvailabilityFigures } from '../../protocol/api.ts';
import type { RequestFigures } from '../../protocol/availability-api.ts';
import type { Availability, ServiceLedger } from '../availability/availability.ts';
import type { Timeline } from '../availability/intervals.ts';
import type { InventoryConfig } from '../inventory/config.ts';

export interface ReportedOutage {
	readonly fromSeconds: number;
	readonly toSeconds: number;
	readonly reason: string;
	/** Still down when the report was made. */
	readonly ongoing: boolean;
}

export interface ReportedService {
	readonly id: string;
	readonly name: string;
	readonly core: boolean;
	readonly figures: AvailabilityFigures;
	/** Beside the figures of time; `null` for a service that names no requests. */
	readonly requests: RequestFigures | null;
	readonly outages: readonly ReportedOutage[];
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
	/** SHA-256 over every interval of every service: two reports over the same ledger carry the same digest. */
	readonly ledgerDigest: string;
}

/** The month's report from the ledger. Throws `FN_REPORT_MONTH` for anything but a past or current `YYYY-MM`. */
export async function availabilityReport(
	month: string,
	sources: { readonly availability: Availability; readonly inventory: InventoryConfig; readonly nowMs: number },
): Promise<AvailabilityReport> {
	const { availability, inventory, nowMs } = sources;
	const range = monthRange(month, inventory.zone);
	if (range === null)
		throw new AppError('FN_REPORT_MONTH', `"${month.slice(0, 20)}" is not a month; write for example 2026-11`, { status: 400 });
	if (range.fromMs >= nowMs) throw new AppError('FN_REPORT_MONTH', `${month} has not begun yet`, { status: 400 });
	const digest = createHash('sha256');
	const services: ReportedService[] = [];
	for (const { id } of inventory.services) {
		const ledger = await availability.ledger(id, range);
		for (const interval of ledger.timeline)
			digest.update(`${id} ${interval.from} ${interval.to} ${interval.state} ${interval.unconfirmed ? 1 : 0} ${interval.reason}\n`);
		const requests = (await availability.requests(id, range))?.figures ?? null;
		if (requests !== null) digest.update(`${id} requests ${JSON.stringify(requests)}\n`);
		services.push({ ...reported(ledger, { nowMs, endMs: range.toMs }), requests });
	}
	return { month, zone: inventory.zone, ...range, issuedMs: nowMs, open: nowMs < range.toMs, services, ledgerDigest: digest.digest('hex') };
}

function reported(
	{ service, timeline, figures, window }: ServiceLedger,
	time: { readonly nowMs: number; readonly endMs: number },
): Omit<ReportedService, 'requests'> {
	const open = time.nowMs < time.endMs;
	const budget = Number(figures.budgetSeconds);
	const missed = figures.downSeconds > budget;
	const met = !open && figures.downSeconds + figures.unknownSeconds <= budget && figures.totalSeconds > figures.excludedSeconds;
	return {
		id: service.id,
		name: service.name,
		core: service.core,
		figures,
		outages: outagesOf(timeline).map((outage) => ({ ...outage, ongoing: open && outage.toSeconds === window.to })),
		verdict: missed ? 'missed' : met ? 'met' : 'open',
	};
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
