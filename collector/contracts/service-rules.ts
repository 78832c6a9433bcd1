import { formatZoned } from '../../core/zone-time.ts';
import type { WordsAnswer } from '../../protocol/contract-api.ts';
import type { AssessedOutage, AssessedService, RawItem } from './assessed.ts';
import { answersFor, type RuleContext } from './fault-rules.ts';
import { spanMs } from './limits.ts';
import type { RuleOf } from './profile.ts';

const PERCENT_UNITS = 10_000;
/** 100 % in units of 0.0001 %. */
const WHOLE = 100 * PERCENT_UNITS;

export function outageItems(rule: RuleOf<'outage'>, context: RuleContext): readonly RawItem[] {
	const priced = servicesOf(rule.services, context)
		.flatMap(({ outages }) => outages)
		.filter((outage) => !outage.excused && !isWaived(rule.id, outage, context));
	return countedOutages(rule, priced).flatMap((outage) => {
		const band = bandOf(rule, outage.downSeconds);
		if (band === undefined || band.points === 0) return [];
		const atMs = outage.fromSeconds * 1000;
		const reason = {
			zh: `${outage.service} 自 ${formatZoned(atMs, context.profile.zone)} 起中断 ${outage.downSeconds} 秒`,
			en: `${outage.service} down for ${outage.downSeconds} s from ${new Date(atMs).toISOString()}`,
		};
		const centipoints = Math.round(band.points * 100);
		const item = serviceItem(rule, { service: outage.service, detail: outage.id, atMs, centipoints, reason });
		return [{ ...item, clause: band.clause, faultId: outage.faultId }];
	});
}

/** One outage for each failure where the rule counts those: the longest, among equals the earliest, then by name. */
function countedOutages(rule: RuleOf<'outage'>, outages: readonly AssessedOutage[]): readonly AssessedOutage[] {
	const earliest = (a: AssessedOutage, b: AssessedOutage): number =>
		a.fromSeconds - b.fromSeconds || (a.service < b.service ? -1 : a.service > b.service ? 1 : a.id < b.id ? -1 : 1);
	const sorted = [...outages].sort((a, b) => (a.service === b.service ? earliest(a, b) : a.service < b.service ? -1 : 1));
	if (rule.count === 'service') return sorted;
	const failures = Map.groupBy(outages, ({ failure, service, id }) => failure ?? `${service} ${id}`);
	const longest = [...failures.values()].map((one) => [...one].sort((a, b) => b.downSeconds - a.downSeconds || earliest(a, b))[0]);
	return sorted.filter((outage) => longest.includes(outage));
}

export function bandOf(rule: RuleOf<'outage'>, seconds: number): RuleOf<'outage'>['bands'][number] | undefined {
	return rule.bands.find(({ over, up_to: upTo }) => seconds * 1000 > spanMs(over) && (upTo === null || seconds * 1000 <= spanMs(upTo)));
}

export function availabilityItems(rule: RuleOf<'availability'>, context: RuleContext): readonly RawItem[] {
	return availabilityParts(rule, servicesOf(rule.services, context)).flatMap((part) => {
		const centipoints = availabilityCost(rule, part.agreedSeconds, part.downSeconds);
		if (centipoints === 0) return [];
		const left = part.leftOutSeconds;
		const reason = {
			zh: `约定 ${part.agreedSeconds} 秒${left === 0 ? '' : `（未知的 ${left} 秒不计）`}，中断 ${part.downSeconds} 秒，目标 ${rule.target} %`,
			en: `${part.downSeconds} s down of ${part.agreedSeconds} s agreed${left === 0 ? '' : ` (${left} s unknown left out)`}, target ${rule.target} %`,
		};
		return [serviceItem(rule, { service: part.service, detail: part.service ?? 'all', atMs: context.period.fromMs, centipoints, reason })];
	});
}

interface Part {
	readonly service: string | null;
	/** Without `leftOutSeconds`. */
	readonly agreedSeconds: number;
	readonly agreedSecondsOfPeriod: number;
	readonly downSeconds: number;
	/** Unknown time that the contract does not count at all. */
	readonly leftOutSeconds: number;
}

/** What the rule compares with its target, by how it combines services. */
export function availabilityParts(rule: RuleOf<'availability'>, services: readonly AssessedService[]): readonly Part[] {
	const parts = services
		.map((service) => {
			const leftOutSeconds = rule.unknown === 'left-out' ? service.unknownSeconds : 0;
			return {
				service: service.service,
				agreedSeconds: service.agreedSeconds - leftOutSeconds,
				agreedSecondsOfPeriod: service.agreedSecondsOfPeriod - leftOutSeconds,
				downSeconds: answeredDown(service) + (rule.unknown === 'down' ? service.unknownSeconds : 0),
				leftOutSeconds,
			};
		})
		.filter(({ agreedSeconds }) => agreedSeconds > 0)
		.sort((a, b) => b.downSeconds * a.agreedSeconds - a.downSeconds * b.agreedSeconds || (a.service < b.service ? -1 : 1));
	if (rule.combine === 'each') return parts;
	if (rule.combine === 'worst') return parts.slice(0, 1);
	if (parts.length === 0) return [];
	const sum = (pick: (part: Part) => number): number => parts.reduce((total, part) => total + pick(part), 0);
	return [
		{
			service: null,
			agreedSeconds: sum((part) => part.agreedSeconds),
			agreedSecondsOfPeriod: sum((part) => part.agreedSecondsOfPeriod),
			downSeconds: sum((part) => part.downSeconds),
			leftOutSeconds: sum((part) => part.leftOutSeconds),
		},
	];
}

