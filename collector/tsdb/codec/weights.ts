import { ChunkDamaged, ChunkDecoder, ChunkEncoder } from './chunk-codec.ts';

/** What samples stand for that others were taken away from; `offsets` as in the chunk of the samples. */
export interface Weights {
	readonly offsets: Float64Array;
	readonly sums: Float64Array;
	readonly counts: Float64Array;
}

/** Length of the chunk of sums, that chunk, and the chunk of counts: docs/formats/block.md. */
export class WeightsEncoder {
	readonly #encoder = new ChunkEncoder();

	encode({ offsets, sums, counts }: Weights): Uint8Array {
		const first = this.#chunk(offsets, sums);
		const second = this.#chunk(offsets, counts);
		const bytes = Buffer.alloc(4 + first.length + second.length);
		bytes.writeUInt32LE(first.length, 0);
		bytes.set(first, 4);
		bytes.set(second, 4 + first.length);
		return bytes;
	}

	#chunk(offsets: Float64Array, values: Float64Array): Uint8Array {
		const own = values.slice();
		const length = this.#encoder.encode(Uint32Array.from(offsets), new Uint32Array(own.buffer), own, 0, own.length);
		return this.#encoder.bytes.slice(0, length);
	}
}

/** Throws `ChunkDamaged`. */
export function decodeWeights(bytes: Uint8Array): Weights {
	const decoder = new ChunkDecoder();
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const end = bytes.length < 4 ? 0 : 4 + view.getUint32(0, true);
	if (end === 0 || end > bytes.length) throw new ChunkDamaged('the weights of a series are cut off');
	const count = decoder.decode(bytes, 4, end);
	const offsets = Float64Array.from(decoder.offsets.subarray(0, count));
	const sums = doubles(decoder.words, count);
	if (decoder.decode(bytes, end, bytes.length) !== count) throw new ChunkDamaged('the weights of a series do not fit each other');
	return { offsets, sums, counts: doubles(decoder.words, count) };
}

function doubles(words: Uint32Array, count: number): Float64Array {
	const values = new Float64Array(count);
	new Uint32Array(values.buffer).set(words.subarray(0, count * 2));
	return values;
}
