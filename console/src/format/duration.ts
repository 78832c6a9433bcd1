import type { Texts } from '../texts/zh.ts';

/** The two largest units that say something: `3 天 4 小时`, `12 分 5 秒`, `13 秒`. */
export function durationText(seconds: number, units: Texts['duration']): string {
	const whole = Math.max(0, Math.floor(seconds));
	const days = Math.floor(whole / 86_400);
	const hours = Math.floor((whole % 86_400) / 3600);
	const minutes = Math.floor((whole % 3600) / 60);
	const rest = whole % 60;
	const pair = (large: number, largeUnit: string, small: number, smallUnit: string) =>
		small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
	if (days > 0) return pair(days, units.day, hours, units.hour);
	if (hours > 0) return pair(hours, units.hour, minutes, units.minute);
	if (minutes > 0) return pair(minutes, units.minute, rest, units.second);
	return `${rest} ${units.second}`;
}
