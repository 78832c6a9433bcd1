import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { AppError } from '../../core/errors.ts';
import { crc32 } from './crc32.ts';

/** A place between two records of the spool. Comparable: later segments have larger numbers. */
export interface SpoolPosition {
	readonly segment: number;
	readonly offset: number;
}

const SLOT_BYTES = 32;
const COVERED_BYTES = 24;

/**
 * The cursor of the spool in two slots that are written in turn, so that a write which is torn leaves the one before.
 * In place and not by renaming: a rename makes ext4 flush the file, which held the whole process up for milliseconds at
 * every acknowledgement (`bench/agent-memory.ts`).
 */
export class CursorFile {
	#fd: number | null;
	#turn = 0;

	/** Throws what the file system throws. */
	constructor(file: string) {
		// Creates it without emptying it; a file opened for appending would ignore the places that are written to.
		closeSync(openSync(file, 'a', 0o600));
		this.#fd = openSync(file, 'r+');
	}

	/** The newest slot that is whole; `null` when there is none, as in a new file. */
	load(): SpoolPosition | null {
		const bytes = Buffer.alloc(2 * SLOT_BYTES);
		const length = readSync(this.#open(), bytes, 0, bytes.length, 0);
		let newest: SpoolPosition | null = null;
		for (const start of [0, SLOT_BYTES]) {
			if (start + SLOT_BYTES > length) continue;
			const slot = bytes.subarray(start, start + SLOT_BYTES);
			if (slot.readUInt32LE(COVERED_BYTES) !== crc32(slot.subarray(0, COVERED_BYTES))) continue;
			const turn = slot.readDoubleLE(0);
			if (newest !== null && turn <= this.#turn) continue;
			this.#turn = turn;
			newest = { segment: slot.readDoubleLE(8), offset: slot.readDoubleLE(16) };
		}
		return newest;
	}

	save(position: SpoolPosition): void {
		this.#turn++;
		const slot = Buffer.alloc(SLOT_BYTES);
		slot.writeDoubleLE(this.#turn, 0);
		slot.writeDoubleLE(position.segment, 8);
		slot.writeDoubleLE(position.offset, 16);
		slot.writeUInt32LE(crc32(slot.subarray(0, COVERED_BYTES)), COVERED_BYTES);
		writeSync(this.#open(), slot, 0, SLOT_BYTES, (this.#turn % 2) * SLOT_BYTES);
	}

	/** May be called again: closing a number that another file has got meanwhile would close that one. */
	close(): void {
		if (this.#fd !== null) closeSync(this.#fd);
		this.#fd = null;
	}

	#open(): number {
		if (this.#fd === null) throw new AppError('FN_AGENT_SPOOL_CLOSED', 'the spool is closed; nothing can be acknowledged any more');
		return this.#fd;
	}
}
