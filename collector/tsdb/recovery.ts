import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { MetricMetadata } from '../storage/storage.ts';
import { takeBlockCensus } from './blocks/block-census.ts';
import { familyOfLabels } from './blocks/block-files.ts';
import { type Checkpoint, INDEX_FILE, isDamage, readIndex } from './blocks/index-file.ts';
import type { Head } from './head.ts';
import { type LogDamage, type ReplayedSegment, replayLog } from './log/log-replay.ts';

export interface RecoveryReport {
	readonly seriesFromIndex: number;
	readonly seriesFromLog: number;
	/** Series that only blocks knew, because the index was lost. */
	readonly seriesFromBlocks: number;
	readonly samplesFromLog: number;
	/** Samples of the log that name a series whose definition was lost. */
	readonly samplesWithoutSeries: number;
	readonly logDamage: readonly LogDamage[];
	/** Where a damaged index was put aside, or `null`. */
	readonly indexPutAside: string | null;
	readonly durationMs: number;
}

export interface Recovered {
	readonly report: RecoveryReport;
	readonly metadata: Map<string, MetricMetadata>;
	readonly checkpoint: Checkpoint;
	readonly nextSegment: number;
	readonly segments: readonly ReplayedSegment[];
	/** Ids that the index does not have yet. */
	readonly unpersistedSeries: number[];
	/** What the index does not know of the life of series that blocks have. */
	readonly blockSpans: ReadonlyMap<number, BlockSpan>;
}

export interface BlockSpan {
	readonly firstMs: number;
	readonly lastMs: number;
}

/** Fills the head from the index and the log, and says in the log of the process what was found. */
export function recover(folder: string, head: Head, log: Logger): Recovered {
	const started = performance.now();
	const metadata = new Map<string, MetricMetadata>();
	const takeMetadata = (json: string) => {
		try {
			const { metric, type, help, unit } = JSON.parse(json) as MetricMetadata & { metric: string };
			metadata.set(metric, { type, help, unit });
		} catch (error) {
			log.warn({ error: errorText(error) }, 'metadata of a metric is unreadable and was left out');
		}
	};
	const index = openIndex(folder, head, takeMetadata, log);
	const { checkpoint } = index;
	const unpersistedSeries: number[] = [...index.unpersisted];
	let samplesWithoutSeries = 0;
	let contradictions = 0;
	let samples = 0;
	const replayed = replayLog(join(folder, 'log'), {
		series: ({ id, labels }) => {
			if (!head.registry.has(id)) {
				head.addSeries(id, labels, familyOfLabels(labels));
				unpersistedSeries.push(id);
			} else if (!Buffer.from(head.registry.labelBytes(id)).equals(labels)) contradictions++;
		},
		sample: (id, timeMs, low, high, segment) => {
			if (segment <= checkpoint.segment && timeMs < checkpoint.beforeMs) return;
			if (head.registry.has(id)) {
				head.append(id, timeMs, low, high);
				samples++;
			} else samplesWithoutSeries++;
		},
		metadata: takeMetadata,
	});
	for (const damage of replayed.damage) {
		const what =
			damage.kind === 'torn-tail'
				? 'the log ended in a half-written record, which was cut off'
				: 'a stretch of the log is damaged and was skipped';
		log.warn({ ...damage }, what);
	}
	if (samplesWithoutSeries > 0)
		log.warn({ samples: samplesWithoutSeries }, 'samples were dropped because the definitions of their series are lost');
	if (contradictions > 0)
		log.warn({ series: contradictions }, 'the log and the index disagree about the labels of series; the index was believed');
	const newest = replayed.segments.at(-1)?.number ?? 0;
	const report: RecoveryReport = {
		seriesFromIndex: index.series,
		seriesFromBlocks: index.seriesFromBlocks,
		seriesFromLog: unpersistedSeries.length - index.unpersisted.length,
		samplesFromLog: samples,
		samplesWithoutSeries,
		logDamage: replayed.damage,
		indexPutAside: index.putAside,
		durationMs: Math.round(performance.now() - started),
	};
	log.info({ ...report, logDamage: report.logDamage.length }, 'the store is open');
	return {
		report,
		metadata,
		checkpoint,
		nextSegment: Math.max(newest, checkpoint.segment) + 1,
		segments: replayed.segments,
		unpersistedSeries,
		blockSpans: index.spans,
	};
}

interface OpenedIndex {
	readonly checkpoint: Checkpoint;
	readonly series: number;
	readonly putAside: string | null;
	/** What the index must be told again, after it was damaged or lost. */
	readonly unpersisted: readonly number[];
	readonly seriesFromBlocks: number;
	readonly spans: ReadonlyMap<number, BlockSpan>;
}

function openIndex(folder: string, head: Head, takeMetadata: (json: string) => void, log: Logger): OpenedIndex {
	const spans = new Map<number, BlockSpan>();
	const visit = {
		series: (id: number, labels: Uint8Array, firstMs: number | null, lastMs: number | null) => {
			head.addSeries(id, labels, familyOfLabels(labels));
			if (firstMs === null || lastMs === null) return;
			head.widenLifetime(id, firstMs, lastMs);
			spans.set(id, { firstMs, lastMs });
		},
		metadata: takeMetadata,
	};
	let putAside: string | null = null;
	try {
		const content = readIndex(folder, visit);
		if (!content.missing) return { ...content, putAside, unpersisted: [], seriesFromBlocks: 0, spans: new Map() };
	} catch (error) {
		if (!isDamage(error)) throw error;
		putAside = `${INDEX_FILE}.damaged-${Date.now()}`;
		for (const suffix of ['', '-journal']) {
			try {
				renameSync(join(folder, INDEX_FILE + suffix), join(folder, putAside + suffix));
			} catch {
				// What does not exist needs no moving; what cannot be moved makes the next attempt fail loudly.
			}
		}
		log.error({ error: errorText(error), putAside: join(folder, putAside) }, 'the index of the store is damaged and was put aside');
	}
	const seriesFromBlocks = rebuildFromBlocks(folder, head, spans, log);
	const unpersisted = Array.from({ length: head.seriesCount }, (_, id) => id).filter((id) => head.registry.has(id));
	// Metadata and checkpoint are gone: metadata comes again with the senders, and the whole log is replayed.
	return { checkpoint: { segment: 0, beforeMs: 0 }, series: unpersisted.length, putAside, unpersisted, seriesFromBlocks, spans };
}

/** Learns again from the block files which series there are. Returns how many came from them. */
function rebuildFromBlocks(folder: string, head: Head, spans: Map<number, BlockSpan>, log: Logger): number {
	let found = 0;
	let contradictions = 0;
	const census = takeBlockCensus(
		join(folder, 'blocks'),
		(id, labels, firstMs, lastMs) => {
			if (!head.registry.has(id)) {
				head.addSeries(id, labels, familyOfLabels(labels));
				found++;
			} else if (!Buffer.from(head.registry.labelBytes(id)).equals(labels)) {
				contradictions++;
				return;
			}
			head.widenLifetime(id, firstMs, lastMs);
			const known = spans.get(id);
			spans.set(id, { firstMs: Math.min(firstMs, known?.firstMs ?? firstMs), lastMs: Math.max(lastMs, known?.lastMs ?? lastMs) });
		},
		log,
	);
	head.reserveIds(Math.max(head.seriesCount, census.highestId + 1));
	if (census.files > 0)
		log.warn({ files: census.files, series: found, contradictions }, 'the index of the store was rebuilt from the block files');
	return found;
}
