import type { FaultDetailAnswer } from '../../../../protocol/fault-api.ts';
import type { ProblemDetailAnswer } from '../../../../protocol/problem-api.ts';
import { Clause } from './clause.tsx';
import { Countdown } from './countdown.tsx';

/** What the contract gives time for, and how much of it is left. */
export function ClockRows({
	clocks,
	nowMs,
}: {
	readonly clocks: FaultDetailAnswer['clocks'] | ProblemDetailAnswer['clocks'];
	readonly nowMs: number;
}) {
	return clocks.map((clock) => (
		<div key={`${clock.clock} ${clock.dueMs}`} className="check-row">
			<span>
				{clock.name} <Clause clause={clock.clause} />
			</span>
			<Countdown dueMs={clock.dueMs} nowMs={nowMs} stoppedMs={clock.stoppedMs} />
		</div>
	));
}
