import type { Gauge } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import { parseDuration } from '../core/duration.ts';
import { nextTime, parseSchedule, previousTime } from '../core/schedule.ts';
import type { DeliveryEvent } from './delivery/personal.ts';
import type { Duty } from './duty.ts';
import type { Incident } from './incident/incident.ts';
import type { IncidentEvent } from './incident/incident-event.ts';
import { type Incidents, PRODUCT } from './incident/incidents.ts';
import type { NotificationHistory } from './ports.ts';

export interface DrillsOptions {
	readonly incidents: Incidents;
	readonly duty: Duty;
	/** What became of an incident's messages. */
	readonly deliveries: NotificationHistory['deliveries'];
	readonly clock: Clock;
	/** Addresses that the last drill did not reach. */
	readonly failures: Gauge;
}

/** A drill whose time passed while the collector was down is made up for within this. */
const LATE_MS = 3_600_000;
/** A drill that was longer ago says nothing about today's addresses. */
const RECALLED_MS = 35 * 86_400_000;

/** Fire drills: a message through every address of those who have duty, begun by hand or by the schedule. */
export class Drills {
	readonly #options: DrillsOptions;
	#recalled = false;

	constructor(options: DrillsOptions) {
		this.#options = options;
	}

	start(by: string): Promise<Incident> {
		const { incidents, duty, clock } = this.#options;
		const { drill } = duty.plan.config;
		const to = drill?.to ?? duty.rosters.map(({ id }) => `roster:${id}`);
		return incidents.open({
			source: { kind: 'drill' },
			title: duty.plan.phrases.drill(by === PRODUCT ? null : by),
			severity: 'info',
			labels: {},
			startsAtMs: clock.now(),
			chain: { policy: 'drill', steps: [{ to, waitMs: this.#lastsMs(), times: 1 }], rounds: 1, unacknowledgeAfterMs: 0 },
		});
	}

	/** When the next one is due; `null` without a schedule. */
	nextMs(): number | null {
		const schedule = this.#schedule();
		return schedule === null ? null : nextTime(schedule, this.#options.clock.now());
	}

	/** Ends those whose time is over, and begins the one that is due. */
	async turn(): Promise<void> {
		const { incidents, clock } = this.#options;
		await this.#recall();
		const nowMs = clock.now();
		for (const { id, source, state, openedAtMs } of incidents.active()) {
			if (source.kind !== 'drill' || state === 'resolved' || nowMs < openedAtMs + this.#lastsMs()) continue;
			await this.#count(id);
			await incidents.endDrill(id);
		}
		const schedule = this.#schedule();
		const dueMs = schedule === null ? null : previousTime(schedule, nowMs);
		if (dueMs === null || nowMs - dueMs > LATE_MS) return;
		const since = await incidents.list({ fromMs: dueMs, limit: 500 });
		if (!since.some(({ source }) => source.kind === 'drill')) await this.start(PRODUCT);
	}

	/** What the last drill before this process left undelivered goes on being told. */
	async #recall(): Promise<void> {
		if (this.#recalled) return;
		const { incidents, clock } = this.#options;
		const past = await incidents.list({ state: 'resolved', fromMs: clock.now() - RECALLED_MS, limit: 500 });
		const last = past.find(({ source }) => source.kind === 'drill');
		if (last !== undefined) await this.#count(last.id);
		this.#recalled = true;
	}

	async #count(id: string): Promise<void> {
		const { incidents, deliveries, failures } = this.#options;
		failures.set(failedAddresses(await incidents.events(id), await deliveries(id)));
	}

	#lastsMs(): number {
		return parseDuration(this.#options.duty.plan.config.drill?.lasts ?? '30m');
	}

	#schedule() {
		const { drill, zone } = this.#options.duty.plan.config;
		if (drill === undefined) return null;
		const parsed = parseSchedule({ zone, ...drill.schedule });
		return parsed.kind === 'ok' ? parsed.schedule : null;
	}
}

/** Of a drill: every address has a message of its own. What a receipt denies has not arrived. */
function failedAddresses(events: readonly IncidentEvent[], deliveries: readonly DeliveryEvent[]): number {
	const called = events.flatMap(({ body }) => (body.kind === 'called' ? body.people : []));
	const having = (...kinds: readonly DeliveryEvent['kind'][]) =>
		new Set(deliveries.filter(({ kind }) => kinds.includes(kind)).map(({ requestId }) => requestId));
	const taken = having('sent', 'delivered', 'read');
	const denied = having('undelivered', 'missing');
	return called.filter(({ requestId }) => !taken.has(requestId) || denied.has(requestId)).length;
}
