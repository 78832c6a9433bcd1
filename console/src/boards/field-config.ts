import type { Language } from '../texts/catalogue.ts';
import type { FieldOverride, Panel } from './board-json.ts';
import { namedColor } from './colors.ts';
import { asList, asNumber, asObject, asText, type JsonObject } from './json-read.ts';
import { type FormattedValue, formatUnit } from './units.ts';

export interface Threshold {
	/** `-Infinity` for the base. */
	readonly from: number;
	readonly color: string;
}

/** How a field is written and coloured, after its overrides. */
export interface FieldConfig {
	readonly displayName: string;
	readonly unit: string;
	readonly decimals: number | null;
	readonly min: number | null;
	readonly max: number | null;
	readonly noValue: string;
	readonly colorMode: string;
	readonly fixedColor: string;
	readonly thresholds: readonly Threshold[];
	/** Thresholds count in percent between `min` and `max`. */
	readonly thresholdsInPercent: boolean;
	readonly mappings: readonly JsonObject[];
	readonly custom: JsonObject;
}

interface FieldIdentity {
	readonly name: string;
	readonly refId: string;
	readonly type: 'number' | 'string' | 'time';
}

/** Defaults of the panel, then every override whose matcher names the field, later ones over earlier ones. */
export function fieldConfigOf(panel: Pick<Panel, 'defaults' | 'overrides'>, field: FieldIdentity): FieldConfig {
	let merged: JsonObject = panel.defaults;
	for (const override of panel.overrides) if (matches(override.matcher, field)) merged = withProperties(merged, override);
	const color = asObject(merged['color']);
	const thresholds = asObject(merged['thresholds']);
	return {
		displayName: asText(merged['displayName']),
		unit: asText(merged['unit']),
		decimals: asNumber(merged['decimals']),
		min: asNumber(merged['min']),
		max: asNumber(merged['max']),
		noValue: asText(merged['noValue']),
		colorMode: asText(color['mode'], 'palette-classic'),
		fixedColor: namedColor(asText(color['fixedColor'], 'gray')),
		thresholds: asList(thresholds['steps'])
			.map(asObject)
			.map((step) => ({ from: asNumber(step['value']) ?? Number.NEGATIVE_INFINITY, color: namedColor(asText(step['color'], 'gray')) }))
			.sort((a, b) => a.from - b.from),
		thresholdsInPercent: thresholds['mode'] === 'percentage',
		mappings: asList(merged['mappings']).map(asObject),
		custom: asObject(merged['custom']),
	};
}

function matches(matcher: FieldOverride['matcher'], field: FieldIdentity): boolean {
	switch (matcher.id) {
		case 'byName':
			return matcher.options === field.name;
		case 'byRegexp':
			return regexOf(asText(matcher.options))?.test(field.name) ?? false;
		case 'byFrameRefID':
			return matcher.options === field.refId;
		case 'byType':
			return matcher.options === field.type;
		default:
			return false;
	}
}

function regexOf(text: string): RegExp | null {
	const parts = /^\/(.*)\/([imsu]*)$/s.exec(text);
	try {
		return parts === null ? new RegExp(`^(?:${text})$`) : new RegExp(parts[1] ?? '', parts[2]);
	} catch {
		return null;
	}
}

function withProperties(defaults: JsonObject, override: FieldOverride): JsonObject {
	const merged: Record<string, unknown> = { ...defaults };
	for (const { id, value } of override.properties) {
		if (id.startsWith('custom.')) merged['custom'] = { ...asObject(merged['custom']), [id.slice('custom.'.length)]: value };
		else merged[id] = value;
	}
	return merged;
}

/** The colour of the highest threshold that the value reaches; `null` without thresholds. */
export function thresholdColor(value: number | null, config: FieldConfig): string | null {
	const [base] = config.thresholds;
	if (base === undefined) return null;
	if (value === null) return base.color;
	const compared = config.thresholdsInPercent ? percentBetween(value, config) : value;
	let { color } = base;
	for (const step of config.thresholds) if (compared >= step.from) color = step.color;
	return color;
}

/** Where a value lies between the field's ends, in percent; the ends default to 0 and 100. */
export function percentBetween(value: number, { min, max }: Pick<FieldConfig, 'min' | 'max'>): number {
	const low = min ?? 0;
	const high = max ?? 100;
	return high === low ? 0 : ((value - low) / (high - low)) * 100;
}

interface MappedResult {
	readonly text: string | null;
	readonly color: string | null;
}

/** Value mappings in the order that Grafana tries them. */
export function mappedValue(value: number | string | null, mappings: readonly JsonObject[]): MappedResult | null {
	for (const mapping of mappings) {
		const options = asObject(mapping['options']);
		switch (mapping['type']) {
			case 'value': {
				const found = options[String(value)];
				if (found !== undefined) return resultOf(asObject(found));
				break;
			}
			case 'range': {
				if (typeof value !== 'number') break;
				const from = asNumber(options['from']) ?? Number.NEGATIVE_INFINITY;
				const to = asNumber(options['to']) ?? Number.POSITIVE_INFINITY;
				if (value >= from && value <= to) return resultOf(asObject(options['result']));
				break;
			}
			case 'special':
				if (isSpecial(value, asText(options['match']))) return resultOf(asObject(options['result']));
				break;
			case 'regex':
				if (typeof value === 'string' && (regexOf(asText(options['pattern']))?.test(value) ?? false))
					return resultOf(asObject(options['result']));
				break;
			default:
				break;
		}
	}
	return null;
}

function isSpecial(value: number | string | null, match: string): boolean {
	const missing = value === null;
	const nan = typeof value === 'number' && Number.isNaN(value);
	switch (match) {
		case 'null':
			return missing;
		case 'nan':
			return nan;
		case 'null+nan':
			return missing || nan;
		case 'empty':
			return value === '';
		default:
			return false;
	}
}

function resultOf(result: JsonObject): MappedResult {
	const color = asText(result['color']);
	const text = asText(result['text']);
	return { text: text === '' ? null : text, color: color === '' ? null : namedColor(color) };
}

export interface DisplayValue extends FormattedValue {
	readonly color: string | null;
}

/** A value as it is shown: mapped, or formatted in its unit; with the colour that it asks for. */
export function displayValue(value: number | null, config: FieldConfig, language: Language): DisplayValue {
	const mapped = mappedValue(value, config.mappings);
	const color =
		mapped?.color ??
		(config.colorMode === 'fixed' ? config.fixedColor : config.colorMode === 'thresholds' ? thresholdColor(value, config) : null);
	if (mapped !== null && mapped.text !== null) return { prefix: '', text: mapped.text, suffix: '', color };
	if (value === null) return { prefix: '', text: config.noValue === '' ? '—' : config.noValue, suffix: '', color: null };
	return { ...formatUnit(value, { unit: config.unit, decimals: config.decimals, language }), color };
}

export function displayText(value: number | null, config: FieldConfig, language: Language): string {
	const { prefix, text, suffix } = displayValue(value, config, language);
	return prefix + text + suffix;
}
