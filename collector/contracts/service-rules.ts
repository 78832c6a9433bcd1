import { countedSeconds } from '../../core/spoken-duration.ts';
import { formatZoned } from '../../core/zone-time.ts';
import type { WordsAnswer } from '../../protocol/contract-api.ts';
import type { AssessedOutage, AssessedService, RawItem } from './assessed.ts';
import type { RuleContext } from './fault-rules.ts';
import { spanMs, spokenSpan } from './limits.ts';
import type { RuleOf } from './profile.ts';
import { answeredSeconds, readService, type ServiceReading } from './reading.ts';

const PERCENT_UNITS = 10_000;
/** 100 % in units of 0.0001 %. */
const WHOLE = 100 * PERCENT_UNITS;

export function outageItems(rule: RuleOf<'outage'>, context: RuleContext): readonly RawItem[] {
	const priced = servicesOf(rule.services, context)
		.flatMap((service) => outageReading(rule, service).outages)
		.filter((outage) => !isWaived(rule.id, outage, context));
	return countedOutages(rule, priced).flatMap((outage) => {
		const seconds = answeredSeconds(outage);
		const band = bandOf(rule, seconds);
		if (band === undefined || band.points === 0) return [];
		const atMs = outage.fromSeconds * 1000;
		const excused = outage.downSeconds - seconds;
		const name = nameOf(outage.service, context);
		const reason = {
			zh: `${name}自 ${formatZoned(atMs, context.profile.zone)} 起中断 ${countedSeconds(outage.downSeconds, 'zh')}${excused === 0 ? '' : `，其中免责 ${countedSeconds(excused, 'zh')}`}`,
			en: `${name} down for ${countedSeconds(outage.downSeconds, 'en')} from ${new Date(atMs).toISOString()}${excused === 0 ? '' : `, ${countedSeconds(excused, 'en')} of them excused`}`,
		};
		const centipoints = Math.round(band.points * 100);
		const item = serviceItem(rule, { service: outage.service, detail: outage.id, atMs, centipoints, reason });
		return [{ ...item, clause: band.clause, faultId: outage.faultId }];
	});
}

/** Unless the rule says otherwise, nobody bears time that nobody saw: it neither ends an outage nor makes it longer. */
export function outageReading(rule: RuleOf<'outage'>, service: AssessedService): ServiceReading {
	return readService(service, rule.unknown ?? 'left-out');
}

/** One outage for each failure where the rule counts those: the longest, among equals the earliest, then by name. */
function countedOutages(rule: RuleOf<'outage'>, outages: readonly AssessedOutage[]): readonly AssessedOutage[] {
	const earliest = (a: AssessedOutage, b: AssessedOutage): number =>
		a.fromSeconds - b.fromSeconds || (a.service < b.service ? -1 : a.service > b.service ? 1 : a.id < b.id ? -1 : 1);
	const sorted = [...outages].sort((a, b) => (a.service === b.service ? earliest(a, b) : a.service < b.service ? -1 : 1));
	if (rule.count === 'service') return sorted;
	const failures = Map.groupBy(outages, ({ failure, service, id }) => failure ?? `${service} ${id}`);
	const longest = [...failures.values()].map(
		(one) => [...one].sort((a, b) => answeredSeconds(b) - answeredSeconds(a) || earliest(a, b))[0],
	);
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
		const one = part.service === null ? null : nameOf(part.service, context);
		const name = { zh: one === null ? '各服务合计：' : `${one}：`, en: one ?? 'all services' };
		const reason = {
			zh: `${name.zh}约定 ${part.agreedSeconds} 秒${left === 0 ? '' : `（未知的 ${left} 秒不计）`}，中断 ${countedSeconds(part.downSeconds, 'zh')}，目标 ${rule.target} %`,
			en: `${name.en}: ${countedSeconds(part.downSeconds, 'en')} down of ${part.agreedSeconds} s agreed${left === 0 ? '' : ` (${left} s unknown left out)`}, target ${rule.target} %`,
		};
		return [serviceItem(rule, { service: part.service, detail: part.service ?? 'all', atMs: context.period.fromMs, centipoints, reason })];
	});
}

