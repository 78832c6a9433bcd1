import { dateTimeText } from '../format/time.ts';
import type { Language } from '../texts/catalogue.ts';

export interface FormattedValue {
	readonly prefix: string;
	readonly text: string;
	/** With its leading space, where one belongs. */
	readonly suffix: string;
}

export interface UnitOptions {
	readonly unit: string;
	/** `null` chooses as many as the size of the number needs. */
	readonly decimals: number | null;
	readonly language: Language;
}

/** A number in one of Grafana's units. Words (per second, days) are in the reader's language, symbols are everybody's. */
export function formatUnit(value: number, options: UnitOptions): FormattedValue {
	if (Number.isNaN(value)) return plain('NaN');
	if (!Number.isFinite(value)) return plain(value > 0 ? '+Inf' : '-Inf');
	const { unit, decimals, language } = options;
	const chinese = language === 'zh';
	const scaledBy = (scale: Scale, suffix = '') => scaled(value, scale, decimals, suffix);
	switch (unit) {
		case '':
		case 'none':
			return plain(number(value, decimals ?? automaticDecimals(value)));
		case 'string':
			return plain(String(value));
		case 'short':
		case 'sishort':
			return scaledBy(SHORT);
		case 'locale':
			return plain(value.toLocaleString('en-US', decimals === null ? {} : { maximumFractionDigits: decimals }));
		case 'percent':
			return { prefix: '', text: number(value, decimals ?? automaticDecimals(value)), suffix: '%' };
		case 'percentunit':
			return { prefix: '', text: number(value * 100, decimals ?? automaticDecimals(value * 100)), suffix: '%' };
		case 'bytes':
			return scaledBy(IEC);
		case 'decbytes':
			return scaledBy(SI_BYTES);
		case 'binBps':
			return scaledBy(IEC, '/s');
		case 'Bps':
			return scaledBy(SI_BYTES, '/s');
		case 'bits':
		case 'decbits':
			return scaledBy(SI_BITS);
		case 'bps':
			return scaledBy(SI_BITS, '/s');
		case 'binbps':
			return scaledBy(IEC_BITS, '/s');
		case 's':
			return duration(value, decimals, chinese);
		case 'ms':
			return duration(value / 1e3, decimals, chinese);
		case 'µs':
			return duration(value / 1e6, decimals, chinese);
		case 'ns':
			return duration(value / 1e9, decimals, chinese);
		case 'm':
			return duration(value * 60, decimals, chinese);
		case 'h':
			return duration(value * 3600, decimals, chinese);
		case 'd':
			return duration(value * 86_400, decimals, chinese);
		case 'dtdurations':
			return plain(longDuration(value, chinese));
		case 'dtdurationms':
			return plain(longDuration(value / 1000, chinese));
		case 'dateTimeAsIso':
		case 'dateTimeAsLocal':
		case 'dateTimeAsSystem':
			return plain(dateTimeText(value));
		case 'dateTimeFromNow':
			return plain(longDuration((Date.now() - value) / 1000, chinese) + (chinese ? '前' : ' ago'));
		case 'reqps':
		case 'ops':
		case 'cps':
		case 'rps':
		case 'wps':
		case 'iops':
			return scaledBy(SHORT, chinese ? ' 次/秒' : ` ${RATE_WORDS[unit] ?? '/s'}`);
		case 'pps':
			return scaledBy(SHORT, chinese ? ' 包/秒' : ' p/s');
		case 'reqpm':
		case 'opm':
		case 'cpm':
			return scaledBy(SHORT, chinese ? ' 次/分' : '/min');
		case 'hertz':
			return scaledBy(SI, 'Hz');
		case 'celsius':
			return { prefix: '', text: number(value, decimals ?? automaticDecimals(value)), suffix: ' °C' };
		case 'bool':
			return plain(chinese ? (value === 0 ? '否' : '是') : value === 0 ? 'False' : 'True');
		case 'bool_yes_no':
			return plain(chinese ? (value === 0 ? '否' : '是') : value === 0 ? 'No' : 'Yes');
		case 'bool_on_off':
			return plain(chinese ? (value === 0 ? '关' : '开') : value === 0 ? 'Off' : 'On');
		case 'currencyCNY':
			return { ...scaledBy(SHORT), prefix: '¥' };
		default: {
			const text = number(value, decimals ?? automaticDecimals(value));
			// `suffix:次` and `prefix:No.`, and a bare word stands for itself, as in Grafana.
			if (unit.startsWith('prefix:')) return { prefix: unit.slice(7), text, suffix: '' };
			return { prefix: '', text, suffix: ` ${unit.replace(/^suffix:/, '')}` };
		}
	}
}

