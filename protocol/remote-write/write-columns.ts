/** What a sender says of a metric: type as Prometheus spells it, help text, unit. */
export interface WireMetadata {
	readonly metric: string;
	readonly type: string;
	readonly help: string;
	readonly unit: string;
}

/**
 * A decoded write request in columns, reused from request to request. No string and no object exists per series or sample.
 *
 * Series `i` has its labels at `labelBytes[labelStart[i] .. labelEnd[i])`, as consecutive protobuf fields
 * `0a len (0a nameLen name 12 valueLen value)`, exactly as a remote write 1 sender wrote them, and the samples
 * `sampleEnd[i-1] .. sampleEnd[i]`. Values are kept as two little-endian 32-bit words, so that no NaN payload is lost.
 */
export class WriteColumns {
	labelBytes: Uint8Array = new Uint8Array(0);
	seriesCount = 0;
	labelStart = new Int32Array(1024);
	labelEnd = new Int32Array(1024);
	sampleEnd = new Int32Array(1024);
	sampleCount = 0;
	/** Integer milliseconds since the epoch. */
	timestamps = new Float64Array(4096);
	values = new Float64Array(4096);
	valueWords = new Uint32Array(this.values.buffer);
	/** Native histograms and exemplars that were seen and left out. */
	histogramCount = 0;
	exemplarCount = 0;
	metadata: WireMetadata[] = [];

	reset(): void {
		this.labelBytes = EMPTY;
		this.seriesCount = 0;
		this.sampleCount = 0;
		this.histogramCount = 0;
		this.exemplarCount = 0;
		this.metadata = [];
	}

	addSeries(labelStart: number, labelEnd: number): void {
		const index = this.seriesCount;
		if (index === this.labelStart.length) this.#growSeries();
		this.labelStart[index] = labelStart;
		this.labelEnd[index] = labelEnd;
		this.sampleEnd[index] = this.sampleCount;
		this.seriesCount = index + 1;
	}

	addSample(timestampMs: number, low: number, high: number): void {
		const index = this.sampleCount;
		if (index === this.timestamps.length) this.#growSamples();
		this.timestamps[index] = timestampMs;
		this.valueWords[index * 2] = low;
		this.valueWords[index * 2 + 1] = high;
		this.sampleCount = index + 1;
	}

	#growSeries(): void {
		const length = this.labelStart.length * 2;
		this.labelStart = grown(this.labelStart, new Int32Array(length));
		this.labelEnd = grown(this.labelEnd, new Int32Array(length));
		this.sampleEnd = grown(this.sampleEnd, new Int32Array(length));
	}

	#growSamples(): void {
		const length = this.timestamps.length * 2;
		this.timestamps = grown(this.timestamps, new Float64Array(length));
		const words = grown(this.valueWords, new Uint32Array(length * 2));
		this.valueWords = words;
		this.values = new Float64Array(words.buffer);
	}
}

const EMPTY = new Uint8Array(0);

function grown<T extends Int32Array | Float64Array | Uint32Array>(from: T, to: T): T {
	to.set(from);
	return to;
}