/** Downtime without what a countersigned cause excuses. */
function answeredDown(service: AssessedService): number {
	return service.downSeconds - service.outages.reduce((sum, outage) => sum + (outage.excused ? outage.downSeconds : 0), 0);
}

/** Hundredths of a point for a shortfall; exact in integers: shortfall/step = (target·agreed − 100 %·up) / (step·agreed). */
export function availabilityCost(rule: RuleOf<'availability'>, agreedSeconds: number, downSeconds: number): number {
	if (agreedSeconds <= 0) return 0;
	const target = BigInt(Math.round(Number(rule.target) * PERCENT_UNITS));
	const step = BigInt(Math.round(Number(rule.step) * PERCENT_UNITS));
	const agreed = BigInt(agreedSeconds);
	const short = target * agreed - BigInt(WHOLE) * BigInt(agreedSeconds - downSeconds);
	if (short <= 0n) return 0;
	const perStep = BigInt(Math.round(rule.points_per_step * 100));
	const whole = short / (step * agreed);
	const cost =
		rule.partial === 'share'
			? (short * perStep) / (step * agreed)
			: perStep * (rule.partial === 'none' || whole * step * agreed === short ? whole : whole + 1n);
	return Math.min(Number(cost), Math.round(rule.max * 100));
}

export function thresholdItems(rule: RuleOf<'threshold'>, context: RuleContext): readonly RawItem[] {
	return servicesOf('all', context).flatMap((service) => {
		const down = answeredDown(service);
		const failures = service.outages.filter((outage) => !outage.excused).length;
		let reason: WordsAnswer | null = null;
		if (rule.measure === 'availability') {
			const least = Math.round(Number(rule.least ?? '0') * PERCENT_UNITS);
			if (service.agreedSeconds > 0 && (service.agreedSeconds - down) * WHOLE < least * service.agreedSeconds) {
				reason = {
					zh: `约定 ${service.agreedSeconds} 秒，中断 ${down} 秒，要求不低于 ${rule.least} %`,
					en: `${down} s down of ${service.agreedSeconds} s agreed, at least ${rule.least} % wanted`,
				};
			}
		} else if (rule.measure === 'stopped') {
			if (rule.most !== undefined && down * 1000 > spanMs(rule.most))
				reason = { zh: `累计停机 ${down} 秒，允许 ${rule.most}`, en: `stopped for ${down} s in all, at most ${rule.most} allowed` };
		} else if (failures > 0 && rule.least !== undefined) {
			// Mean time between failures: time in operation over the number of failures.
			const operating = service.agreedSeconds - down;
			if (operating * 1000 < spanMs(rule.least) * failures) {
				reason = {
					zh: `运行 ${operating} 秒中故障 ${failures} 次，要求平均间隔 ${rule.least}`,
					en: `${failures} failures in ${operating} s of operation, a mean of ${rule.least} wanted`,
				};
			}
		}
		if (reason === null) return [];
		const centipoints = Math.round(rule.points * 100);
		return [serviceItem(rule, { service: service.service, detail: service.service, atMs: context.period.fromMs, centipoints, reason })];
	});
}

export function recordItems(rule: RuleOf<'record'>, context: RuleContext): readonly RawItem[] {
	let free = rule.free ?? 0;
	return context.input.records
		.filter(({ rule: id, atMs }) => id === rule.id && atMs >= context.period.fromMs && atMs < context.period.toMs)
		.sort((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1))
		.map((record) => {
			const charged = Math.max(0, record.quantity - free);
			free = Math.max(0, free - record.quantity);
			const first = Math.round((rule.first ?? rule.points) * 100) * Math.min(1, charged);
			const cost = Math.round(first + Math.round(rule.points * 100) * Math.max(0, charged - 1));
			const bounded = Math.min(cost, rule.max === undefined ? cost : Math.round(rule.max * 100));
			const note = (mark: string) => (record.note === '' ? '' : `${mark}${record.note}`);
			const reason = { zh: `数量 ${record.quantity}${note('：')}`, en: `${record.quantity} × ${rule.unit}${note(': ')}` };
			const entry = serviceItem(rule, { service: null, detail: record.id, atMs: record.atMs, centipoints: bounded, reason });
			const fen = Math.round(Math.round((rule.yuan ?? 0) * 100) * charged);
			return { ...entry, recordId: record.id, fen, centipoints: rule.bonus === true ? bounded : entry.centipoints };
		});
}

export function servicesOf(which: 'core' | 'all', { input }: RuleContext): readonly AssessedService[] {
	return input.services.filter((service) => which === 'all' || service.core).sort((a, b) => (a.service < b.service ? -1 : 1));
}

function isWaived(rule: string, outage: AssessedOutage, { input, profile }: RuleContext): boolean {
	const fault = input.faults.find(({ id }) => id === outage.faultId);
	return fault !== undefined && (fault.waived.includes(rule) || !answersFor(profile, fault));
}

function serviceItem(
	rule: { readonly id: string; readonly name: string; readonly clause: string; readonly group?: string },
	what: { service: string | null; detail: string; atMs: number; centipoints: number; reason: WordsAnswer },
): RawItem {
	return {
		rule: rule.id,
		name: rule.name,
		clause: rule.clause,
		group: rule.group ?? null,
		faultId: null,
		problemId: null,
		service: what.service,
		recordId: null,
		clock: null,
		detail: what.detail,
		atMs: what.atMs,
		centipoints: what.centipoints === 0 ? 0 : -what.centipoints,
		fen: 0,
		reason: what.reason,
	};
}
