import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { MetricMetadata } from '../storage/storage.ts';
import { takeBlockCensus } from './blocks/block-census.ts';
import { familyOfLabels, parseBlockFile, spanName } from './blocks/block-files.ts';
import { clipSpan } from './blocks/deleted-ranges.ts';
import { type Checkpoint, INDEX_FILE, isDamage, readIndex, SeriesLookup } from './blocks/index-file.ts';
import type { Head } from './head.ts';
import { HeadReader } from './head-reader.ts';
import { keptInMemory, rewriteInMemory } from './kept-samples.ts';
import type { Deletion } from './log/log-batch.ts';
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
	/** Days and months whose block files are gone: `samples-2026-11-21`. */
	readonly missingBlocks: readonly string[];
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
	/** Slots of series that the index does not have, or has as gone. */
	readonly unpersistedSeries: number[];
	/** In the log, and not yet applied to block files. */
	readonly pendingDeletions: readonly Deletion[];
	readonly lastDeletion: number;
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
	const slots = new SlotsById(head);
	const index = openIndex(folder, slots, takeMetadata, log);
	const { checkpoint } = index;
	const unpersistedSeries: number[] = [...index.unpersisted];
	let samplesWithoutSeries = 0;
	let contradictions = 0;
	let samples = 0;
	// A definition without samples may be of a series that has gone; it is not brought back for nothing.
	const defined = new Map<number, Uint8Array>();
	const lookup = new SeriesLookup(folder);
	const pendingDeletions: Deletion[] = [];
	let lastDeletion = index.deletedThrough;
	const reader = new HeadReader(head.layout(), () => head.takeLayout());
	const replayed = replayLog(join(folder, 'log'), {
		series: ({ id, labels }) => {
			head.reserveIds(id + 1);
			const slot = slots.get(id);
			if (slot < 0) defined.set(id, labels);
			else if (!Buffer.from(head.registry.labelBytes(slot)).equals(labels)) contradictions++;
		},
		sample: (id, timeMs, low, high, segment) => {
			if (segment <= checkpoint.segment && timeMs < checkpoint.beforeMs) return;
			let slot = slots.get(id);
			if (slot < 0) {
				const labels = defined.get(id) ?? lookup.labels(id);
				if (labels === null) {
					samplesWithoutSeries++;
					return;
				}
				slot = slots.add(id, labels);
				unpersistedSeries.push(slot);
			}
			head.append(slot, timeMs, low, high);
			samples++;
		},
		metadata: takeMetadata,
		deletion: (deletion) => {
			const { number, ids, minMs, maxMs } = deletion;
			lastDeletion = Math.max(lastDeletion, number);
			const isPending = number > index.deletedThrough;
			if (isPending) pendingDeletions.push(deletion);
			reader.refresh();
			for (const id of ids) {
				const slot = slots.get(id);
				if (slot < 0) continue;
				// What the index says of a life is without what was deleted from blocks, and may be with what came later.
				const known = lookup.span(id);
				const inBlocks = known !== null && isPending ? clipSpan(known, minMs, maxMs) : known;
				const nothing = { firstMs: Number.POSITIVE_INFINITY, lastMs: head.lifetimes[slot * 2 + 1] as number };
				rewriteInMemory(head, keptInMemory(reader, slot, id, minMs, maxMs), inBlocks ?? nothing);
			}
		},
	});
	lookup.close();
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
		missingBlocks: index.missingBlocks,
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
		pendingDeletions,
		lastDeletion,
		blockSpans: index.spans,
	};
}

/** Where each series is, while the log is replayed. */
class SlotsById {
	readonly head: Head;
	/** Slot plus one. Ids beyond are rare: they need a store in which many millions of series came and went. */
	#slots = new Int32Array(1 << 12);
	readonly #beyond = new Map<number, number>();

	constructor(head: Head) {
		this.head = head;
	}

