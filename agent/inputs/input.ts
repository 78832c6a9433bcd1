import type { MetricType } from '../../protocol/metric-type.ts';

/** One value of a metric. `labels` are flat pairs in any order, without `__name__` and without the input's own target labels. */
export interface Measurement {
	readonly labels: readonly string[];
	readonly value: number;
	/** The part of a histogram: the series is called by the family's name with this behind it, and keeps the family's type. */
	readonly suffix?: '_bucket' | '_sum' | '_count';
}

export interface MetricFamily {
	readonly name: string;
	readonly type: MetricType;
	readonly help: string;
	readonly measurements: readonly Measurement[];
}

/**
 * A source that is read once per interval. The scheduler guarantees that at most one `collect` is outstanding, aborts
 * `signal` at the deadline, and turns a rejection into `onFailure` plus stale markers: an input never emits half a truth
 * on purpose.
 */
export interface Input {
	/** The kind of source, `nginx`; value of the label `input` of the agent's own metrics. */
	readonly name: string;
	/** Labels of every series of this input: `job`, `instance`, and what configuration adds. */
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	/** Deadline of one collection. */
	readonly timeoutMs: number;
	/** What stands in for the measurements when a collection fails, usually `<source>_up 0`. */
	readonly onFailure: readonly MetricFamily[];
	/** `nowMs` is the time that all measurements are stamped with: the start of the collection. */
	collect(signal: AbortSignal, nowMs: number): Promise<readonly MetricFamily[]>;
	/** Releases connections. Called once, after the last collection has settled or was given up. */
	close(): Promise<void>;
}

/** One histogram of a family. */
export interface HistogramParts {
	readonly labels: readonly string[];
	/** `labels` with `le` added, for each bucket; the last is `+Inf`. */
	readonly bucketLabels: readonly (readonly string[])[];
	/** Cumulative, as many as `bucketLabels`. */
	readonly counts: ArrayLike<number>;
	readonly sum: number;
}

/** Gathers measurements by metric name, so that parsers can emit them in the order in which they read. */
export class FamilySet {
	readonly #families = new Map<string, { name: string; type: MetricType; help: string; measurements: Measurement[] }>();

	counter(name: string, help: string, value: number, labels: readonly string[] = []): void {
		this.add(name, 'counter', help, value, labels);
	}

	gauge(name: string, help: string, value: number, labels: readonly string[] = []): void {
		this.add(name, 'gauge', help, value, labels);
	}

	add(name: string, type: MetricType, help: string, value: number, labels: readonly string[]): void {
		let family = this.#families.get(name);
		if (family === undefined) {
			family = { name, type, help, measurements: [] };
			this.#families.set(name, family);
		}
		family.measurements.push({ labels, value });
	}

	/** Buckets (cumulative, in the order of `bounds`, then `+Inf`), sum and count of one histogram. `bounds` and `labels` should be the same arrays every round. */
	histogram(name: string, help: string, parts: HistogramParts): void {
		let family = this.#families.get(name);
		if (family === undefined) {
			family = { name, type: 'histogram', help, measurements: [] };
			this.#families.set(name, family);
		}
		parts.bucketLabels.forEach((labels, i) => {
			family.measurements.push({ labels, value: parts.counts[i] ?? 0, suffix: '_bucket' });
		});
		family.measurements.push({ labels: parts.labels, value: parts.sum, suffix: '_sum' });
		family.measurements.push({ labels: parts.labels, value: parts.counts[parts.counts.length - 1] ?? 0, suffix: '_count' });
	}

	list(): readonly MetricFamily[] {
		return [...this.#families.values()];
	}
}

/** A family with a single gauge, for `onFailure`. */
export function singleGauge(name: string, help: string, value: number, labels: readonly string[] = []): MetricFamily {
	return { name, type: 'gauge', help, measurements: [{ labels, value }] };
}
