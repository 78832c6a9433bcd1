import { type Labels, METRIC_NAME } from '../labels.ts';
import type { MetricType } from '../metric-type.ts';

export const EXPOSITION_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** All series of one metric name. */
export interface ExpositionFamily {
	readonly name: string;
	readonly type: MetricType;
	readonly help: string;
	readonly samples: readonly ExpositionSample[];
}

export interface ExpositionSample {
	/** Flat pairs; `__name__` is left out of the braces, and when it differs from the family's name (`_bucket`, `_sum`) it is the one written. */
	readonly labels: Labels;
	readonly value: number;
	/** Written after the value when given. */
	readonly timestampMs?: number;
}

/** Prometheus text format 0.0.4, with `HELP` and `TYPE` before each family. */
export function writeExposition(families: readonly ExpositionFamily[]): string {
	let text = '';
	for (const family of families) {
		if (family.help !== '') text += `# HELP ${family.name} ${escapeHelp(family.help)}\n`;
		text += `# TYPE ${family.name} ${typeName(family.type)}\n`;
		for (const sample of family.samples) text += writeSample(family.name, sample);
	}
	return text;
}

function writeSample(familyName: string, sample: ExpositionSample): string {
	let name = familyName;
	let pairs = '';
	for (let i = 0; i < sample.labels.length; i += 2) {
		const label = sample.labels[i] as string;
		const value = sample.labels[i + 1] as string;
		if (label === METRIC_NAME) {
			name = value;
			continue;
		}
		pairs += `${pairs === '' ? '' : ','}${label}="${escapeLabelValue(value)}"`;
	}
	const braces = pairs === '' ? '' : `{${pairs}}`;
	const time = sample.timestampMs === undefined ? '' : ` ${sample.timestampMs}`;
	return `${name}${braces} ${formatSampleValue(sample.value)}${time}\n`;
}

/** The format knows five types; the others are written as the nearest that a 0.0.4 parser takes. */
function typeName(type: MetricType): string {
	switch (type) {
		case 'unknown':
			return 'untyped';
		case 'info':
		case 'stateset':
			return 'gauge';
		case 'gaugehistogram':
			return 'histogram';
		default:
			return type;
	}
}

/** A float as Prometheus' parsers take it: `+Inf`, `-Inf`, `NaN`, otherwise the shortest decimal that reads back to the same bits. */
export function formatSampleValue(value: number): string {
	if (value === Infinity) return '+Inf';
	if (value === -Infinity) return '-Inf';
	return Object.is(value, -0) ? '-0' : String(value);
}

function escapeHelp(text: string): string {
	return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}

function escapeLabelValue(text: string): string {
	return /[\\"\n]/.test(text) ? text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n') : text;
}
