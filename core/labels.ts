import { type Labels, METRIC_NAME } from '../protocol/labels.ts';

/** Sorts by name and drops empty values. Names must be unique, as object keys are. */
export function labelsFromObject(object: Readonly<Record<string, string>>): Labels {
	const flat: string[] = [];
	for (const name of Object.keys(object).sort()) {
		const value = object[name];
		if (value !== undefined && value !== '') flat.push(name, value);
	}
	return flat;
}

export function labelsToObject(labels: Labels): Record<string, string> {
	const object: Record<string, string> = {};
	for (let i = 0; i < labels.length; i += 2) object[labels[i] as string] = labels[i + 1] as string;
	return object;
}

/** The value of `name`, `''` when absent. */
export function labelValue(labels: Labels, name: string): string {
	for (let i = 0; i < labels.length; i += 2) if (labels[i] === name) return labels[i + 1] as string;
	return '';
}

/** A string that is equal exactly when the label sets are equal; 0xff cannot occur in UTF-8, and U+FFFF not in a valid label. */
export function labelsKey(labels: Labels): string {
	return labels.join('\uffff');
}

/** Order by name, then value, pair by pair; a prefix comes first. This is the order of Prometheus' query results. */
export function compareLabels(a: Labels, b: Labels): number {
	const shared = Math.min(a.length, b.length);
	for (let i = 0; i < shared; i++) {
		const left = a[i] as string;
		const right = b[i] as string;
		if (left !== right) return left < right ? -1 : 1;
	}
	return a.length - b.length;
}

/** `labels` with `name` set to `value`; an empty value removes it. */
export function withLabel(labels: Labels, name: string, value: string): Labels {
	const flat: string[] = [];
	let placed = value === '';
	for (let i = 0; i < labels.length; i += 2) {
		const current = labels[i] as string;
		if (current === name) continue;
		if (!placed && current > name) {
			flat.push(name, value);
			placed = true;
		}
		flat.push(current, labels[i + 1] as string);
	}
	if (!placed) flat.push(name, value);
	return flat;
}

export function withoutName(labels: Labels): Labels {
	return withLabel(labels, METRIC_NAME, '');
}

/** `metric{a="b"}` as Prometheus prints it; names that are more than letters, digits and underscores stand in quotes: `{"a.b", "c-d"="e"}`. */
export function formatLabels(labels: Labels): string {
	const pairs: string[] = [];
	let metric = '';
	for (let i = 0; i < labels.length; i += 2) {
		if (labels[i] === METRIC_NAME) metric = labels[i + 1] as string;
		else pairs.push(`${LABEL_NAME.test(labels[i] as string) ? labels[i] : JSON.stringify(labels[i])}=${JSON.stringify(labels[i + 1])}`);
	}
	if (!METRIC.test(metric) && metric !== '') {
		pairs.unshift(JSON.stringify(metric));
		metric = '';
	}
	return pairs.length === 0 && metric !== '' ? metric : `${metric}{${pairs.join(', ')}}`;
}

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

const FNV_OFFSET_HIGH = 0xcbf29ce4 | 0;
const FNV_OFFSET_LOW = 0x84222325 | 0;
/** The prime is 2^40 + 0x1b3. */
const FNV_PRIME_LOW = 0x1b3;
const encoder = new TextEncoder();

/** FNV-1a 64 in two halves of 32 bits: whoever posts ten thousand alerts would leave a BigInt per byte behind. */
class Fnv64 {
	#high = FNV_OFFSET_HIGH;
	#low = FNV_OFFSET_LOW;

	add(byte: number): void {
		const low = this.#low ^ byte;
		// Below 2^41, so that a double holds it.
		const product = (low >>> 0) * FNV_PRIME_LOW;
		this.#high = (Math.imul(this.#high, FNV_PRIME_LOW) + Math.floor(product / 0x1_0000_0000) + (low << 8)) | 0;
		this.#low = product | 0;
	}

	/** As UTF-8. */
	addText(text: string): void {
		for (let i = 0; i < text.length; i++) {
			const code = text.charCodeAt(i);
			if (code < 0x80) this.add(code);
			else {
				for (const byte of encoder.encode(text.slice(i))) this.add(byte);
				return;
			}
		}
	}

	hex(): string {
		return (this.#high >>> 0).toString(16).padStart(8, '0') + (this.#low >>> 0).toString(16).padStart(8, '0');
	}
}

/** FNV-1a 64 over `name 0xff value 0xff` of the sorted labels, 16 hex digits: the fingerprint that Prometheus and Alertmanager print. */
export function fingerprint(labels: Labels): string {
	const hash = new Fnv64();
	for (const part of labels) {
		hash.addText(part);
		hash.add(0xff);
	}
	return hash.hex();
}
