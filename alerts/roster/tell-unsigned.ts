import type { Clock } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import type { PersonalDelivery } from '../delivery/personal.ts';
import type { Duty } from '../duty.ts';
import { callOf } from '../escalation/escalation.ts';
import type { EscalationMetrics } from '../escalation/metrics.ts';
import { type Handovers, missingSignatures } from './handovers.ts';

/** Whoever leads learns of records that nobody signed. On record before the message, which delivery knows by its id. */
export async function tellUnsigned(context: {
	readonly duty: Duty;
	readonly handovers: Handovers;
	readonly delivery: PersonalDelivery;
	readonly clock: Clock;
	readonly metrics: EscalationMetrics;
	readonly handed: Set<string>;
}): Promise<void> {
	const { duty, handovers, delivery, clock, metrics, handed } = context;
	const nowMs = clock.now();
	const { sign_within: within, tell } = duty.plan.config.handover;
	const late = handovers.unsigned().filter(({ atMs }) => nowMs - atMs >= parseDuration(within));
	metrics.unsigned.set(late.length);
	const people = duty.resolve(tell);
	for (const record of late) {
		let { told } = record;
		if (told.length === 0 && people.length > 0) {
			told = people.flatMap((person) => callOf(person, nowMs)).map(({ requestId }) => requestId);
			await handovers.told(record.id, told);
		}
		const name = duty.rosters.find(({ id }) => id === record.roster)?.name ?? record.roster;
		const text = duty.plan.phrases.unsigned(name, missingSignatures(record));
		for (const [i, requestId] of told.entries()) {
			const person = people[i];
			if (handed.has(requestId) || person === undefined) continue;
			await delivery.notify({
				id: requestId,
				person: { id: person.id, name: person.name },
				addresses: person.addresses,
				message: { groupKey: `handover:${record.id}`, groupLabels: {}, reason: 'fired', alerts: [], firingCount: 0, resolvedCount: 0 },
				incident: { id: '', code: '', ackUrl: '', clock: '', text },
			});
			handed.add(requestId);
		}
	}
}
