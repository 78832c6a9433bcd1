import type { MetricType } from '../metric-type.ts';
import { type ExpositionFormat, type MetadataRange, metadataName, metadataText } from './parse.ts';
import { unescapeText } from './series-ranges.ts';

/** What the comments of a text say of one metric. */
export interface FamilyMetadata {
	type: MetricType;
	help: string;
	unit: string;
}

const MAX_HELP_CHARACTERS = 4096;

/** Gathers `HELP`, `TYPE` and `UNIT` lines by family. */
export class MetadataGatherer {
	readonly #families = new Map<string, FamilyMetadata>();

	clear(): void {
		this.#families.clear();
	}

	add(line: MetadataRange, format: ExpositionFormat): void {
		const name = metadataName(line);
		let family = this.#families.get(name);
		if (family === undefined) {
			family = { type: 'unknown', help: '', unit: '' };
			this.#families.set(name, family);
		}
		const text = metadataText(line);
		if (line.kind === 'help') family.help = unescapeText(text, format === 'openmetrics').slice(0, MAX_HELP_CHARACTERS);
		else if (line.kind === 'unit') family.unit = text;
		else family.type = text === 'untyped' ? 'unknown' : (text as MetricType);
	}

	/**
	 * Metadata by the name that its samples carry: OpenMetrics names the family of `requests_total` `requests`, and that of
	 * `build_info` `build`, so counters and infos get their suffix back and both formats agree.
	 */
	forEach(format: ExpositionFormat, take: (metric: string, metadata: FamilyMetadata) => void): void {
		for (const [name, family] of this.#families) {
			const suffix = format === 'text' ? '' : family.type === 'counter' ? '_total' : family.type === 'info' ? '_info' : '';
			take(name.endsWith(suffix) ? name : name + suffix, family);
		}
	}
}
