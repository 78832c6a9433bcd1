import { ProtocolError } from './protocol-error.ts';
import { WIRE_FIXED64, WIRE_VARINT, type WireCursor } from './wire-cursor.ts';
import type { WriteColumns } from './write-columns.ts';

/** The message `Sample` up to `end`, which is the same in both versions of remote write: the value in field 1, the time in field 2. */
export function decodeSample(cursor: WireCursor, end: number, columns: WriteColumns): void {
	let low = 0;
	let high = 0;
	let timestampMs = 0;
	while (cursor.pos < end) {
		const tag = cursor.uint31(end);
		if (tag === ((1 << 3) | WIRE_FIXED64)) {
			const pos = cursor.pos;
			if (end - pos < 8) throw new ProtocolError('a sample value is cut off', pos);
			low = cursor.view.getUint32(pos, true);
			high = cursor.view.getUint32(pos + 4, true);
			cursor.pos = pos + 8;
		} else if (tag === ((2 << 3) | WIRE_VARINT)) {
			timestampMs = cursor.int64(end);
		} else {
			cursor.skip(tag & 7, end);
		}
	}
	columns.addSample(timestampMs, low, high);
}
