import { Counter, Gauge, type Registry } from 'prom-client';

/** What on-call says of itself; documented in docs/metrics/on-call.md. */
export interface EscalationMetrics {
	readonly incidents: Gauge<'state'>;
	readonly calls: Counter<'outcome'>;
	readonly overdue: Gauge;
	readonly unanswered: Gauge;
	readonly audited: Gauge;
	readonly onDuty: Gauge<'roster'>;
	readonly gap: Gauge<'rule'>;
	readonly unsigned: Gauge;
	readonly drillFailures: Gauge;
	readonly failures: Counter<'part'>;
}

export function createEscalationMetrics(registry: Registry): EscalationMetrics {
	const registers = [registry];
	return {
		incidents: new Gauge({
			name: 'fournines_oncall_incidents',
			help: 'Incidents that are not over, by state.',
			labelNames: ['state'],
			registers,
		}),
		calls: new Counter({
			name: 'fournines_oncall_calls_total',
			help: 'Calls to people, and steps with nobody to call.',
			labelNames: ['outcome'],
			registers,
		}),
		overdue: new Gauge({
			name: 'fournines_oncall_overdue_steps',
			help: 'Incidents whose next step should have been taken a minute ago.',
			registers,
		}),
		unanswered: new Gauge({
			name: 'fournines_oncall_unanswered_incidents',
			help: 'Open incidents whose chain has ended without anybody taking them.',
			registers,
		}),
		audited: new Gauge({
			name: 'fournines_oncall_audit_timestamp_seconds',
			help: 'When the next steps of all incidents were last checked.',
			registers,
		}),
		onDuty: new Gauge({ name: 'fournines_oncall_people_now', help: 'People on duty now.', labelNames: ['roster'], registers }),
		gap: new Gauge({
			name: 'fournines_oncall_gap_seconds',
			help: 'Time ahead during which duty is thinner than the rule asks.',
			labelNames: ['rule'],
			registers,
		}),
		unsigned: new Gauge({ name: 'fournines_oncall_handovers_unsigned', help: 'Hand-over records that are late to be signed.', registers }),
		drillFailures: new Gauge({
			name: 'fournines_oncall_drill_failed_addresses',
			help: 'Addresses that did not take the message of the last fire drill.',
			registers,
		}),
		failures: new Counter({
			name: 'fournines_oncall_failures_total',
			help: 'Looks at incidents, duty and records that failed, each of which is repeated.',
			labelNames: ['part'],
			registers,
		}),
	};
}
