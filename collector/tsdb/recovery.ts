import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { MetricMetadata } from '../storage/storage.ts';
import { familyOfLabels, parseBlockFile } from './blocks/block-files.ts';
import { type Checkpoint, INDEX_FILE, isDamage, readIndex } from './blocks/index-file.ts';
import type { Head } from './head.ts';
import { type LogDamage, type ReplayedSegment, replayLog } from './log/log-replay.ts';

export interface RecoveryReport {
	readonly seriesFromIndex: number;
	readonly seriesFromLog: number;
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
	};
}

interface OpenedIndex {
	readonly checkpoint: Checkpoint;
	readonly series: number;
	readonly putAside: string | null;
	/** What could still be read of a damaged index, and must be written into the new one. */
	readonly unpersisted: readonly number[];
}

function openIndex(folder: string, head: Head, takeMetadata: (json: string) => void, log: Logger): OpenedIndex {
	try {
		const content = readIndex(folder, {
			series: (id, labels, firstMs, lastMs) => {
				head.addSeries(id, labels, familyOfLabels(labels));
				if (firstMs !== null && lastMs !== null) head.widenLifetime(id, firstMs, lastMs);
			},
			metadata: takeMetadata,
		});
		return { ...content, putAside: null, unpersisted: [] };
	} catch (error) {
		if (!isDamage(error)) throw error;
		const putAside = `${INDEX_FILE}.damaged-${Date.now()}`;
		for (const suffix of ['', '-journal']) {
			try {
				renameSync(join(folder, INDEX_FILE + suffix), join(folder, putAside + suffix));
			} catch {
				// What does not exist needs no moving; what cannot be moved makes the next attempt fail loudly.
			}
		}
		const unpersisted = Array.from({ length: head.seriesCount }, (_, id) => id).filter((id) => head.registry.has(id));
		const firstFree = Math.max(head.seriesCount, highestSeriesInBlocks(join(folder, 'blocks'), log) + 1);
		head.reserveIds(firstFree);
		log.error(
			{ error: errorText(error), putAside: join(folder, putAside) },
			'the index of the store is damaged and was put aside; series that only blocks know cannot be read until it is restored from a backup',
		);
		const content = readIndex(folder, { series: () => {}, metadata: () => {} });
		return { ...content, series: unpersisted.length, putAside, unpersisted };
	}
}

/** Ids in blocks must not be given to other series while the index that named them is gone. */
function highestSeriesInBlocks(folder: string, log: Logger): number {
	let highest = -1;
	for (const name of readdirSync(folder)) {
		if (parseBlockFile(name) === null) continue;
		let database: DatabaseSync | null = null;
		try {
			database = new DatabaseSync(join(folder, name), { readOnly: true, timeout: 5000 });
			const row = database.prepare('select max(key % 4294967296) as id from chunk').get();
			highest = Math.max(highest, Number(row?.['id'] ?? -1));
		} catch (error) {
			log.error({ file: join(folder, name), error: errorText(error) }, 'a block file is damaged');
		} finally {
			database?.close();
		}
	}
	return highest;
}
