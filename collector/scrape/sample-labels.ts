import { AppError } from '../../core/errors.ts';
import { formatLabels } from '../../core/labels.ts';
import { type Labels, METRIC_NAME } from '../../protocol/labels.ts';
import { type LabelMap, type RelabelStep, relabel } from './relabel.ts';

export interface SampleLabelRules {
	readonly targetLabels: Labels;
	readonly honorLabels: boolean;
	readonly steps: readonly RelabelStep[];
	/** 0: no limit. */
	readonly labelLimit: number;
	readonly nameLengthLimit: number;
	readonly valueLengthLimit: number;
}

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SHOWN_CHARACTERS = 300;

/**
 * The labels under which a scraped series is stored, or `null` when relabelling drops it. `exposed` has the name and the labels as the
 * exporter wrote them, empty values included, because with `honor_labels` an empty label keeps the target's away. Throws
 * `FN_SCRAPE_LABELS_INVALID` and `FN_SCRAPE_LABEL_LIMIT`, which fail the whole scrape as in Prometheus.
 */
export function sampleLabels(exposed: LabelMap, rules: SampleLabelRules): Labels | null {
	addTargetLabels(exposed, rules);
	for (const [name, value] of [...exposed]) if (value === '') exposed.delete(name);
	if (!relabel(exposed, rules.steps) || exposed.size === 0) return null;
	const labels = [...exposed].sort(([a], [b]) => (a < b ? -1 : 1)).flat();
	checkValid(labels);
	checkLimits(labels, rules);
	return labels;
}

function addTargetLabels(exposed: LabelMap, { targetLabels, honorLabels }: SampleLabelRules): void {
	const conflicting: [string, string][] = [];
	for (let i = 0; i < targetLabels.length; i += 2) {
		const name = targetLabels[i] as string;
		const existing = exposed.get(name);
		if (honorLabels && existing !== undefined) continue;
		if (existing !== undefined && existing !== '') conflicting.push([name, existing]);
		exposed.set(name, targetLabels[i + 1] as string);
	}
	// Shorter names first, as Prometheus does, so that exported_a and a cannot trade places.
	conflicting.sort(([a], [b]) => a.length - b.length);
	for (const [name, value] of conflicting) {
		let renamed = `exported_${name}`;
		while ((exposed.get(renamed) ?? '') !== '') renamed = `exported_${renamed}`;
		exposed.set(renamed, value);
	}
}

function checkValid(labels: Labels): void {
	let metric = '';
	for (let i = 0; i < labels.length; i += 2) {
		const name = labels[i] as string;
		if (!LABEL_NAME.test(name))
			throw invalid(`relabelling made the label name ${JSON.stringify(name.slice(0, SHOWN_CHARACTERS))}, which is invalid`);
		if (name === METRIC_NAME) metric = labels[i + 1] as string;
	}
	if (metric === '') throw invalid(`relabelling left ${shown(labels)} without a metric name`);
	if (!METRIC.test(metric))
		throw invalid(`relabelling made the metric name ${JSON.stringify(metric.slice(0, SHOWN_CHARACTERS))}, which is invalid`);
}

function checkLimits(labels: Labels, { labelLimit, nameLengthLimit, valueLengthLimit }: SampleLabelRules): void {
	if (labelLimit > 0 && labels.length / 2 > labelLimit) {
		throw beyond(`${shown(labels)} has ${labels.length / 2} labels; label_limit is ${labelLimit}`);
	}
	if (nameLengthLimit === 0 && valueLengthLimit === 0) return;
	for (let i = 0; i < labels.length; i += 2) {
		if (nameLengthLimit > 0 && Buffer.byteLength(labels[i] as string) > nameLengthLimit) {
			throw beyond(`${shown(labels)} has a label name longer than label_name_length_limit, which is ${nameLengthLimit}`);
		}
		if (valueLengthLimit > 0 && Buffer.byteLength(labels[i + 1] as string) > valueLengthLimit) {
			throw beyond(`${shown(labels)} has a value of ${labels[i]} longer than label_value_length_limit, which is ${valueLengthLimit}`);
		}
	}
}

function shown(labels: Labels): string {
	const text = formatLabels(labels);
	return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

function invalid(message: string): AppError {
	return new AppError('FN_SCRAPE_LABELS_INVALID', message);
}

function beyond(message: string): AppError {
	return new AppError('FN_SCRAPE_LABEL_LIMIT', message);
}