export function unitText(value: number, options: UnitOptions): string {
	const { prefix, text, suffix } = formatUnit(value, options);
	return prefix + text + suffix;
}

const RATE_WORDS: Readonly<Record<string, string>> = { reqps: 'req/s', ops: 'ops/s', cps: 'c/s', rps: 'rd/s', wps: 'wr/s', iops: 'io/s' };

interface Scale {
	readonly base: number;
	readonly names: readonly string[];
}

const SHORT: Scale = { base: 1000, names: ['', ' K', ' M', ' G', ' T', ' P'] };
const SI: Scale = { base: 1000, names: [' ', ' k', ' M', ' G', ' T', ' P'] };
const IEC: Scale = { base: 1024, names: [' B', ' KiB', ' MiB', ' GiB', ' TiB', ' PiB'] };
const SI_BYTES: Scale = { base: 1000, names: [' B', ' kB', ' MB', ' GB', ' TB', ' PB'] };
const SI_BITS: Scale = { base: 1000, names: [' b', ' kb', ' Mb', ' Gb', ' Tb', ' Pb'] };
const IEC_BITS: Scale = { base: 1024, names: [' b', ' Kib', ' Mib', ' Gib', ' Tib', ' Pib'] };

function plain(text: string): FormattedValue {
	return { prefix: '', text, suffix: '' };
}

function scaled(value: number, scale: Scale, decimals: number | null, suffix: string): FormattedValue {
	let size = value;
	let step = 0;
	while (Math.abs(size) >= scale.base && step < scale.names.length - 1) {
		size /= scale.base;
		step++;
	}
	const name = scale.names[step] ?? '';
	const glue = name === '' && suffix !== '' && !suffix.startsWith(' ') ? ' ' : '';
	return { prefix: '', text: number(size, decimals ?? automaticDecimals(size)), suffix: glue + name + suffix };
}

/** Three figures that matter, and no zeros at the end. */
function automaticDecimals(value: number): number {
	const size = Math.abs(value);
	if (size === 0 || Number.isInteger(value)) return 0;
	if (size >= 100) return 0;
	if (size >= 10) return 1;
	if (size >= 0.1) return 2;
	return Math.min(8, 1 - Math.floor(Math.log10(size)));
}

function number(value: number, decimals: number): string {
	const text = value.toFixed(Math.min(20, Math.max(0, decimals)));
	// Rounding to nothing keeps the sign, and "-0" says something that is not so.
	return /^-0(\.0+)?$/.test(text) ? text.slice(1) : text;
}

function duration(seconds: number, decimals: number | null, chinese: boolean): FormattedValue {
	const size = Math.abs(seconds);
	const as = (value: number, suffix: string): FormattedValue => ({
		prefix: '',
		text: number(value, decimals ?? automaticDecimals(value)),
		suffix: ` ${suffix}`,
	});
	if (size === 0) return as(0, 's');
	if (size < 1e-6) return as(seconds * 1e9, 'ns');
	if (size < 1e-3) return as(seconds * 1e6, 'µs');
	if (size < 1) return as(seconds * 1e3, 'ms');
	if (size < 60) return as(seconds, 's');
	if (size < 3600) return as(seconds / 60, chinese ? '分' : 'min');
	if (size < 86_400) return as(seconds / 3600, chinese ? '小时' : 'h');
	return as(seconds / 86_400, chinese ? '天' : 'd');
}

function longDuration(seconds: number, chinese: boolean): string {
	const whole = Math.max(0, Math.floor(seconds));
	const units = chinese ? ['天', '小时', '分', '秒'] : ['d', 'h', 'min', 's'];
	const counts = [Math.floor(whole / 86_400), Math.floor((whole % 86_400) / 3600), Math.floor((whole % 3600) / 60), whole % 60];
	const first = counts.findIndex((count) => count > 0);
	if (first < 0) return `0 ${units[3]}`;
	return counts
		.slice(first, first + 2)
		.map((count, i) => (count === 0 ? '' : `${count} ${units[first + i]}`))
		.filter((part) => part !== '')
		.join(' ');
}
