import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What the rule engine says of itself; documented in docs/metrics/ruler.md. */
export interface RulerMetrics {
	readonly evaluations: Counter<'group'>;
	readonly fastEvaluations: Counter<'group'>;
	readonly arrivalSeconds: Counter;
	readonly arrivalWaits: Counter;
	readonly arrivalRules: Gauge<'kind'>;
	readonly failures: Counter<'group'>;
	readonly missed: Counter<'group'>;
	readonly ruleSeconds: Histogram;
	readonly groupSeconds: Gauge<'group'>;
	readonly groupInterval: Gauge<'group'>;
	readonly groupRules: Gauge<'group'>;
	readonly groupSamples: Gauge<'group'>;
	readonly lastEvaluation: Gauge<'group'>;
	readonly sent: Counter;
	readonly sendFailures: Counter;
	readonly writeFailures: Counter<'group'>;
}

/** The label `group` is `file;name`. */
export function createRulerMetrics(registry: Registry): RulerMetrics {
	const registers = [registry];
	const labelNames = ['group'] as const;
	return {
		evaluations: new Counter({ name: 'fournines_ruler_evaluations_total', help: 'Rule evaluations.', labelNames, registers }),
		fastEvaluations: new Counter({
			name: 'fournines_ruler_fast_evaluations_total',
			help: 'Rule evaluations between slots: because samples arrived, or because an alert had waited long enough.',
			labelNames,
			registers,
		}),
		arrivalSeconds: new Counter({
			name: 'fournines_ruler_arrival_seconds_total',
			help: 'Time spent on evaluations between slots; its rate is the share of a core that they take.',
			registers,
		}),
		arrivalWaits: new Counter({
			name: 'fournines_ruler_arrival_waits_total',
			help: 'Rules whose samples had arrived, and which their slot came to first, because the share was used up or the rule is dear.',
			registers,
		}),
		arrivalRules: new Gauge({
			name: 'fournines_ruler_arrival_rules_count',
			help: 'Rules by what is evaluated when their samples arrive: the part they belong to, the whole rule, or nothing before the slot.',
			labelNames: ['kind'],
			registers,
		}),
		failures: new Counter({
			name: 'fournines_ruler_evaluation_failures_total',
			help: 'Rule evaluations that failed.',
			labelNames,
			registers,
		}),
		missed: new Counter({
			name: 'fournines_ruler_iterations_missed_total',
			help: 'Iterations of a group that were left out because the one before took too long.',
			labelNames,
			registers,
		}),
		ruleSeconds: new Histogram({
			name: 'fournines_ruler_rule_duration_seconds',
			help: 'Duration of the evaluation of a rule.',
			buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30],
			registers,
		}),
		groupSeconds: new Gauge({
			name: 'fournines_ruler_group_duration_seconds',
			help: 'Duration of the last evaluation of a group.',
			labelNames,
			registers,
		}),
		groupInterval: new Gauge({ name: 'fournines_ruler_group_interval_seconds', help: 'Interval of a group.', labelNames, registers }),
		groupRules: new Gauge({ name: 'fournines_ruler_group_rules_count', help: 'Rules of a group.', labelNames, registers }),
		groupSamples: new Gauge({
			name: 'fournines_ruler_group_samples_count',
			help: 'Samples that the last evaluation of a group wrote.',
			labelNames,
			registers,
		}),
		lastEvaluation: new Gauge({
			name: 'fournines_ruler_group_last_evaluation_timestamp_seconds',
			help: 'When a group was last evaluated.',
			labelNames,
			registers,
		}),
		sent: new Counter({ name: 'fournines_ruler_alerts_sent_total', help: 'Alerts handed over, repetitions included.', registers }),
		sendFailures: new Counter({
			name: 'fournines_ruler_alert_batches_failed_total',
			help: 'Batches of alerts that could not be handed over; they are repeated at the next evaluation.',
			registers,
		}),
		writeFailures: new Counter({
			name: 'fournines_ruler_write_failures_total',
			help: 'Batches of rule results that the store refused.',
			labelNames,
			registers,
		}),
	};
}

/** Forgets a group that is no longer there, so that it does not look as if it stood still. */
export function dropGroupMetrics(metrics: RulerMetrics, group: string): void {
	for (const metric of [metrics.groupSeconds, metrics.groupInterval, metrics.groupRules, metrics.groupSamples, metrics.lastEvaluation]) {
		metric.remove({ group });
	}
	for (const metric of [metrics.evaluations, metrics.fastEvaluations, metrics.failures, metrics.missed, metrics.writeFailures])
		metric.remove({ group });
}
