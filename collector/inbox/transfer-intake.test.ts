import { generateKeyPairSync, sign } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { silentLogger } from '../../core/log.ts';
import type { LogBatch, LogRecord } from '../../protocol/log-record.ts';
import { encodeTransfer } from '../../protocol/transfer.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { openStateDatabase, type StateDatabase } from '../state/database.ts';
import { createInboxMetrics } from './metrics.ts';
import { createSenderState } from './sender-state.ts';
import { TransferIntake } from './transfer-intake.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const KEY = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const NEWEST = 1_800_000_000_000;
/** Keeps log records as an archive takes them: each number of a stream once, and none before the one it expects. */
class KeptLogs {
	readonly kept: LogRecord[] = [];
	readonly #next = new Map<string, number>();

	append({ stream, firstSeq, records }: LogBatch) {
		const begins = this.#next.get(stream) ?? firstSeq;
		if (firstSeq > begins) throw new AppError('FN_AUDIT_GAP', 'records are missing', { status: 409 });
		this.kept.push(...records.filter((_, i) => firstSeq + i >= begins));
		this.#next.set(stream, Math.max(begins, firstSeq + records.length));
		return { stream, nextSeq: this.nextSeq(stream) };
	}
	nextSeq(stream: string): number {
		return this.#next.get(stream) ?? 0;
	}
	streams(prefix: string): readonly string[] {
		return [...this.#next.keys()].filter((stream) => stream.startsWith(prefix));
	}
}

let folder: TemporaryFolder;
let state: StateDatabase;
let archive: KeptLogs;
let intake: TransferIntake;
/** Samples are refused until then. */
let busy = 0;

beforeEach(async () => {
	folder = temporaryFolder('intake');
	state = await openStateDatabase(folder.path);
	archive = new KeptLogs();
	busy = 0;
	intake = new TransferIntake({
		state: createSenderState(state, systemClock),
		targets: {
			samples: async () => (busy-- > 0 ? { status: 503, body: 'busy' } : { status: 204, body: '' }),
			logs: (batch) => archive.append(batch),
			nextLogSeq: (stream) => archive.nextSeq(stream),
			logStreams: (prefix) => archive.streams(prefix),
		},
		publicKey: async () => KEY,
		metrics: createInboxMetrics(new Registry()),
		clock: systemClock,
		log: silentLogger,
	});
});
afterEach(async () => {
	await state.destroy();
	folder.remove();
});

const STREAM = 'cut-off/messages';
function logs(firstSeq: number, texts: readonly string[]): Uint8Array {
	const records = texts.map(
		(raw, i): LogRecord => ({
			...{ v: 1, stream: STREAM, seq: firstSeq + i, eventTimeMs: NEWEST, receiveTimeMs: 0, host: 'cut-off', system: '', source: 'plain' },
			...{
				kind: 'log',
				actor: '',
				action: '',
				object: '',
				result: 'unknown',
				srcAddr: '',
				srcMac: '',
				module: '',
				severity: 'info',
				raw,
				fields: {},
			},
		}),
	);
	return gzipSync(JSON.stringify({ stream: STREAM, firstSeq, records }));
}

/** A file of the sender, made so many seconds after the first. */
function file(seq: number, seconds: number, firstSeq: number, ...texts: readonly string[]): Uint8Array {
	const bodies = [logs(firstSeq, texts), Buffer.from('samples')];
	const entries = bodies.map((body, i) => ({ kind: i === 0 ? ('logs' as const) : ('samples' as const), bytes: body.length }));
	const bytes = encodeTransfer({ v: 1, sender: 'cut-off', seq, createdMs: NEWEST + seconds * 1000, entries }, bodies);
	return Buffer.concat([bytes, sign(null, bytes, privateKey)]);
}
const take = (bytes: Uint8Array) => intake.take(bytes, 'dmz', false);
const archived = () => archive.kept.map(({ seq, raw }) => `${seq} ${raw}`);

test('a sender that has lost its data folder is heard from its first file on, and what it wrote before stays', async () => {
	expect(await take(file(1, 0, 0, 'a', 'b'))).toBe('taken');
	expect(await take(file(2, 60, 2, 'c'))).toBe('taken');
	const anew = file(1, 600, 0, 'x', 'y');
	busy = 1;
	await expect(take(anew)).rejects.toMatchObject({ code: 'FN_TRANSFER_BUSY' });
	expect(await take(anew)).toBe('taken');
	expect(await take(file(2, 660, 2, 'z'))).toBe('taken');
	expect(archived()).toEqual(['0 a', '1 b', '2 c', '3 x', '4 y', '5 z']);
});

test('one that was put back to an older state sends what it had sent once more, and goes on', async () => {
	for (const [seq, text] of [
		[1, 'a'],
		[2, 'b'],
		[3, 'c'],
	] as const)
		expect(await take(file(seq, seq * 60, seq - 1, text))).toBe('taken');
	expect(await take(file(2, 900, 1, 'b'))).toBe('taken');
	expect(await take(file(3, 960, 2, 'c', 'd'))).toBe('taken');
	expect(archived()).toEqual(['0 a', '1 b', '2 c', '3 d']);
});

test('copies of files that were taken are duplicates, also when the sender’s clock was put back in between', async () => {
	const first = file(1, 600, 0, 'a');
	const second = file(2, 0, 1, 'b');
	for (const bytes of [first, second]) expect(await take(bytes)).toBe('taken');
	for (const bytes of [first, second]) expect(await take(bytes)).toBe('duplicate');
	expect(await take(file(3, 60, 2, 'c'))).toBe('taken');
	expect(archived()).toEqual(['0 a', '1 b', '2 c']);
});

test('a file that was given up and comes late is kept beside the stream, although it is the newest by its sender’s clock', async () => {
	const late = file(2, 900, 1, 'b');
	expect(await take(file(1, 0, 0, 'a'))).toBe('taken');
	expect(await intake.take(file(3, 10, 2, 'c'), 'dmz', true)).toBe('taken');
	expect(await take(late)).toBe('taken');
	expect(await take(file(4, 20, 3, 'd'))).toBe('taken');
	expect(archived().map((line) => line.split(' ').at(-1))).toEqual(['a', 'here', 'c', 'b', 'd']);
});
