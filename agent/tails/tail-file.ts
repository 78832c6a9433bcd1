import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemErrorCode } from '../../core/errors.ts';
import { crc32 } from '../uplink/crc32.ts';

/** Where a reader stands, in a form that finds the file again after it was renamed: by its first bytes. */
export interface TailPosition {
	/** CRC-32 of the file's first `headBytes` bytes. */
	readonly headChecksum: number;
	/** At most `HEAD_BYTES`; less while the file is shorter. */
	readonly headBytes: number;
	/** Everything before it has been read. */
	readonly offset: number;
}

export interface TailedEvent {
	/** Without the final line break. */
	readonly bytes: Buffer;
	/** Where it begins. */
	readonly start: TailPosition;
	/** Where to go on behind it. */
	readonly next: TailPosition;
}

export interface TailFileOptions {
	readonly path: string;
	/** Where the last run ended; `null` for a file that was never followed. */
	readonly position: TailPosition | null;
	readonly begin: 'start' | 'end';
	/** Decides, on the bytes of a line as Latin-1, whether it begins an event; `null` when every line is one. */
	readonly startsEvent: ((line: string) => boolean) | null;
	/** Told when the file was cut or replaced before its end was read, so that lines may be missing. */
	readonly onLost: (reason: 'truncated' | 'missing') => void;
}

const HEAD_BYTES = 1024;
const CHUNK_BYTES = 256 * 1024;
/** Longer events are cut here and continued as the next one, so that a file without line breaks cannot fill the memory. */
const MAX_EVENT_BYTES = 64 * 1024;
const LINE_FEED = 10;
/** What logrotate appends: `.1`, `-20261121`, `-2026-11-21.1`. Not a neighbour such as `access.log.json`, and not what was compressed. */
const ROTATED_SUFFIX = /^([.-][0-9]{1,10}([.-][0-9]+)*|\.old)$/;

interface OpenFile {
	readonly handle: FileHandle;
	readonly inode: number;
	headChecksum: number;
	headBytes: number;
	offset: number;
	sizeBytes: number;
	/** Whether the last look found nothing new: then an unfinished multi-line event is over. */
	quiet: boolean;
	/** Whether an earlier look found another file under the name. */
	replaced: boolean;
}

/**
 * Follows one log file across renames (logrotate's default), copy-and-truncate, and restarts. Inode numbers alone are
 * not trusted: they are reused at once on a small disk.
 */
export class TailFile {
	readonly #options: TailFileOptions;
	#file: OpenFile | null = null;
	#resume: TailPosition | null;
	#started = false;

	constructor(options: TailFileOptions) {
		this.#options = options;
		this.#resume = options.position;
		this.#started = options.position !== null;
	}

	/** Bytes of the open file that were not read yet. */
	get behindBytes(): number {
		return this.#file === null ? 0 : Math.max(0, this.#file.sizeBytes - this.#file.offset);
	}

	/** Whether a file is being followed. */
	get isOpen(): boolean {
		return this.#file !== null;
	}

