import { labelValue } from '../../core/labels.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import { NO_CLASS } from '../storage/arrival-marks.ts';
import { decodeLabelBytes, PairRange, readPair } from '../storage/label-bytes.ts';
import { MAX_INPUTS, type RuleInput, readsMetric } from './rule-inputs.ts';

/** Metric names that are remembered with their readers. */
const MAX_NAMES = 100_000;
/** Classes of series; beyond, all are forgotten and found again, so that hosts that come and go do not fill the memory. */
const MAX_CLASSES = 300_000;

/** A rule as far as this index is concerned. `Rule` is whatever the caller wants back. */
export interface Interested<Rule> {
	readonly rule: Rule;
	readonly inputs: readonly RuleInput[];
	/** The label by whose values the rule can be evaluated, or by which its inputs are told apart. */
	readonly label: string;
}

/** A sample of the class changes these inputs, as bits, of the rule for this value of its label. */
export interface Target<Rule> {
	readonly rule: Rule;
	readonly bits: number;
	readonly subject: string;
}

interface Candidate<Rule> {
	readonly reader: Interested<Rule>;
	readonly input: RuleInput;
	readonly bit: number;
}

/** Finds for a series the rules that read it. Series that are the same to all rules share a class. */
export class SeriesInterest<Rule> {
	/** Of no literal name. */
	readonly #unnamed: readonly Candidate<Rule>[];
	readonly #written: ReadonlySet<string>;
	readonly #numbers = new Map<Interested<Rule>, number>();
	readonly #byName = new Map<string, readonly Candidate<Rule>[]>();
	/** Of one literal name; most selectors are. */
	readonly #literal = new Map<string, Candidate<Rule>[]>();
	readonly #classes = new Map<string, number>();
	readonly #targets: (readonly Target<Rule>[])[] = [];
	readonly #onFull: () => void;
	readonly #pair = new PairRange();

	/** `written`: metrics that rules write. `onFull`: all classes are void, and series must be asked for anew. */
	constructor(
		readers: readonly Interested<Rule>[],
		{ written, onFull }: { readonly written: ReadonlySet<string>; readonly onFull: () => void },
	) {
		this.#written = written;
		this.#onFull = onFull;
		const others: Candidate<Rule>[] = [];
		readers.forEach((reader, number) => {
			this.#numbers.set(reader, number);
			reader.inputs.forEach((input, index) => {
				const candidate = { reader, input, bit: 1 << Math.min(index, MAX_INPUTS - 1) };
				const names = input.nameMatchers.find((matcher) => matcher.literals !== null)?.literals;
				if (names === undefined || names === null) {
					others.push(candidate);
					return;
				}
				for (const name of new Set(names)) {
					const list = this.#literal.get(name);
					if (list === undefined) this.#literal.set(name, [candidate]);
					else list.push(candidate);
				}
			});
		});
		this.#unnamed = others;
	}

	/** See `ArrivalReader.classify`. */
	classify(bytes: Uint8Array): number {
		const candidates = this.#candidates(this.#metric(bytes));
		if (candidates.length === 0) return NO_CLASS;
		const labels = decodeLabelBytes(bytes, 0, bytes.length);
		const found = new Map<Interested<Rule>, number>();
		for (const { reader, input, bit } of candidates) {
			if (!input.matchers.every((matcher) => matcher.test(labelValue(labels, matcher.name)))) continue;
			found.set(reader, (found.get(reader) ?? 0) | bit);
		}
		if (found.size === 0) return NO_CLASS;
		const targets = [...found].map(([reader, bits]) => ({ reader, bits, subject: labelValue(labels, reader.label) }));
		const key = JSON.stringify(targets.map(({ reader, bits, subject }) => [this.#numbers.get(reader), bits, subject]));
		const known = this.#classes.get(key);
		if (known !== undefined) return known;
		if (this.#targets.length >= MAX_CLASSES) {
			this.#classes.clear();
			this.#targets.length = 0;
			this.#onFull();
		}
		const number = NO_CLASS + this.#targets.push(targets.map(({ reader, bits, subject }) => ({ rule: reader.rule, bits, subject })));
		this.#classes.set(key, number);
		return number;
	}

	targets(found: number): readonly Target<Rule>[] {
		return this.#targets[found - NO_CLASS - 1] ?? [];
	}

	#candidates(metric: string): readonly Candidate<Rule>[] {
		const known = this.#byName.get(metric);
		if (known !== undefined) return known;
		const isWritten = this.#written.has(metric);
		const candidates = [...(this.#literal.get(metric) ?? []), ...this.#unnamed].filter(({ input }) =>
			readsMetric(input, metric, isWritten),
		);
		if (this.#byName.size >= MAX_NAMES) this.#byName.clear();
		this.#byName.set(metric, candidates);
		return candidates;
	}

	#metric(bytes: Uint8Array): string {
		const pair = this.#pair;
		for (let pos = 0; pos < bytes.length; ) {
			pos = readPair(bytes, pos, pair);
			const name = Buffer.from(bytes.buffer, bytes.byteOffset + pair.nameStart, pair.nameEnd - pair.nameStart);
			if (name.toString('utf8') !== METRIC_NAME) continue;
			return Buffer.from(bytes.buffer, bytes.byteOffset + pair.valueStart, pair.valueEnd - pair.valueStart).toString('utf8');
		}
		return '';
	}
}
