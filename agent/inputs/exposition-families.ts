import { AppError } from '../../core/errors.ts';
import { MetadataGatherer } from '../../protocol/exposition/metadata.ts';
import { type ExpositionFormat, ExpositionParser, type ExpositionSink, type MetadataRange } from '../../protocol/exposition/parse.ts';
import { ExpositionError } from '../../protocol/exposition/parse-error.ts';
import type { SeriesRanges } from '../../protocol/exposition/series-ranges.ts';
import type { MetricType } from '../../protocol/metric-type.ts';
import type { Measurement, MetricFamily } from './input.ts';

export interface ExpositionReadOptions {
	readonly format: ExpositionFormat;
	readonly maxSamples: number;
	/** Whether a metric is kept, by its name. */
	readonly keep?: (name: string) => boolean;
	/** Labels of the source that the input sets itself; they get the prefix `exported_`, as Prometheus does it. */
	readonly reserved?: ReadonlySet<string>;
	/** Refuse lines that carry a time of their own, as node_exporter's textfile collector does. Otherwise the time is left out. */
	readonly refuseTimes?: boolean;
}

export interface ExpositionRead {
	readonly families: readonly MetricFamily[];
	/** Samples in the text. */
	readonly samples: number;
	/** Of those, the ones that were kept. */
	readonly kept: number;
}

/** Where the values of a page stand, and what they are the values of. */
export interface PagePlaces {
	/** Byte behind each sample's series. */
	readonly seriesEnds: readonly number[];
	/** As many; `null` where the sample was not kept. */
	readonly measurements: readonly (MutableMeasurement | null)[];
	/** Whether any sample has a time of its own. */
	readonly timed: boolean;
}

/** A measurement whose value may be replaced by the next one of the same series. */
export type MutableMeasurement = { -readonly [Key in keyof Measurement]: Measurement[Key] };

const SUFFIXES = ['_bucket', '_sum', '_count', '_total', '_created', '_info'];

/** Exposition text as families of measurements. Throws `FN_AGENT_SOURCE_FORMAT` for text that is none. */
export function readExposition(bytes: Uint8Array, options: ExpositionReadOptions): ExpositionRead {
	return readPage(bytes, options).result();
}

/** The same with the places of the values, for who reads a page of the same form again. */
export function readExpositionPlaces(
	bytes: Uint8Array,
	options: ExpositionReadOptions,
): { readonly read: ExpositionRead; readonly places: PagePlaces } {
	const sink = readPage(bytes, options);
	return { read: sink.result(), places: sink };
}

function readPage(bytes: Uint8Array, options: ExpositionReadOptions): FamilySink {
	const sink = new FamilySink(options);
	try {
		new ExpositionParser({ maxSamples: options.maxSamples, maxLabels: 64, maxLineBytes: 64 * 1024 }).parse(bytes, options.format, sink);
	} catch (error) {
		if (error instanceof AppError) throw error;
		const reason = error instanceof ExpositionError ? error.message : 'a label value is not UTF-8';
		throw new AppError('FN_AGENT_SOURCE_FORMAT', `the text is not in Prometheus' format: ${reason}`, { cause: error, retryable: true });
	}
	return sink;
}

class FamilySink implements ExpositionSink, PagePlaces {
	readonly seriesEnds: number[] = [];
	readonly measurements: (MutableMeasurement | null)[] = [];
	timed = false;
	readonly #options: ExpositionReadOptions;
	readonly #metadata = new MetadataGatherer();
	readonly #families = new Map<string, MutableMeasurement[]>();
	#list: MutableMeasurement[] | null = null;
	#labels: readonly string[] = [];
	#samples = 0;
	#kept = 0;

	constructor(options: ExpositionReadOptions) {
		this.#options = options;
	}

	findSeries(_bytes: Uint8Array, _start: number, end: number): number {
		this.seriesEnds.push(end);
		return -1;
	}

	addSeries(series: SeriesRanges): number {
		const name = series.metricName();
		if (this.#options.keep?.(name) === false) {
			this.#list = null;
			return 0;
		}
		let list = this.#families.get(name);
		if (list === undefined) {
			list = [];
			this.#families.set(name, list);
		}
		this.#list = list;
		const labels: string[] = [];
		for (let i = 0; i < series.count; i++) {
			const value = series.labelValue(i);
			if (value === '') continue;
			const label = series.labelName(i);
			labels.push(this.#options.reserved?.has(label) === true ? `exported_${label}` : label, value);
		}
		this.#labels = labels;
		return 0;
	}

	sample(_series: number, value: number, timestampMs: number): void {
		this.#samples++;
		if (timestampMs === timestampMs) {
			this.timed = true;
			if (this.#options.refuseTimes === true)
				throw new AppError('FN_AGENT_SOURCE_FORMAT', 'a line carries a time of its own, which a text file must not', { retryable: true });
		}
		const measurement = this.#list === null ? null : { labels: this.#labels, value };
		this.measurements.push(measurement);
		if (this.#list === null || measurement === null) return;
		this.#kept++;
		this.#list.push(measurement);
	}

	metadata(line: MetadataRange): void {
		this.#metadata.add(line, this.#options.format);
	}

	result(): ExpositionRead {
		const known = new Map<string, { readonly type: MetricType; readonly help: string }>();
		this.#metadata.forEach(this.#options.format, (metric, { type, help }) => known.set(metric, { type, help }));
		const families: MetricFamily[] = [];
		for (const [name, measurements] of this.#families) {
			const about = known.get(name) ?? known.get(baseName(name));
			families.push({ name, type: about?.type ?? 'unknown', help: about?.help ?? '', measurements });
		}
		return { families, samples: this.#samples, kept: this.#kept };
	}
}

/** The family of a histogram's or summary's parts. */
function baseName(name: string): string {
	const suffix = SUFFIXES.find((end) => name.endsWith(end));
	return suffix === undefined ? name : name.slice(0, -suffix.length);
}