	get(id: number): number {
		if (id < this.#slots.length) return (this.#slots[id] as number) - 1;
		return this.#beyond.get(id) ?? -1;
	}

	add(id: number, labels: Uint8Array): number {
		const slot = this.head.addSeries(id, labels, familyOfLabels(labels));
		if (id >= this.#slots.length && id < LISTED_IDS) {
			const larger = new Int32Array(Math.min(LISTED_IDS, Math.max(id + 1, this.#slots.length * 2)));
			larger.set(this.#slots);
			this.#slots = larger;
		}
		if (id < this.#slots.length) this.#slots[id] = slot + 1;
		else this.#beyond.set(id, slot);
		return slot;
	}
}

const LISTED_IDS = 1 << 24;

interface OpenedIndex {
	readonly checkpoint: Checkpoint;
	readonly series: number;
	readonly putAside: string | null;
	/** Slots of what the index must be told again, after it was damaged or lost. */
	readonly unpersisted: readonly number[];
	readonly seriesFromBlocks: number;
	readonly spans: ReadonlyMap<number, BlockSpan>;
	readonly deletedThrough: number;
	readonly missingBlocks: readonly string[];
}

function openIndex(folder: string, slots: SlotsById, takeMetadata: (json: string) => void, log: Logger): OpenedIndex {
	const spans = new Map<number, BlockSpan>();
	const visit = {
		series: (id: number, labels: Uint8Array, firstMs: number | null, lastMs: number | null) => {
			const slot = slots.add(id, labels);
			if (lastMs === null) return;
			// Without a first time all of it was deleted.
			slots.head.widenLifetime(slot, firstMs ?? Number.POSITIVE_INFINITY, lastMs);
			if (firstMs !== null) spans.set(id, { firstMs, lastMs });
		},
		metadata: takeMetadata,
	};
	let putAside: string | null = null;
	try {
		const content = readIndex(folder, visit);
		slots.head.reserveIds(content.nextId);
		if (content.hasGone) slots.head.markGone();
		const missingBlocks = reportMissing(folder, content.blockSpans, log);
		if (!content.missing) return { ...content, missingBlocks, putAside, unpersisted: [], seriesFromBlocks: 0, spans: new Map() };
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
	const seriesFromBlocks = rebuildFromBlocks(folder, slots, spans, log);
	const unpersisted = Array.from({ length: slots.head.slotCount }, (_, slot) => slot);
	// Metadata and checkpoint are gone: metadata comes again with the senders, and the whole log is replayed.
	const checkpoint = { segment: 0, beforeMs: 0 };
	return { checkpoint, series: unpersisted.length, putAside, unpersisted, seriesFromBlocks, spans, deletedThrough: 0, missingBlocks: [] };
}

/** The spans of which the index knows block files that are not there. */
function reportMissing(folder: string, spans: readonly string[], log: Logger): readonly string[] {
	const present = new Set(
		readdirSync(join(folder, 'blocks'))
			.flatMap((name) => parseBlockFile(name) ?? [])
			.map(spanName),
	);
	const missing = spans.filter((span) => !present.has(span));
	for (const span of missing)
		log.error({ file: join(folder, 'blocks', `${span}.db`) }, 'a block file is missing; what it held is missing from answers');
	return missing;
}

/** Learns again from the block files which series there are. Returns how many came from them. */
function rebuildFromBlocks(folder: string, slots: SlotsById, spans: Map<number, BlockSpan>, log: Logger): number {
	const series = new Map<number, { readonly labels: Uint8Array; firstMs: number; lastMs: number }>();
	let contradictions = 0;
	const census = takeBlockCensus(
		join(folder, 'blocks'),
		(id, labels, firstMs, lastMs) => {
			const known = series.get(id);
			if (known === undefined) series.set(id, { labels, firstMs, lastMs });
			else if (Buffer.from(known.labels).equals(labels)) {
				known.firstMs = Math.min(known.firstMs, firstMs);
				known.lastMs = Math.max(known.lastMs, lastMs);
			} else contradictions++;
		},
		log,
	);
	let found = 0;
	// The newest first: of several lives of one series, the registry finds the one that came first, and new samples belong to the last life.
	for (const id of [...series.keys()].sort((x, y) => y - x)) {
		const { labels, firstMs, lastMs } = series.get(id) as { labels: Uint8Array; firstMs: number; lastMs: number };
		let slot = slots.get(id);
		if (slot < 0) {
			slot = slots.add(id, labels);
			found++;
		}
		slots.head.widenLifetime(slot, firstMs, lastMs);
		const known = spans.get(id);
		spans.set(id, { firstMs: Math.min(firstMs, known?.firstMs ?? firstMs), lastMs: Math.max(lastMs, known?.lastMs ?? lastMs) });
	}
	slots.head.reserveIds(census.highestId + 1);
	if (census.files > 0)
		log.warn({ files: census.files, series: found, contradictions }, 'the index of the store was rebuilt from the block files');
	return found;
}
