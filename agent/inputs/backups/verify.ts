import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import type { Clock } from '../../../core/clock.ts';
import { systemErrorCode } from '../../../core/errors.ts';
import { type ArchiveKind, archiveProblem, HEAD_BYTES, TAIL_BYTES } from './archive-kind.ts';

export interface VerifyOptions {
	readonly file: string;
	readonly kind: ArchiveKind;
	readonly checksum: 'auto' | 'required' | 'off';
	readonly expectTail: string | null;
	readonly bytesPerSecond: number;
	readonly clock: Clock;
}

export interface Verdict {
	/** `null` when there was no checksum to compare with. */
	readonly checksumOk: boolean | null;
	readonly readable: boolean;
	/** What is wrong; `''` for nothing. */
	readonly problem: string;
}

const CHUNK_BYTES = 256 * 1024;
/** A dump says at its very end that it is complete; a little more is kept for a final line break. */
const KEPT_TAIL = 4096;
/** Unpacking is paced as well: a file of zeros unpacks to a thousand times its size. */
const OUTPUT_SHARE = 8;

/**
 * Reads a file once, at a bounded pace, for its checksum and for whether it can be unpacked. Small parts only are in memory. A file
 * that cannot be read is a verdict; rejects only when `signal` aborts.
 */
export async function verifyBackup(options: VerifyOptions, signal: AbortSignal): Promise<Verdict> {
	const expected = await readChecksum(options);
	if (expected.kind === 'bad') return { checksumOk: false, readable: true, problem: expected.problem };
	let handle: Awaited<ReturnType<typeof open>>;
	try {
		handle = await open(options.file, 'r');
	} catch (error) {
		return { checksumOk: null, readable: false, problem: `it cannot be opened (${systemErrorCode(error)})` };
	}
	try {
		const { size } = await handle.stat();
		const head = Buffer.alloc(Math.min(HEAD_BYTES, size));
		const tail = Buffer.alloc(Math.min(TAIL_BYTES, size));
		await handle.read(head, 0, head.length, 0);
		await handle.read(tail, 0, tail.length, size - tail.length);
		const problem = archiveProblem(options.kind, head, tail, size);
		if (problem !== null) return { checksumOk: null, readable: false, problem };
		const wantsContent = options.kind === 'gzip';
		if (!wantsContent && expected.digest === null) return judgeTail(options, null, tail);
		const hash = expected.digest === null ? null : createHash('sha256');
		const gunzip = wantsContent ? new GzipReader() : null;
		const pace = new Pace(options.clock, options.bytesPerSecond);
		const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
		for (let at = 0; at < size; ) {
			if (signal.aborted) throw new Error('stopped');
			const { bytesRead } = await handle.read(chunk, 0, Math.min(CHUNK_BYTES, size - at), at);
			if (bytesRead === 0) break;
			at += bytesRead;
			const bytes = chunk.subarray(0, bytesRead);
			hash?.update(bytes);
			const unpacked = (await gunzip?.write(Buffer.from(bytes))) ?? 0;
			await pace.spend(bytesRead + unpacked / OUTPUT_SHARE, signal);
		}
		const damage = (await gunzip?.end()) ?? null;
		const checksumOk = hash === null ? null : hash.digest('hex') === expected.digest;
		if (damage !== null) return { checksumOk, readable: false, problem: damage };
		const verdict = judgeTail(options, checksumOk, gunzip?.tail ?? tail);
		return checksumOk === false && verdict.problem === '' ? { ...verdict, problem: 'its checksum is another one' } : verdict;
	} catch (error) {
		if (signal.aborted) throw error;
		return { checksumOk: null, readable: false, problem: `it cannot be read (${systemErrorCode(error)})` };
	} finally {
		await handle.close();
	}
}

function judgeTail({ expectTail }: VerifyOptions, checksumOk: boolean | null, tail: Buffer): Verdict {
	const whole = expectTail === null || tail.subarray(-KEPT_TAIL).includes(expectTail);
	return { checksumOk, readable: whole, problem: whole ? '' : 'its content is cut off: the expected text at the end is missing' };
}

type Expected = { readonly kind: 'ok'; readonly digest: string | null } | { readonly kind: 'bad'; readonly problem: string };

async function readChecksum({ file, checksum }: VerifyOptions): Promise<Expected> {
	if (checksum === 'off') return { kind: 'ok', digest: null };
	let text: string;
	try {
		text = (await readFile(`${file}.sha256`, 'utf8')).slice(0, 4096);
	} catch (error) {
		const code = systemErrorCode(error);
		if (code === 'ENOENT' && checksum === 'auto') return { kind: 'ok', digest: null };
		return { kind: 'bad', problem: code === 'ENOENT' ? 'there is no checksum beside it' : `its checksum cannot be read (${code})` };
	}
	const digest = /\b[0-9a-f]{64}\b/i.exec(text)?.[0].toLowerCase();
	return digest === undefined ? { kind: 'bad', problem: 'the file with its checksum holds none' } : { kind: 'ok', digest };
}

/** Unpacks and forgets, but for the end. The format carries CRC and length, so reading to the end proves the content. */
class GzipReader {
	tail: Buffer = Buffer.alloc(0);
	readonly #stream = createGunzip({ chunkSize: 64 * 1024 });
	#failure: string | null = null;
	#unpacked = 0;
	#ended = false;
	#wake: () => void = () => {};

	constructor() {
		this.#stream.on('data', (chunk: Buffer) => {
			this.#unpacked += chunk.length;
			this.tail = Buffer.from(Buffer.concat([this.tail, chunk]).subarray(-KEPT_TAIL));
		});
		this.#stream.on('end', () => {
			this.#ended = true;
			this.#wake();
		});
		this.#stream.on('error', (error: NodeJS.ErrnoException) => {
			this.#failure = `it cannot be unpacked (${error.code ?? error.message})`;
			this.#wake();
		});
	}

	/** Resolves with how much was unpacked, when the stream wants more. */
	async write(bytes: Buffer): Promise<number> {
		const before = this.#unpacked;
		if (this.#failure === null) {
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
				this.#stream.write(bytes, () => resolve());
			});
		}
		return this.#unpacked - before;
	}

	/** What is wrong, or `null`. */
	async end(): Promise<string | null> {
		if (this.#failure === null && !this.#ended) {
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
				this.#stream.end();
			});
		}
		this.#stream.destroy();
		return this.#failure;
	}
}

/** Spends bytes at no more than a given rate, in small steps, so that a backup disk serves others as well. */
class Pace {
	readonly #clock: Clock;
	readonly #rate: number;
	readonly #started: number;
	#spent = 0;

	constructor(clock: Clock, bytesPerSecond: number) {
		this.#clock = clock;
		this.#rate = bytesPerSecond;
		this.#started = clock.monotonic();
	}

	async spend(bytes: number, signal: AbortSignal): Promise<void> {
		this.#spent += bytes;
		const ahead = (this.#spent / this.#rate) * 1000 - (this.#clock.monotonic() - this.#started);
		if (ahead > 5) await this.#clock.sleep(ahead, signal);
	}
}
