import type { Clock } from '../../core/clock.ts';
import type { Incident } from './incident.ts';
import type { IncidentEvent } from './incident-event.ts';
import type { IncidentStore } from './incident-store.ts';

export interface CopiedAcknowledgement {
	readonly incident: string;
	/** The fault that it was opened for or tied to. */
	readonly fault: string | null;
	/** Of all alerts that ever belonged to it. */
	readonly fingerprints: readonly string[];
	/** Labels of the incident and of the alerts that it shows, by which its services are known. */
	readonly labels: readonly Readonly<Record<string, string>>[];
	/** What lasted at some moment of this was what somebody had taken; `toMs` is `null` while it goes on. */
	readonly fromMs: number;
	readonly toMs: number | null;
	/** Account, or person without one. */
	readonly by: string;
	readonly atMs: number;
}

export interface AcknowledgementCopiesOptions {
	readonly store: Pick<IncidentStore, 'events' | 'list'>;
	/** Asked again until the incident is over, so it must be idempotent. */
	readonly copy: (acknowledged: CopiedAcknowledgement) => Promise<void>;
	/** Account of a person, or the person without one. */
	readonly account: (person: string) => string;
	readonly onFailure: (incident: Incident, error: unknown) => void;
	readonly clock: Clock;
}

/** Alerts of one incident whose faults are looked for; a storm has more, and its faults are those of its first ones. */
const MOST_COPIED = 1000;
/** The fault that an acknowledgement belongs to may be opened when the incident is over already. */
const COPY_AFTER_MS = 15 * 60_000;
const LOOKED_BACK_MS = 86_400_000;

/** Hands acknowledgements on to the faults of the contract, which are recorded elsewhere and may begin later. */
export class AcknowledgementCopies {
	readonly #options: AcknowledgementCopiesOptions;

	constructor(options: AcknowledgementCopiesOptions) {
		this.#options = options;
	}

	/** Never rejects: the next minute asks again. */
	async copy(incident: Incident): Promise<void> {
		const { store, copy, account, onFailure } = this.#options;
		try {
			for (const copied of acknowledgementsOf(incident, await store.events(incident.id), account)) await copy(copied);
		} catch (error) {
			onFailure(incident, error);
		}
	}

	/** Those of the last day that somebody took. */
	async copyAll(): Promise<void> {
		const { store, clock } = this.#options;
		const nowMs = clock.now();
		for (const incident of await store.list({ fromMs: nowMs - LOOKED_BACK_MS, limit: 500 })) {
			const taken = incident.acknowledgedAtMs !== null;
			if (taken && nowMs - (incident.resolvedAtMs ?? nowMs) < COPY_AFTER_MS) await this.copy(incident);
		}
	}
}

/** Every acknowledgement with the time that it covers: from the start, or from when the incident was nobody's again, up to the next such moment or the end. */
function acknowledgementsOf(
	incident: Incident,
	events: readonly IncidentEvent[],
	account: (person: string) => string,
): readonly CopiedAcknowledgement[] {
	const joined = events.flatMap(({ body }) => (body.kind === 'joined' ? [body] : []));
	const about = {
		incident: incident.id,
		fault: incident.fault,
		fingerprints: [...new Set(joined.flatMap(({ alerts }) => alerts))].slice(0, MOST_COPIED),
		labels: [incident.labels, ...joined.flatMap(({ shown }) => shown.map(({ labels }) => labels))],
	};
	const found: CopiedAcknowledgement[] = [];
	let fromMs = incident.startsAtMs;
	let taken: { readonly by: string; readonly atMs: number } | null = null;
	const end = (toMs: number | null) => {
		if (taken !== null) found.push({ ...about, ...taken, fromMs, toMs });
		taken = null;
	};
	for (const { body, atMs } of events) {
		if (body.kind === 'acknowledged') taken ??= { by: account(body.person), atMs };
		if (body.kind !== 'released') continue;
		end(atMs);
		fromMs = atMs;
	}
	end(incident.resolvedAtMs);
	return found;
}
