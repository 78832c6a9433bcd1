import { sprintf } from './format.ts';

const g4 = (value: number) => sprintf('%.4g', [value]);

/** `1234567` is `1.235M`; below one it goes to `m`, `u`, …. */
export function humanize(value: number): string {
	if (value === 0 || !Number.isFinite(value)) return g4(value);
	let prefix = '';
	let scaled = value;
	if (Math.abs(value) >= 1) {
		for (const next of ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']) {
			if (Math.abs(scaled) < 1000) break;
			prefix = next;
			scaled /= 1000;
		}
	} else {
		for (const next of ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y']) {
			if (Math.abs(scaled) >= 1) break;
			prefix = next;
			scaled *= 1000;
		}
	}
	return g4(scaled) + prefix;
}

export function humanize1024(value: number): string {
	if (Math.abs(value) <= 1 || !Number.isFinite(value)) return g4(value);
	let prefix = '';
	let scaled = value;
	for (const next of ['ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi']) {
		if (Math.abs(scaled) < 1024) break;
		prefix = next;
		scaled /= 1024;
	}
	return g4(scaled) + prefix;
}

/** Seconds as `1d 2h 3m 4s`; less than a minute with four significant digits. */
export function humanizeDuration(value: number): string {
	if (!Number.isFinite(value)) return g4(value);
	if (value === 0) return `${g4(value)}s`;
	const sign = value < 0 ? '-' : '';
	const positive = Math.abs(value);
	if (positive >= 1) {
		const whole = Math.trunc(positive);
		const seconds = whole % 60;
		const minutes = Math.floor(whole / 60) % 60;
		const hours = Math.floor(whole / 3600) % 24;
		const days = Math.floor(whole / 86_400);
		if (days !== 0) return `${sign}${days}d ${hours}h ${minutes}m ${seconds}s`;
		if (hours !== 0) return `${sign}${hours}h ${minutes}m ${seconds}s`;
		if (minutes !== 0) return `${sign}${minutes}m ${seconds}s`;
		return `${sign}${g4(positive)}s`;
	}
	let prefix = '';
	let scaled = value;
	for (const next of ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y']) {
		if (Math.abs(scaled) >= 1) break;
		prefix = next;
		scaled *= 1000;
	}
	return `${g4(scaled)}${prefix}s`;
}

export function humanizePercentage(value: number): string {
	return `${g4(value * 100)}%`;
}

/** Unix seconds as Go prints a UTC time: `2015-10-21 07:28:00 +0000 UTC`. */
export function humanizeTimestamp(value: number): string {
	if (!Number.isFinite(value)) return g4(value);
	const date = new Date(value * 1000);
	if (Number.isNaN(date.getTime())) return g4(value);
	const iso = date.toISOString();
	const fraction = iso.slice(19, 23).replace(/\.?0+$/, '');
	return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${fraction} +0000 UTC`;
}
