import { createHash } from 'node:crypto';
import { AnchoredTemplate } from './anchored-template.ts';
import type { RelabelConfig } from './config.ts';

/** Labels while they are being changed; a label without a value is not in the map. */
export type LabelMap = Map<string, string>;

/** Changes the labels and says whether they are kept. */
export type RelabelStep = (labels: LabelMap) => boolean;

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Runs the steps in order, until one drops the labels. */
export function relabel(labels: LabelMap, steps: readonly RelabelStep[]): boolean {
	for (const step of steps) if (!step(labels)) return false;
	return true;
}

/** Prepares a list of steps; throws an `Error` for a pattern that is not RE2. */
export function compileRelabelling(configs: readonly RelabelConfig[]): readonly RelabelStep[] {
	return configs.map(compileStep);
}

/** Semantics as `model/relabel/relabel.go` of Prometheus 3. */
function compileStep(config: RelabelConfig): RelabelStep {
	const { source_labels: sources, separator, target_label: target, replacement } = config;
	const pattern = new AnchoredTemplate(config.regex);
	const source = (labels: LabelMap) => sources.map((name) => labels.get(name) ?? '').join(separator);
	switch (config.action) {
		case 'replace':
			return (labels) => {
				const expanded = pattern.expand(source(labels), [target, replacement]);
				const [name = '', value = ''] = expanded ?? [];
				if (expanded !== null && LABEL_NAME.test(name)) setLabel(labels, name, value);
				return true;
			};
		case 'keep':
			return (labels) => pattern.test(source(labels));
		case 'drop':
			return (labels) => !pattern.test(source(labels));
		case 'keepequal':
			return (labels) => (labels.get(target) ?? '') === source(labels);
		case 'dropequal':
			return (labels) => (labels.get(target) ?? '') !== source(labels);
		case 'hashmod':
			return (labels) => {
				setLabel(labels, target, String(hashModulus(source(labels), config.modulus)));
				return true;
			};
		case 'lowercase':
			return (labels) => {
				setLabel(labels, target, source(labels).toLowerCase());
				return true;
			};
		case 'uppercase':
			return (labels) => {
				setLabel(labels, target, source(labels).toUpperCase());
				return true;
			};
		case 'labelmap':
			return (labels) => {
				for (const [name, value] of [...labels]) {
					const [mapped] = pattern.expand(name, [replacement]) ?? [];
					if (mapped !== undefined) setLabel(labels, mapped, value);
				}
				return true;
			};
		case 'labeldrop':
			return (labels) => {
				for (const name of [...labels.keys()]) if (pattern.test(name)) labels.delete(name);
				return true;
			};
		case 'labelkeep':
			return (labels) => {
				for (const name of [...labels.keys()]) if (!pattern.test(name)) labels.delete(name);
				return true;
			};
	}
}

function setLabel(labels: LabelMap, name: string, value: string): void {
	if (value === '') labels.delete(name);
	else labels.set(name, value);
}

/** The last eight bytes of the MD5, as Prometheus takes them, so that shards agree with a Prometheus beside this one. */
function hashModulus(text: string, modulus: number): bigint {
	return createHash('md5').update(text).digest().readBigUInt64BE(8) % BigInt(modulus);
}
