import { labelsFromObject } from '../../core/labels.ts';
import { type Labels, METRIC_NAME } from '../../protocol/labels.ts';
import type { MetricType } from '../../protocol/metric-type.ts';
import type { WriteSeries } from '../../protocol/remote-write/write-series.ts';
import type { MetricFamily } from '../inputs/input.ts';

interface TrackedSeries {
	readonly name: string;
	readonly labels: Labels;
	readonly type: MetricType;
	readonly help: string;
	value: number;
	round: number;
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
 */
export class SeriesTracker {
	readonly #target: Readonly<Record<string, string>>;
	readonly #series = new Map<string, TrackedSeries>();
	#round = 0;

	/** `target` labels win over labels of the same name that a source reports. */
	constructor(target: Readonly<Record<string, string>>) {
		this.#target = target;
	}

	/** The samples of this round, stamped `nowMs`, followed by stale markers for the series that the round no longer has. */
	update(families: readonly MetricFamily[], nowMs: number): WriteSeries[] {
		this.#round++;
		const written: WriteSeries[] = [];
		for (const family of families) {
			for (const measurement of family.measurements) {
				const key = `${family.name}\u0000${measurement.labels.join('\u0001')}`;
				let series = this.#series.get(key);
				if (series === undefined) {
					series = {
						name: family.name,
						labels: this.#complete(family.name, measurement.labels),
						type: family.type,
						help: family.help,
						value: 0,
						round: 0,
					};
					this.#series.set(key, series);
				}
				// A source that lists the same thing twice would otherwise send two samples for one instant.
				if (series.round === this.#round) continue;
				series.round = this.#round;
				series.value = measurement.value;
				written.push({
					labels: series.labels,
					type: series.type,
					help: series.help,
					samples: [{ timestampMs: nowMs, value: measurement.value }],
				});
			}
		}
		for (const [key, series] of this.#series) {
			if (series.round === this.#round) continue;
			this.#series.delete(key);
			written.push({ labels: series.labels, samples: [{ timestampMs: nowMs, value: Number.NaN, stale: true }] });
		}
		return written;
	}

	current(): Iterable<CurrentSeries> {
		return this.#series.values();
	}

	#complete(name: string, pairs: readonly string[]): Labels {
		const object: Record<string, string> = {};
		for (let i = 0; i < pairs.length; i += 2) object[pairs[i] as string] = pairs[i + 1] as string;
		return labelsFromObject({ ...object, ...this.#target, [METRIC_NAME]: name });
	}
}