	/** Up to `maxEvents` new events; an empty list when there is nothing new (or no file), and the caller asks again later. */
	async read(maxEvents: number): Promise<readonly TailedEvent[]> {
		for (let step = 0; step < 8; step++) {
			const file = this.#file ?? (await this.#openFirst());
			if (file === null) return [];
			await this.#checkIdentity(file);
			const events = await this.#readEvents(file, maxEvents, false);
			if (events.length > 0) return events;
			if (!file.quiet) {
				file.quiet = true;
				return [];
			}
			if (!(await this.#wasReplaced(file))) return [];
			if (!file.replaced) {
				// What was written before the rename may have come after this look began, and a program may write into the
				// file that was moved away until it is told: the file is left only after another look that finds nothing.
				file.replaced = true;
				return [];
			}
			// Nobody will finish the last line of a file that was moved away.
			const rest = await this.#readEvents(file, maxEvents, true);
			if (rest.length > 0) return rest;
			if (!(await this.#openNext(file))) return [];
		}
		return [];
	}

	/** Goes back to a place that was read before. `false` when its file is gone. */
	async rewind(position: TailPosition): Promise<boolean> {
		const found = await this.#find(position);
		if (found === null) return false;
		await this.close();
		this.#file = found;
		return true;
	}

	async close(): Promise<void> {
		await this.#file?.handle.close();
		this.#file = null;
	}

	async #openFirst(): Promise<OpenFile | null> {
		if (this.#resume !== null) {
			const found = await this.#find(this.#resume);
			if (found === null && (await inodeOf(this.#options.path)) === null) return null;
			this.#resume = null;
			if (found !== null) {
				this.#file = found;
				return found;
			}
			this.#options.onLost('missing');
		}
		const file = await this.#openAt(this.#options.path);
		if (file === null) return null;
		if (!this.#started && this.#options.begin === 'end') file.offset = file.sizeBytes;
		this.#started = true;
		this.#file = file;
		return file;
	}

	/** The file that begins with the bytes of `position`, under its own name or a rotated one. */
	async #find(position: TailPosition): Promise<OpenFile | null> {
		for (const path of (await this.#generations()).reverse()) {
			const file = await this.#openAt(path);
			if (file === null) continue;
			if (file.sizeBytes >= position.offset && (await headChecksum(file.handle, position.headBytes)) === position.headChecksum) {
				file.offset = position.offset;
				return file;
			}
			await file.handle.close();
		}
		return null;
	}

	/** The followed file and its uncompressed rotated siblings, oldest first, the file itself last. */
	async #generations(): Promise<string[]> {
		const { path } = this.#options;
		const folder = dirname(path);
		const name = basename(path);
		let names: string[];
		try {
			names = await readdir(folder);
		} catch (error) {
			if (systemErrorCode(error) === 'ENOENT') return [];
			throw error;
		}
		const siblings: { readonly path: string; readonly mtimeMs: number }[] = [];
		for (const sibling of names) {
			if (!sibling.startsWith(name) || !ROTATED_SUFFIX.test(sibling.slice(name.length))) continue;
			try {
				const { mtimeMs } = await stat(join(folder, sibling));
				siblings.push({ path: join(folder, sibling), mtimeMs });
			} catch (error) {
				if (systemErrorCode(error) !== 'ENOENT') throw error;
			}
		}
		// Files renamed within one tick of the clock share their time; of those the one with the longer way behind it (`.2`) is older.
		siblings.sort((a, b) => a.mtimeMs - b.mtimeMs || generationOf(b.path) - generationOf(a.path));
		return [...siblings.map((entry) => entry.path), path];
	}

	async #openAt(path: string): Promise<OpenFile | null> {
		let handle: FileHandle;
		try {
			handle = await open(path, 'r');
		} catch (error) {
			if (systemErrorCode(error) === 'ENOENT') return null;
			throw error;
		}
		const { ino, size } = await handle.stat();
		const headBytes = Math.min(HEAD_BYTES, size);
		return {
			handle,
			inode: ino,
			headBytes,
			headChecksum: await headChecksum(handle, headBytes),
			offset: 0,
			sizeBytes: size,
			quiet: false,
			replaced: false,
		};
	}

	/** Notices that the open file was emptied and written anew (copytruncate), also when it has outgrown the old offset since. */
	async #checkIdentity(file: OpenFile): Promise<void> {
		const { size } = await file.handle.stat();
		if (size === file.sizeBytes) return;
		file.quiet = false;
		const same = size >= file.offset && (await headChecksum(file.handle, file.headBytes)) === file.headChecksum;
		if (!same) {
			if (file.offset < file.sizeBytes) this.#options.onLost('truncated');
			file.offset = 0;
		}
		if (!same || file.headBytes < HEAD_BYTES) {
			file.headBytes = Math.min(HEAD_BYTES, size);
			file.headChecksum = await headChecksum(file.handle, file.headBytes);
		}
		file.sizeBytes = size;
	}

	async #wasReplaced(file: OpenFile): Promise<boolean> {
		const inode = await inodeOf(this.#options.path);
		return inode !== null && inode !== file.inode;
	}

	/** The generation that follows `file`: after a long stop several may have passed. */
	async #openNext(file: OpenFile): Promise<boolean> {
		let seen = false;
		for (const path of await this.#generations()) {
			const inode = await inodeOf(path);
			if (inode === file.inode) {
				seen = true;
				continue;
			}
			if (!seen && path !== this.#options.path) continue;
			const next = await this.#openAt(path);
			if (next === null) continue;
			await file.handle.close();
			this.#file = next;
			return true;
		}
		return false;
	}

	async #readEvents(file: OpenFile, maxEvents: number, atEnd: boolean): Promise<readonly TailedEvent[]> {
		if (file.offset >= file.sizeBytes) return [];
		const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, file.sizeBytes - file.offset));
		const { bytesRead } = await file.handle.read(chunk, 0, chunk.length, file.offset);
		const bytes = chunk.subarray(0, bytesRead);
		const start = file.offset;
		const complete = atEnd || (file.quiet && start + bytesRead >= file.sizeBytes);
		const { startsEvent } = this.#options;
		const events: TailedEvent[] = [];
		for (const { from, to, next } of splitEvents(bytes, { startsEvent, lastLineIsWhole: atEnd, lastEventIsWhole: complete })) {
			const { headChecksum, headBytes } = file;
			events.push({
				bytes: bytes.subarray(from, to),
				start: { headChecksum, headBytes, offset: start + from },
				next: { headChecksum, headBytes, offset: start + next },
			});
			file.offset = start + next;
			if (events.length === maxEvents) break;
		}
		return events;
	}
}

interface Span {
	readonly from: number;
	readonly to: number;
	readonly next: number;
}

/** Cuts bytes into events. A last line without line break is held back unless it is whole; the last event likewise, because its stack trace may still grow. */
export function* splitEvents(
	bytes: Buffer,
	options: {
		readonly startsEvent: ((line: string) => boolean) | null;
		readonly lastLineIsWhole: boolean;
		readonly lastEventIsWhole: boolean;
	},
): Generator<Span> {
	let eventFrom = 0;
	let eventTo = 0;
	let at = 0;
	while (at < bytes.length) {
		const feed = bytes.indexOf(LINE_FEED, at);
		const lineEnd = feed < 0 ? bytes.length : feed;
		const next = feed < 0 ? bytes.length : feed + 1;
		if (lineEnd - eventFrom > MAX_EVENT_BYTES) {
			const cut = eventTo > eventFrom ? at : eventFrom + MAX_EVENT_BYTES;
			yield { from: eventFrom, to: eventTo > eventFrom ? eventTo : cut, next: cut };
			eventFrom = cut;
			eventTo = cut;
			at = cut;
			continue;
		}
		if (feed < 0 && !options.lastLineIsWhole) break;
		const begins = options.startsEvent === null || options.startsEvent(bytes.toString('latin1', at, Math.min(lineEnd, at + 64)));
		if (begins && at > eventFrom) {
			yield { from: eventFrom, to: eventTo, next: at };
			eventFrom = at;
		}
		eventTo = lineEnd > at && bytes[lineEnd - 1] === 13 ? lineEnd - 1 : lineEnd;
		at = next;
		if (options.startsEvent === null) {
			yield { from: eventFrom, to: eventTo, next };
			eventFrom = next;
			eventTo = next;
		}
	}
	if (options.startsEvent !== null && at > eventFrom && options.lastEventIsWhole) yield { from: eventFrom, to: eventTo, next: at };
}

/** The number that logrotate counts up; 0 where the suffix is a date. */
function generationOf(path: string): number {
	const match = /\.([0-9]{1,5})$/.exec(path);
	return match === null ? 0 : Number(match[1]);
}

async function headChecksum(handle: FileHandle, length: number): Promise<number> {
	const bytes = Buffer.allocUnsafe(length);
	const { bytesRead } = await handle.read(bytes, 0, length, 0);
	// Shorter than it was: another file, whatever its bytes are.
	return bytesRead < length ? -1 : crc32(bytes);
}

async function inodeOf(path: string): Promise<number | null> {
	try {
		return (await stat(path)).ino;
	} catch (error) {
		if (systemErrorCode(error) === 'ENOENT') return null;
		throw error;
	}
}
