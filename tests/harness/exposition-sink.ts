import { MetadataGatherer } from '../../protocol/exposition/metadata.ts';
import { type ExpositionFormat, type ExpositionLimits, ExpositionParser, type MetadataRange } from '../../protocol/exposition/parse.ts';
import type { SeriesRanges } from '../../protocol/exposition/series-ranges.ts';

export interface ParsedSample {
	readonly name: string;
	readonly labels: Readonly<Record<string, string>>;
	readonly value: number;
	readonly timestampMs: number | null;
}

export interface ParsedExposition {
	readonly samples: readonly ParsedSample[];
	readonly metadata: Readonly<Record<string, { readonly type: string; readonly help: string; readonly unit: string }>>;
	/** How many series had to be taken apart. */
	readonly parsedSeries: number;
}

/** Reads exposition text into plain objects, with series remembered by their bytes as a scraper does. */
export function parseExposition(text: string | Uint8Array, format: ExpositionFormat, limits?: ExpositionLimits): ParsedExposition {
	const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
	const samples: ParsedSample[] = [];
	const known = new Map<string, number>();
	const series: { name: string; labels: Record<string, string> }[] = [];
	const gatherer = new MetadataGatherer();
	const key = (from: Uint8Array, start: number, end: number) => Buffer.from(from.subarray(start, end)).toString('latin1');
	new ExpositionParser(limits).parse(bytes, format, {
		findSeries: (from, start, end) => known.get(key(from, start, end)) ?? -1,
		addSeries: (ranges: SeriesRanges, start: number, end: number) => {
			const labels: Record<string, string> = {};
			const scratch = new Uint8Array(end - start);
			for (let i = 0; i < ranges.count; i++) {
				const value = ranges.labelValue(i);
				if (Buffer.from(ranges.labelValueBytes(i, scratch)).toString('utf8') !== value) throw new Error('bytes and text of a value differ');
				labels[ranges.labelName(i)] = value;
			}
			known.set(key(ranges.bytes, start, end), series.length);
			return series.push({ name: ranges.metricName(), labels }) - 1;
		},
		sample: (handle, value, timestampMs) => {
			const found = series[handle];
			if (found === undefined) throw new Error(`no series ${handle}`);
			samples.push({ ...found, value, timestampMs: Number.isNaN(timestampMs) ? null : timestampMs });
		},
		metadata: (line: MetadataRange) => gatherer.add(line, format),
	});
	const metadata: Record<string, { type: string; help: string; unit: string }> = {};
	gatherer.forEach(format, (metric, family) => {
		metadata[metric] = { ...family };
	});
	return { samples, metadata, parsedSeries: series.length };
}
