import { minuteOfDay } from '../../../core/schedule.ts';
import { zonedDate, zonedTimeMs } from '../../../core/zone-time.ts';
import { FamilySet, type Input, singleGauge } from '../input.ts';
import type { CountEnd } from './ends.ts';

export interface ReconcileInputOptions {
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	readonly ends: { readonly source: CountEnd; readonly target: CountEnd };
	/** How many business dates, today included. */
	readonly dates: number;
	readonly zone: string;
	readonly cutOff: { readonly time: string; readonly daysLater: number };
}

const UP_HELP = 'Whether both ends could be counted.';

/**
 * Counts of both ends of an interface per business date. A date that one end does not name counts 0 there: a missing batch is a
 * difference. Dates that grow too old end with stale markers.
 */
export function createReconcileInput(options: ReconcileInputOptions): Input {
	return {
		name: 'reconcile',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs,
		onFailure: [singleGauge('interface_reconcile_up', UP_HELP, 0)],
		async collect(signal, nowMs) {
			// Together, so that what is in transit between the two reads is as little as possible.
			const [source, target] = await Promise.all([options.ends.source.counts(signal), options.ends.target.counts(signal)]);
			const families = new FamilySet();
			families.gauge('interface_reconcile_up', UP_HELP, 1);
			for (const { date, cutOffMs } of businessDates(nowMs, options)) {
				const labels = ['biz_date', date];
				families.gauge('interface_reconcile_source_count', 'Records of the business date at the source.', source.get(date) ?? 0, labels);
				families.gauge('interface_reconcile_target_count', 'Records of the business date at the target.', target.get(date) ?? 0, labels);
				families.gauge('interface_reconcile_cut_off_timestamp_seconds', 'From when on the counts must agree.', cutOffMs / 1000, labels);
			}
			return families.list();
		},
		async close() {
			options.ends.source.close();
			options.ends.target.close();
		},
	};
}

/** The last business dates by the clocks of the zone, today first, each with its cut-off. */
export function businessDates(
	nowMs: number,
	options: Pick<ReconcileInputOptions, 'dates' | 'zone' | 'cutOff'>,
): readonly { readonly date: string; readonly cutOffMs: number }[] {
	const today = zonedDate(nowMs, options.zone);
	const minute = minuteOfDay(options.cutOff.time) ?? 0;
	const two = (n: number) => String(n).padStart(2, '0');
	return Array.from({ length: options.dates }, (_, back) => {
		const day = new Date(Date.UTC(today.year, today.month - 1, today.day - back));
		const fields = { year: day.getUTCFullYear(), month: day.getUTCMonth() + 1, day: day.getUTCDate() };
		const cutOffMs = zonedTimeMs(
			{ ...fields, day: fields.day + options.cutOff.daysLater, hour: Math.floor(minute / 60), minute: minute % 60 },
			options.zone,
		);
		return { date: `${fields.year}-${two(fields.month)}-${two(fields.day)}`, cutOffMs };
	});
}
