/** Protobuf wire types that remote write uses. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

/** High and low word of Prometheus' stale marker (`value.StaleNaN`); written as words because V8 may canonicalise a NaN. */
const STALE_HIGH = 0x7ff00000;
const STALE_LOW = 0x00000002;

const encoder = new TextEncoder();

/** Bytes that `value` takes as a varint. `value` is a non-negative safe integer. */
export function varintSize(value: number): number {
	let size = 1;
	for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
	return size;
}

/** Bytes of an int64 as protobuf writes it: negative numbers take the full ten. */
export function int64Size(value: number): number {
	return value < 0 ? 10 : varintSize(value);
}

/** A growing buffer with the few protobuf encodings that remote write needs. Field numbers are below 16, so every tag is one byte. */
export class ProtoWriter {
	#bytes: Uint8Array<ArrayBuffer>;
	#view: DataView;
	#length = 0;

	constructor(initialBytes = 4096) {
		this.#bytes = new Uint8Array(initialBytes);
		this.#view = new DataView(this.#bytes.buffer);
	}

	/** Bytes written so far. */
	get length(): number {
		return this.#length;
	}

	/** The bytes written so far; a view that is valid until the next write. */
	finish(): Uint8Array<ArrayBuffer> {
		return this.#bytes.subarray(0, this.#length);
	}

	/** A field of a scalar varint type; `value` is a non-negative safe integer. */
	uint(field: number, value: number): void {
		this.#reserve(11);
		this.#bytes[this.#length++] = (field << 3) | VARINT;
		this.#varint(value);
	}

	int64(field: number, value: number): void {
		this.#reserve(11);
		this.#bytes[this.#length++] = (field << 3) | VARINT;
		if (value >= 0) this.#varint(value);
		else this.#negative(value);
	}

	double(field: number, value: number): void {
		this.#reserve(9);
		this.#bytes[this.#length++] = (field << 3) | FIXED64;
		this.#view.setFloat64(this.#length, value, true);
		this.#length += 8;
	}

	staleDouble(field: number): void {
		this.#reserve(9);
		this.#bytes[this.#length++] = (field << 3) | FIXED64;
		this.#view.setUint32(this.#length, STALE_LOW, true);
		this.#view.setUint32(this.#length + 4, STALE_HIGH, true);
		this.#length += 8;
	}

	/** Tag and length of a nested message or packed list of `size` bytes; the caller writes exactly that many next. */
	open(field: number, size: number): void {
		this.#reserve(11);
		this.#bytes[this.#length++] = (field << 3) | BYTES;
		this.#varint(size);
	}

	/** A bare varint, for packed lists. */
	varint(value: number): void {
		this.#reserve(10);
		this.#varint(value);
	}

	/** Names and help texts are ASCII nearly always: those are written without a buffer of their own. */
	text(field: number, value: string): void {
		const size = value.length;
		for (let i = 0; i < size; i++) {
			if (value.charCodeAt(i) > 127) {
				this.bytes(field, encoder.encode(value));
				return;
			}
		}
		this.open(field, size);
		this.#reserve(size);
		const bytes = this.#bytes;
		let at = this.#length;
		for (let i = 0; i < size; i++) bytes[at++] = value.charCodeAt(i);
		this.#length = at;
	}

	/** Everything that another writer has written, as it is. */
	append(other: ProtoWriter): void {
		const bytes = other.finish();
		this.#reserve(bytes.length);
		this.#bytes.set(bytes, this.#length);
		this.#length += bytes.length;
	}

	bytes(field: number, value: Uint8Array): void {
		this.open(field, value.length);
		this.#reserve(value.length);
		this.#bytes.set(value, this.#length);
		this.#length += value.length;
	}

	#varint(value: number): void {
		let rest = value;
		while (rest >= 128) {
			// Above 2^31 the bit operators would cut: `%` keeps all 53 bits.
			this.#bytes[this.#length++] = (rest % 128) | 128;
			rest = Math.floor(rest / 128);
		}
		this.#bytes[this.#length++] = rest;
	}

	#negative(value: number): void {
		let rest = BigInt.asUintN(64, BigInt(value));
		for (let i = 0; i < 9; i++) {
			this.#bytes[this.#length++] = Number(rest & 127n) | 128;
			rest >>= 7n;
		}
		this.#bytes[this.#length++] = Number(rest);
	}

	#reserve(count: number): void {
		if (this.#length + count <= this.#bytes.length) return;
		const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
		larger.set(this.#bytes.subarray(0, this.#length));
		this.#bytes = larger;
		this.#view = new DataView(larger.buffer);
	}
}
