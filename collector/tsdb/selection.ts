import { compareLabels, labelValue } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { Matcher } from '../storage/storage.ts';
import type { HeadReader } from './head-reader.ts';
import type { SeriesIndex } from './series-index.ts';

/** The series in memory that a selector means, sorted by labels. */
export interface Selection {
	readonly slots: Uint32Array;
	/** The series that was in each slot. */
	readonly ids: Uint32Array;
	readonly labels: readonly Labels[];
	/** Whether two of them have the same labels: a series that came back while its earlier life is still in memory. */
	readonly hasTwins: boolean;
}

/** Series in all remembered selections together, at some 16 bytes each; labels are shared with the reader's own cache. */
const REMEMBERED_SERIES = 500_000;

/**
 * Resolves selectors. Rules and boards ask the same all day while the set of series hardly changes: posting lists, labels and
 * their order are looked up once for each state of the index (bench/rules.ts).
 */
export class Selections {
	readonly #head: HeadReader;
	readonly #index: SeriesIndex;
	readonly #known = new Map<string, Selection>();
	#knownSeries = 0;
	#generation = -1;
	/** Where the values of a label lie in a selection, for those that parts were asked of. */
	readonly #places = new WeakMap<Selection, Map<string, ReadonlyMap<string, readonly number[]>>>();

	constructor(head: HeadReader, index: SeriesIndex) {
		this.#head = head;
		this.#index = index;
	}

	/** Call `sync` of the index before. What is returned never changes. `pause` is awaited between slices of long work. */
	async resolve(matchers: readonly Matcher[], pause: (step: number) => Promise<void> | undefined): Promise<Selection> {
		const { generation } = this.#index;
		if (this.#generation !== generation) {
			this.#known.clear();
			this.#knownSeries = 0;
			this.#generation = generation;
		}
		const key = matchers.map(({ name, kind, value }) => `${name}\u0000${kind}${value}`).join('\u0001');
		const known = this.#known.get(key);
		if (known !== undefined) return known;
		const { selection, complete } = await this.#look(matchers, pause);
		const count = selection.slots.length;
		// Others may have brought the index up to date meanwhile.
		if (complete && generation === this.#index.generation && this.#generation === generation && count <= REMEMBERED_SERIES / 4) {
			if (this.#knownSeries + count > REMEMBERED_SERIES) {
				this.#known.clear();
				this.#knownSeries = 0;
			}
			this.#known.set(key, selection);
			this.#knownSeries += count + 1;
		}
		return selection;
	}

	/** Those of the selection that match as well; cheap where the matcher lists its values. */
	part(selection: Selection, matcher: Matcher): Selection {
		const { slots, ids, labels, hasTwins } = selection;
		const chosen =
			matcher.literals === null
				? labels.flatMap((own, i) => (matcher.test(labelValue(own, matcher.name)) ? [i] : []))
				: this.#placesOf(selection, matcher.name, matcher.literals);
		return {
			slots: Uint32Array.from(chosen, (i) => slots[i] as number),
			ids: Uint32Array.from(chosen, (i) => ids[i] as number),
			labels: chosen.map((i) => labels[i] as Labels),
			hasTwins,
		};
	}

	#placesOf(selection: Selection, name: string, values: readonly string[]): readonly number[] {
		const byName = this.#places.get(selection) ?? new Map<string, ReadonlyMap<string, readonly number[]>>();
		this.#places.set(selection, byName);
		let places = byName.get(name);
		if (places === undefined) {
			const made = new Map<string, number[]>();
			selection.labels.forEach((labels, i) => {
				const value = labelValue(labels, name);
				const list = made.get(value);
				if (list === undefined) made.set(value, [i]);
				else list.push(i);
			});
			places = made;
			byName.set(name, made);
		}
		const chosen = [...new Set(values)].flatMap((value) => places.get(value) ?? []);
		// They stay sorted by labels.
		return chosen.sort((a, b) => a - b);
	}

	async #look(
		matchers: readonly Matcher[],
		pause: (step: number) => Promise<void> | undefined,
	): Promise<{ readonly selection: Selection; readonly complete: boolean }> {
		// Copies: while others run, they may bring the index up to date.
		const slots = Uint32Array.from(this.#index.select(matchers));
		const ids = slots.map((slot) => this.#index.idOf(slot));
		const found: Found[] = [];
		for (let i = 0; i < slots.length; i++) {
			const labels = this.#head.labels(slots[i] as number, ids[i] as number);
			if (labels !== null) found.push({ slot: slots[i] as number, id: ids[i] as number, labels });
			const turn = pause(i);
			if (turn !== undefined) await turn;
		}
		// By id within equal labels: the later life has the higher one.
		found.sort((a, b) => compareLabels(a.labels, b.labels) || a.id - b.id);
		return {
			selection: {
				slots: Uint32Array.from(found, ({ slot }) => slot),
				ids: Uint32Array.from(found, ({ id }) => id),
				labels: found.map(({ labels }) => labels),
				hasTwins: found.some(({ labels }, i) => i > 0 && compareLabels((found[i - 1] as Found).labels, labels) === 0),
			},
			complete: found.length === slots.length,
		};
	}
}

interface Found {
	readonly slot: number;
	readonly id: number;
	readonly labels: Labels;
}