/** `null` for several services together. */
type Part = Omit<ServiceReading, 'service' | 'outages'> & { readonly service: string | null };

/**
 * What the rule compares with its target, by how it combines services. `of` is the agreed time that downtime is measured by: of what has
 * passed, or of the whole period.
 */
export function availabilityParts(
	rule: Pick<RuleOf<'availability'>, 'combine' | 'unknown'>,
	services: readonly AssessedService[],
	of: 'agreedSeconds' | 'agreedSecondsOfPeriod' = 'agreedSeconds',
): readonly Part[] {
	const parts = services
		.map((service): Part => readService(service, rule.unknown))
		.filter((part) => part[of] > 0)
		.sort((a, b) => b.downSeconds * a[of] - a.downSeconds * b[of] || ((a.service ?? '') < (b.service ?? '') ? -1 : 1));
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
		const read = thresholdReading(rule, service);
		const reason = outOfBounds(rule, read);
		if (reason === null) return [];
		const left = read.leftOutSeconds;
		const name = nameOf(service.service, context);
		const told = {
			zh: `${name}：${reason.zh}${left === 0 ? '' : `（未知的 ${left} 秒不计）`}`,
			en: `${name}: ${reason.en}${left === 0 ? '' : ` (${left} s unknown left out)`}`,
		};
		const centipoints = Math.round(rule.points * 100);
		return [
			serviceItem(rule, { service: service.service, detail: service.service, atMs: context.period.fromMs, centipoints, reason: told }),
		];
	});
}

/** Unless the rule says otherwise, the client bears time that nobody saw. */
export function thresholdReading(rule: RuleOf<'threshold'>, service: AssessedService): ServiceReading {
	return readService(service, rule.unknown ?? 'up');
}

/** How a figure of the period misses its bound; `null` where it keeps it. */
export function outOfBounds(
	rule: RuleOf<'threshold'>,
	{ agreedSeconds: agreed, downSeconds: down, outages }: ServiceReading,
): WordsAnswer | null {
	if (rule.measure === 'availability') {
		const least = Math.round(Number(rule.least ?? '0') * PERCENT_UNITS);
		if (agreed <= 0 || (agreed - down) * WHOLE >= least * agreed) return null;
		return {
			zh: `约定 ${agreed} 秒，中断 ${countedSeconds(down, 'zh')}，要求不低于 ${rule.least} %`,
			en: `${countedSeconds(down, 'en')} down of ${agreed} s agreed, at least ${rule.least} % wanted`,
		};
	}
	if (rule.measure === 'stopped') {
		if (rule.most === undefined || down * 1000 <= spanMs(rule.most)) return null;
		return {
			zh: `累计停机 ${countedSeconds(down, 'zh')}，允许 ${spokenSpan(rule.most, 'zh')}`,
			en: `stopped for ${countedSeconds(down, 'en')} in all, at most ${spokenSpan(rule.most, 'en')} allowed`,
		};
	}
	// Mean time between failures: time in operation over the number of failures.
	const operating = agreed - down;
	if (outages.length === 0 || rule.least === undefined || operating * 1000 >= spanMs(rule.least) * outages.length) return null;
	return {
		zh: `运行 ${countedSeconds(operating, 'zh')}中故障 ${outages.length} 次，要求平均间隔不少于 ${spokenSpan(rule.least, 'zh')}`,
		en: `${outages.length} failures in ${countedSeconds(operating, 'en')} of operation, a mean of ${spokenSpan(rule.least, 'en')} wanted`,
	};
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

function nameOf(service: string, { input }: RuleContext): string {
	return input.services.find((one) => one.service === service)?.name ?? service;
}

function isWaived(rule: string, outage: AssessedOutage, { input }: RuleContext): boolean {
	return input.faults.some(({ id, waived }) => id === outage.faultId && waived.includes(rule));
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
