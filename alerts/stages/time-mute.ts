import type { Route } from '../route/route.ts';

/**
 * Why a route tells nobody at this moment: inside one of its `mute_time_intervals`, or outside of all of its
 * `active_time_intervals`; `''` when it tells. What it holds back, recoveries included, is told when the time is over.
 */
export function timeMute(route: Pick<Route, 'muteTimeIntervals' | 'activeTimeIntervals'>, nowMs: number): string {
	const muting = route.muteTimeIntervals.find((interval) => interval.contains(nowMs));
	if (muting !== undefined) return `time:${muting.name}`;
	const { activeTimeIntervals } = route;
	if (activeTimeIntervals.length === 0 || activeTimeIntervals.some((interval) => interval.contains(nowMs))) return '';
	return `time:not ${activeTimeIntervals.map(({ name }) => name).join(' ')}`;
}
