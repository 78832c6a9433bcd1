import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeLabelBytes } from '../../../collector/storage/label-bytes.ts';
import { deletedName, readDeletions, writeDeletions } from '../../../collector/tsdb/blocks/deleted-ranges.ts';
import { decodeIds } from '../../../collector/tsdb/blocks/gone-postings.ts';
import { LongGroup, packGroup } from '../../../collector/tsdb/blocks/long-file.ts';
import { ChunkDamaged, ChunkDecoder, ChunkEncoder } from '../../../collector/tsdb/codec/chunk-codec.ts';
import { decodeWeights, WeightsEncoder } from '../../../collector/tsdb/codec/weights.ts';
import { replaySegment } from '../../../collector/tsdb/log/log-replay.ts';
import { LogWriter } from '../../../collector/tsdb/log/log-writer.ts';
import { silentLogger } from '../../../core/log.ts';
import { temporaryFolder } from '../process.ts';

/** Feeds every decoder of the store with bytes that were flipped, cut, doubled and moved. Deterministic. Throws what is no `ChunkDamaged`. */
export async function blockMutationRounds(rounds: number): Promise<{ readonly refused: number; readonly taken: number }> {
	let state = 99_991;
	const random = (below: number) => {
		state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
		return (state >>> 8) % below;
	};
	const decoder = new ChunkDecoder();
	const chunks = someChunks(random);
	const weights = someWeights();
	const group = packGroup(chunks.slice(0, 8).map((chunk, id) => ({ id, labels: encodeLabelBytes(['__name__', `m${id}`]), chunk })));
	const folder = temporaryFolder('mutations');
	const log = await someLog(folder.path);
	writeDeletions(folder.path, LONG_NAME, 7, [{ id: 1, minMs: 2, maxMs: 3 }]);
	const list = readFileSync(join(folder.path, deletedName(LONG_NAME)));
	let refused = 0;
	let taken = 0;
	const attempt = (decode: () => void) => {
		try {
			decode();
			taken++;
		} catch (error) {
			if (!(error instanceof ChunkDamaged)) throw error;
			refused++;
		}
	};
	for (let round = 0; round < rounds; round++) {
		const kind = random(101);
		if (kind < 60) {
			const bytes = mutated(chunks[random(chunks.length)] as Uint8Array, random);
			attempt(() => {
				const count = decoder.decode(bytes, 0, bytes.length);
				if (count > MAX_SAMPLES) throw new Error(`round ${round}: ${count} samples from ${bytes.length} bytes`);
			});
		} else if (kind < 70) attempt(() => decodeWeights(mutated(weights, random)));
		else if (kind < 80) attempt(() => new LongGroup(mutated(group, random)));
		else if (kind < 88) decodeIds(mutated(weights, random));
		else if (kind === 100) {
			writeFileSync(join(folder.path, deletedName(LONG_NAME)), mutated(list, random));
			attempt(() => readDeletions(folder.path, LONG_NAME, 7));
		} else {
			let samples = 0;
			const bytes = Buffer.from(mutated(log, random));
			replaySegment(bytes, 1, { series: () => {}, metadata: () => {}, deletion: () => {}, sample: () => samples++ });
			if (samples > bytes.length) throw new Error(`round ${round}: ${samples} samples from ${bytes.length} bytes of log`);
		}
	}
	folder.remove();
	return { refused, taken };
}

/** A month at one millisecond is more than any file has; a chunk of regular, constant samples may claim many. */
const MAX_SAMPLES = 1 << 24;

function someChunks(random: (below: number) => number): Uint8Array[] {
	const encoder = new ChunkEncoder();
	const kinds: ((i: number) => number)[] = [
		() => 7,
		(i) => i * 3,
		(i) => random(1000) / 100 + i,
		() => Math.random(),
		(i) => (i % 9 === 0 ? Number.NaN : i),
		(i) => i * i,
	];
	return kinds.flatMap((kind) =>
		[1, 2, 40, 240].map((count) => {
			const offsets = Uint32Array.from({ length: count }, (_, i) => i * 15_000 + (i % 3));
			const values = Float64Array.from({ length: count }, (_, i) => kind(i));
			const length = encoder.encode(offsets, new Uint32Array(values.buffer), values, 0, count);
			return encoder.bytes.slice(0, length);
		}),
	);
}

function someWeights(): Uint8Array {
	const offsets = Float64Array.from({ length: 50 }, (_, i) => i * 300_000);
	return new WeightsEncoder().encode({ offsets, sums: offsets.map((value) => value / 7), counts: offsets.map(() => 20) });
}

const LONG_NAME = 'samples-2026-01-05.long.db';

/** A segment with records of every kind. */
async function someLog(folder: string): Promise<Uint8Array> {
	const log = new LogWriter({ folder, firstSegment: 1, fsync: 'interval', log: silentLogger, onSyncFailure: () => {} });
	log.batch.series([0, 1, 2].map((id) => ({ id, labels: encodeLabelBytes(['__name__', 'm', 'i', String(id)]) })));
	log.batch.samples({ ids: Uint32Array.of(0, 1, 2), timestamps: Float64Array.of(1000, 2000, 3000), valueWords: new Uint32Array(6) }, 3);
	log.batch.metadata('m', { type: 'gauge', help: 'what it is', unit: '' });
	log.batch.deletion({ number: 1, ids: Uint32Array.of(1), minMs: 0, maxMs: 5000 });
	log.flush();
	await log.close();
	return readFileSync(join(folder, readdirSync(folder)[0] ?? ''));
}

function mutated(body: Uint8Array, random: (below: number) => number): Uint8Array {
	const bytes = Buffer.from(body);
	for (let i = 1 + random(3); i > 0; i--) if (bytes.length > 0) bytes[random(bytes.length)] = random(256);
	const form = random(6);
	if (form === 0) return bytes.subarray(0, random(bytes.length + 1));
	if (form === 1) return Buffer.concat([bytes, bytes.subarray(0, random(bytes.length + 1))]);
	return bytes;
}
