import type { Gauge } from 'prom-client';
import type { Clock } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { type RepeatedTurn, repeatedTurn } from '../../core/repeated-turn.ts';
import type { Maintenance, Overrun } from './maintenance.ts';

export interface MaintenanceWatchOptions {
	readonly maintenance: Maintenance;
	/** Tells the owners. Called every turn with all that overruns: what is not told again counts as over. */
	readonly tell: (overruns: readonly Overrun[]) => Promise<void>;
	readonly clock: Clock;
	readonly log: Logger;
	readonly active: Gauge;
	readonly overruns: Gauge;
}

const TURN_MS = 10_000;

/** Looks every ten seconds for work that goes on after its planned end. */
export function maintenanceWatch(options: MaintenanceWatchOptions): RepeatedTurn & { turn(): Promise<void> } {
	const { maintenance, tell, clock, log } = options;
	const turn = async (): Promise<void> => {
		const nowMs = clock.now();
		const overruns = maintenance.overruns(nowMs);
		options.active.set(maintenance.active(nowMs).length);
		options.overruns.set(overruns.length);
		if (overruns.length > 0) await tell(overruns);
	};
	const turns = repeatedTurn({
		turn,
		everyMs: TURN_MS,
		clock,
		failed: (error) => log.error({ error: errorText(error) }, 'overruns of maintenance could not be told; the next turn tries again'),
	});
	return { ...turns, turn };
}
