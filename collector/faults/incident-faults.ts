import type { Fault } from './fault.ts';
import type { FaultStore } from './fault-store.ts';

/** On-call took an incident. */
export interface IncidentAcknowledgement {
	readonly incident: string;
	readonly by: string;
	readonly atMs: number;
	readonly fault: string | null;
	readonly fingerprints: readonly string[];
	readonly services: readonly string[];
	readonly fromMs: number;
	/** `null` while it goes on. */
	readonly toMs: number | null;
}

/** The faults that an incident is about: the one it is tied to, those of its alerts, and outages of its services while it lasted. */
export async function faultsOfIncident(
	store: Pick<FaultStore, 'findSource' | 'list'>,
	request: IncidentAcknowledgement,
): Promise<ReadonlySet<string>> {
	const found = new Set<string>();
	for (const fingerprint of request.fingerprints) {
		const known = await store.findSource(`alert:${fingerprint}`);
		if (known !== null) found.add(known.fault.id);
	}
	for (const { fault } of await store.list('open')) {
		const tells = fault.reminded.some((mark) => request.fingerprints.some((fingerprint) => mark.startsWith(`alert:${fingerprint}@`)));
		if (fault.id === request.fault || tells || isOutageWithin(fault, request)) found.add(fault.id);
	}
	return found;
}

/** An outage of one of the services, both of which lasted at the same moment. */
function isOutageWithin({ source, service, affected, moments }: Fault, { services, fromMs, toMs }: IncidentAcknowledgement): boolean {
	if (source !== 'outage' || service === null || moments.onset === null) return false;
	if (![service, ...affected].some((id) => services.includes(id))) return false;
	return moments.onset < (toMs ?? Number.POSITIVE_INFINITY) && (moments.restored ?? Number.POSITIVE_INFINITY) > fromMs;
}
