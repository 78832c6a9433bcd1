import type { Incident } from '../incident/incident.ts';
import type { IncidentEventBody } from '../incident/incident-event.ts';
import { type Incidents, PRODUCT } from '../incident/incidents.ts';
import type { OnCallPhrases } from '../on-call-phrases.ts';
import { chooseChain, type EscalationPolicy } from './chain.ts';
import { callOf } from './escalation.ts';
import { clockText, type FaultFacts, reminderDue } from './progress.ts';
import type { Person } from './targets.ts';

export interface FaultWatchContext {
	readonly incidents: Incidents;
	readonly policies: readonly EscalationPolicy[];
	readonly resolve: (targets: readonly string[]) => readonly Person[];
	readonly person: (id: string) => Person | null;
	readonly nowMs: number;
	readonly zone: string;
	readonly phrases: OnCallPhrases;
}

/** Ties declared faults to incidents: their level, the chain for it, and the reminders of progress that it asks for. */
export async function watchFaults(faults: readonly FaultFacts[], context: FaultWatchContext): Promise<void> {
	const { incidents } = context;
	for (const fault of faults) {
		const active = incidents.active().filter(({ state }) => state !== 'resolved');
		let incident = incidentOf(fault, active);
		// One that was found by the ledger or reported by telephone: somebody must be reminded all the same.
		if (incident === undefined && fault.restoredMs === null && chainFor(fault, context) !== null) incident = await openFor(fault, context);
		if (incident === undefined) continue;
		await incidents.update(incident.id, PRODUCT, (now) => decide(now, fault, context));
	}
	const lasting = new Set(faults.filter(({ restoredMs }) => restoredMs === null).map(({ id }) => id));
	for (const { id, source, state } of incidents.active()) {
		if (source.kind !== 'fault' || state === 'resolved' || lasting.has(source.fault)) continue;
		await incidents.resolve(id, PRODUCT, context.phrases.faultOver(source.number), 'time');
	}
}

/** By the link, by the alert that opened it, or by the service that both are about. */
function incidentOf(fault: FaultFacts, active: readonly Incident[]): Incident | undefined {
	return (
		active.find((incident) => incident.fault === fault.id) ??
		active.find(({ firing }) => fault.fingerprint !== null && firing.includes(fault.fingerprint)) ??
		active.find((incident) => incident.fault === null && fault.service !== null && incident.labels['service'] === fault.service)
	);
}

function decide(incident: Incident, fault: FaultFacts, context: FaultWatchContext): readonly IncidentEventBody[] {
	const { nowMs, zone } = context;
	if (incident.state === 'resolved') return [];
	const bodies: IncidentEventBody[] = [];
	if (incident.fault !== fault.id || incident.faultLevel !== fault.level) {
		const wanted = chainFor(fault, context);
		const chain = wanted !== null && wanted.policy !== incident.chain?.policy ? wanted : null;
		bodies.push({ kind: 'fault', fault: fault.id, number: fault.number, level: fault.level, chain });
	}
	if (reminderDue(fault, incident.remindedMs, nowMs)) {
		const people = whoReports(incident, context);
		bodies.push({
			kind: 'progress-due',
			fault: fault.id,
			dueMs: fault.progressDueMs ?? nowMs,
			clock: clockText(fault, nowMs, zone),
			text: context.phrases.reportDue(fault.number, fault.title),
			people: people.flatMap((person) => callOf(person, nowMs)),
		});
	}
	return bodies;
}

/** A policy that names the fault's level, and whose other conditions hold. */
function chainFor(fault: FaultFacts, { policies }: FaultWatchContext) {
	const labels: Readonly<Record<string, string>> = fault.service === null ? {} : { service: fault.service };
	const named = policies.filter(({ faultLevels }) => faultLevels.length > 0);
	return chooseChain(named, { severity: 'critical', labels, faultLevel: fault.level });
}

/** Who has it; otherwise whoever was called last; otherwise whom its chain begins with. */
function whoReports(incident: Incident, { resolve, person }: FaultWatchContext): readonly Person[] {
	const owner = incident.owner === '' ? null : person(incident.owner);
	if (owner !== null) return [owner];
	const lastMs = incident.calls.reduce((latest, { atMs }) => Math.max(latest, atMs), 0);
	const called = incident.calls.filter(({ atMs }) => atMs === lastMs).flatMap(({ personId }) => person(personId) ?? []);
	return called.length > 0 ? called : resolve(incident.chain?.steps[0]?.to ?? []);
}

function openFor(fault: FaultFacts, context: FaultWatchContext): Promise<Incident> {
	const labels: Readonly<Record<string, string>> = fault.service === null ? {} : { service: fault.service };
	return context.incidents.open({
		source: { kind: 'fault', fault: fault.id, number: fault.number },
		title: context.phrases.fault(fault.number, fault.title),
		severity: 'critical',
		labels,
		startsAtMs: fault.onsetMs,
		chain: chainFor(fault, context),
	});
}
