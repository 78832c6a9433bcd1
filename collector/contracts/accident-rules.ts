import { formatZoned } from '../../core/zone-time.ts';
import type { AssessedFault, RawItem } from './assessed.ts';
import { answersFor, countedFaults, type FaultClock, faultItem, type RuleContext } from './fault-rules.ts';
import { spanMs, spokenSpan } from './limits.ts';
import type { Profile, RuleOf } from './profile.ts';

/** Until when a quality accident (质量事故) is told, counted from its onset; `null` for a fault that is none. */
export function accidentClock(
	profile: Pick<Profile, 'accidents'>,
	fault: Pick<AssessedFault, 'accident' | 'moments'>,
	nowMs: number,
): FaultClock | null {
	const { accidents } = profile;
	const { onset } = fault.moments;
	if (accidents === undefined || fault.accident == null || onset === null) return null;
	const dueMs = onset + spanMs(accidents.tell_within);
	const stoppedMs = fault.accident.toldMs;
	return {
		clock: 'tell-accident',
		name: '质量事故上报',
		clause: accidents.clause,
		fromMs: onset,
		dueMs,
		stoppedMs,
		late: (stoppedMs ?? nowMs) > dueMs,
	};
}

/** When an accident that is not resolved goes one rung higher, the first rung first. */
export function accidentRungs(profile: Pick<Profile, 'accidents'>, fault: Pick<AssessedFault, 'accident' | 'moments'>): readonly number[] {
	const { onset } = fault.moments;
	if (fault.accident == null || onset === null) return [];
	return (profile.accidents?.ladder ?? []).map((rung) => onset + spanMs(rung));
}

/** What it costs that an accident was told late, once for every `per` begun. */
export function accidentItems(rule: RuleOf<'accident'>, context: RuleContext): readonly RawItem[] {
	const { profile, input } = context;
	return countedFaults(context).flatMap((fault) => {
		const clock = accidentClock(profile, fault, input.nowMs);
		if (clock === null || !clock.late || !answersFor(profile, fault) || fault.waived.includes(rule.id)) return [];
		const begun = Math.ceil(((clock.stoppedMs ?? input.nowMs) - clock.dueMs) / spanMs(rule.per));
		const zoned = (ms: number) => formatZoned(ms, profile.zone);
		const reason = {
			zh: `${clock.name}：时限 ${zoned(clock.dueMs)}，${clock.stoppedMs === null ? '尚未上报' : `上报于 ${zoned(clock.stoppedMs)}`}，每 ${spokenSpan(rule.per, 'zh')}（不足按一次计）计 ${begun} 次`,
			en: `accident: due ${new Date(clock.dueMs).toISOString()}, ${clock.stoppedMs === null ? 'not told' : `told ${new Date(clock.stoppedMs).toISOString()}`}; ${begun} × ${spokenSpan(rule.per, 'en')} begun`,
		};
		const item = faultItem(rule, { fault, clock: clock.clock, detail: 'accident', atMs: clock.dueMs, points: rule.points * begun, reason });
		return [{ ...item, fen: Math.round(rule.yuan * 100) * begun }];
	});
}
