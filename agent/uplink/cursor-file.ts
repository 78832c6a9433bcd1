import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { AppError } from '../../core/errors.ts';
import { crc32 } from './crc32.ts';
import { MAX_LANES, type SpoolLane } from './spool-lanes.ts';

const LANES_AT = 16;
const LANE_BYTES = 24;
const COVERED_BYTES = LANES_AT + MAX_LANES * LANE_BYTES;
const SLOT_BYTES = COVERED_BYTES + 8;

/**
 * The lanes of the spool in two slots that are written in turn, so that a write which is torn leaves the one before.
 * In place and not by renaming: a rename makes ext4 flush the file, which held the whole process up for milliseconds at
 * every acknowledgement (`bench/agent-footprint.ts`).
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
	load(): readonly SpoolLane[] | null {
		const bytes = Buffer.alloc(2 * SLOT_BYTES);
		const length = readSync(this.#open(), bytes, 0, bytes.length, 0);
		let newest: readonly SpoolLane[] | null = null;
		for (const start of [0, SLOT_BYTES]) {
			if (start + SLOT_BYTES > length) continue;
			const slot = bytes.subarray(start, start + SLOT_BYTES);
			if (slot.readUInt32LE(COVERED_BYTES) !== crc32(slot.subarray(0, COVERED_BYTES))) continue;
			const turn = slot.readDoubleLE(0);
			if (newest !== null && turn <= this.#turn) continue;
			this.#turn = turn;
			newest = readLanes(slot);
		}
		return newest;
	}

	save(lanes: readonly SpoolLane[]): void {
		this.#turn++;
		const slot = Buffer.alloc(SLOT_BYTES);
		slot.writeDoubleLE(this.#turn, 0);
		slot.writeDoubleLE(lanes.length, 8);
		for (const [i, { from, until }] of lanes.entries()) {
			const at = LANES_AT + i * LANE_BYTES;
			slot.writeDoubleLE(from.segment, at);
			slot.writeDoubleLE(from.offset, at + 8);
			slot.writeDoubleLE(until ?? 0, at + 16);
		}
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

function readLanes(slot: Buffer): readonly SpoolLane[] {
	const count = Math.min(MAX_LANES, slot.readDoubleLE(8));
	return Array.from({ length: count }, (_, i) => {
		const at = LANES_AT + i * LANE_BYTES;
		const until = slot.readDoubleLE(at + 16);
		return { from: { segment: slot.readDoubleLE(at), offset: slot.readDoubleLE(at + 8) }, until: until === 0 ? null : until };
	});
}
