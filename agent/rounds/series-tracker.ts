import { labelsFromObject } from '../../core/labels.ts';
import { type Labels, METRIC_NAME } from '../../protocol/labels.ts';
import type { MetricType } from '../../protocol/metric-type.ts';
import type { WriteSample, WriteSeries } from '../../protocol/remote-write/write-series.ts';
import type { Measurement, MetricFamily } from '../inputs/input.ts';

interface TrackedSeries {
	readonly name: string;
	/** The pairs as the source gave them, and which part of a histogram it is. */
	readonly pairs: readonly string[];
	readonly suffix: string;
	readonly labels: Labels;
	readonly type: MetricType;
	readonly help: string;
	/** What is written of it, the same object in every round. */
	readonly written: WriteSeries;
	readonly sample: { -readonly [Key in keyof WriteSample]: WriteSample[Key] };
	value: number;
	round: number;
}

interface TrackedFamily {
	readonly byKey: Map<string, TrackedSeries>;
	/** The family of the last round, whose measurements `order` belongs to. A source that hands over the same object measures the same series. */
	source: MetricFamily | null;
	/** The series in the order in which the last round measured them. */
	readonly order: TrackedSeries[];
}

/** A series with its newest value, for `/metrics`. */
export interface CurrentSeries {
	readonly name: string;
	readonly labels: Labels;
	readonly type: MetricType;
	readonly help: string;
	readonly value: number;
}

/**
 * The series of one source from round to round: completes labels once per series instead of once per sample, and knows
 * which series are gone, so that their end is said with a stale marker and not guessed by the reader five minutes later.
 * A source measures the same things in the same order nearly always, so the series is first looked for at its old place:
 * comparing a few strings costs a fraction of building a key of them (bench/agent-footprint.ts).
 */
export class SeriesTracker {
	readonly #target: Readonly<Record<string, string>>;
	readonly #families = new Map<string, TrackedFamily>();
	#round = 0;
	#count = 0;

	/** `target` labels win over labels of the same name that a source reports. */
	constructor(target: Readonly<Record<string, string>>) {
		this.#target = target;
	}

	/**
	 * The samples of this round, stamped `nowMs`, followed by stale markers for the series that the round no longer has. The series of the
	 * answer are the same objects in every round, good until the next one.
	 */
	update(families: readonly MetricFamily[], nowMs: number): WriteSeries[] {
		this.#round++;
		const written: WriteSeries[] = [];
		for (const family of families) {
			let tracked = this.#families.get(family.name);
			if (tracked === undefined) {
				tracked = { byKey: new Map(), order: [], source: null };
				this.#families.set(family.name, tracked);
			}
			const { measurements } = family;
			const same = tracked.source === family && tracked.order.length === measurements.length;
			for (let i = 0; i < measurements.length; i++) {
				const measurement = measurements[i] as Measurement;
				const series = same ? (tracked.order[i] as TrackedSeries) : this.#find(tracked, i, family, measurement);
				// A source that lists the same thing twice would otherwise send two samples for one instant.
				if (series.round === this.#round) continue;
				series.round = this.#round;
				series.value = measurement.value;
				series.sample.timestampMs = nowMs;
				series.sample.value = measurement.value;
				written.push(series.written);
			}
			tracked.order.length = measurements.length;
			tracked.source = family;
		}
		// As many as there are: none has ended.
		if (written.length < this.#count) this.#markEnded(written, nowMs);
		return written;
	}

	*current(): Iterable<CurrentSeries> {
		for (const { byKey } of this.#families.values()) yield* byKey.values();
	}

	#find(tracked: TrackedFamily, place: number, family: MetricFamily, measurement: Measurement): TrackedSeries {
		const suffix = measurement.suffix ?? '';
		const expected = tracked.order[place];
		if (expected !== undefined && expected.suffix === suffix && samePairs(expected.pairs, measurement.labels)) return expected;
		const key = `${suffix}\u0000${measurement.labels.join('\u0001')}`;
		let series = tracked.byKey.get(key);
		if (series === undefined) {
			const labels = this.#complete(family.name + suffix, measurement.labels);
			const { name, type, help } = family;
			const sample = { timestampMs: 0, value: 0 };
			const written = { labels, type, help, samples: [sample] };
			series = { name, pairs: measurement.labels, suffix, labels, type, help, written, sample, value: 0, round: 0 };
			tracked.byKey.set(key, series);
			this.#count++;
		}
		tracked.order[place] = series;
		return series;
	}

	/** No place in an order can hold a series that ends here: the places of a family that was measured have just been gone through, and any other family ends as a whole. */
	#markEnded(written: WriteSeries[], nowMs: number): void {
		for (const [name, tracked] of this.#families) {
			for (const [key, series] of tracked.byKey) {
				if (series.round === this.#round) continue;
				tracked.byKey.delete(key);
				this.#count--;
				written.push({ labels: series.labels, samples: [{ timestampMs: nowMs, value: Number.NaN, stale: true }] });
			}
			if (tracked.byKey.size === 0) this.#families.delete(name);
		}
	}

	#complete(name: string, pairs: readonly string[]): Labels {
		const object: Record<string, string> = {};
		for (let i = 0; i < pairs.length; i += 2) object[pairs[i] as string] = pairs[i + 1] as string;
		return labelsFromObject({ ...object, ...this.#target, [METRIC_NAME]: name });
	}
}

function samePairs(a: readonly string[], b: readonly string[]): boolean {
	if (a === b) return true;
	if (a.length !== b.length) return false;
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
	return true;
}
