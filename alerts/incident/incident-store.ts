import type { Incident, IncidentState } from './incident.ts';
import type { IncidentEvent } from './incident-event.ts';

/** New events of an incident, and what they make of it. */
export interface IncidentChange {
	readonly incident: Incident;
	/** Oldest first; empty where only what waits for delivery became less. */
	readonly events: readonly IncidentEvent[];
}

export interface IncidentQuery {
	readonly state?: IncidentState | 'unresolved';
	/** Opened in `[fromMs, toMs)`. */
	readonly fromMs?: number;
	readonly toMs?: number;
	/** Only those with a lower number: the page after one that ended there. */
	readonly below?: number;
	readonly limit: number;
}

/** Implemented by `collector/state`. */
export interface IncidentStore {
	/** Those that are not over, and those that still owe somebody a message. */
	active(): Promise<readonly Incident[]>;
	/** Highest number ever given, 0 when none. */
	lastNumber(): Promise<number>;
	/** Durable and atomic. */
	write(changes: readonly IncidentChange[]): Promise<void>;
	get(id: string): Promise<Incident | null>;
	byNumber(number: number): Promise<Incident | null>;
	/** Newest first. */
	list(query: IncidentQuery): Promise<readonly Incident[]>;
	/** Oldest first. */
	events(id: string): Promise<readonly IncidentEvent[]>;
	/** Incidents whose next call was due before `beforeMs` and has not been made: read from the disk, because whoever makes the calls may hang. */
	overdue(beforeMs: number): Promise<readonly { readonly id: string; readonly number: number; readonly dueAtMs: number }[]>;
	/** Removes incidents that were over before, with their events. */
	purge(resolvedBeforeMs: number): Promise<void>;
}
