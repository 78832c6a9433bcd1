import { ProtocolError } from './protocol-error.ts';

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;

/**
 * A position in protobuf bytes (https://protobuf.dev/programming-guides/encoding/). One object per decoder, reused for every
 * message: the decoders descend by remembering an end, not by slicing, so a body of any size costs no allocation.
 * Every read checks its bounds and throws `ProtocolError`.
 */
export class WireCursor {
	bytes: Uint8Array = new Uint8Array(0);
	view: DataView = new DataView(this.bytes.buffer);
	pos = 0;

	reset(bytes: Uint8Array): void {
		this.bytes = bytes;
		this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		this.pos = 0;
	}

	/** A varint that must fit into 31 bits: tags, lengths, symbol references. */
	uint31(end: number): number {
		const bytes = this.bytes;
		let pos = this.pos;
		if (pos < end) {
			const first = bytes[pos] as number;
			if (first < 0x80) {
				this.pos = pos + 1;
				return first;
			}
		}
		let result = 0;
		for (let shift = 0; shift < 35; shift += 7) {
			if (pos >= end) throw new ProtocolError('a number is cut off', pos);
			const byte = bytes[pos++] as number;
			if (shift === 28 && byte > 0x07) throw new ProtocolError('a length or tag is larger than 2^31', pos);
			result |= (byte & 0x7f) << shift;
			if (byte < 0x80) {
				this.pos = pos;
				return result;
			}
		}
		throw new ProtocolError('a number does not end', pos);
	}

	/** A signed 64-bit varint as a double; exact within ±2^53, which is far beyond every millisecond that can be stored. */
	int64(end: number): number {
		const bytes = this.bytes;
		let pos = this.pos;
		let low = 0;
		for (let shift = 0; shift < 28; shift += 7) {
			if (pos >= end) throw new ProtocolError('a number is cut off', pos);
			const byte = bytes[pos++] as number;
			low |= (byte & 0x7f) << shift;
			if (byte < 0x80) {
				this.pos = pos;
				return low;
			}
		}
		let high = 0;
		for (let shift = 0; shift < 42; shift += 7) {
			if (pos >= end) throw new ProtocolError('a number is cut off', pos);
			const byte = bytes[pos++] as number;
			// 36 bits remain above the lowest 28; the tenth byte of a varint carries one bit.
			high += (shift === 35 ? byte & 1 : byte & 0x7f) * 2 ** shift;
			if (byte < 0x80) {
				this.pos = pos;
				return high >= 2 ** 35 ? (high - 2 ** 36) * 2 ** 28 + low : high * 2 ** 28 + low;
			}
		}
		throw new ProtocolError('a number does not end', pos);
	}

	/** The end of a length-delimited field whose length comes next; never beyond `end`. */
	messageEnd(end: number): number {
		const length = this.uint31(end);
		if (length > end - this.pos) throw new ProtocolError('a field is longer than the message that holds it', this.pos);
		return this.pos + length;
	}

	skip(wireType: number, end: number): void {
		switch (wireType) {
			case WIRE_VARINT:
				this.int64(end);
				return;
			case WIRE_FIXED64:
				this.#advance(8, end);
				return;
			case WIRE_BYTES:
				this.pos = this.messageEnd(end);
				return;
			case WIRE_FIXED32:
				this.#advance(4, end);
				return;
			default:
				throw new ProtocolError(`wire type ${wireType} does not exist in protobuf 3`, this.pos);
		}
	}

	#advance(count: number, end: number): void {
		if (count > end - this.pos) throw new ProtocolError('a fixed-size field is cut off', this.pos);
		this.pos += count;
	}
}
