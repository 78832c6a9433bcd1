import { ProtocolError } from '../../protocol/remote-write/protocol-error.ts';
import { WriteColumns } from '../../protocol/remote-write/write-columns.ts';
import type { WriteSeries } from '../../protocol/remote-write/write-series.ts';

/**
 * Feeds a decoder bodies with flipped, inserted, cut and doubled bytes. It may take or refuse them; it may not throw anything else, point
 * outside of the body, or report more than the body can hold. Deterministic, so that a failure can be repeated.
 */
export function mutationRounds(
	decode: (body: Uint8Array, columns: WriteColumns) => void,
	encode: (series: readonly WriteSeries[]) => Uint8Array,
	rounds: number,
): void {
	const columns = new WriteColumns();
	let state = 12_345;
	const random = (below: number) => {
		state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
		return state % below;
	};
	for (let round = 0; round < rounds; round++) {
		const body = mutated(encode(someSeries(1 + random(20))), random);
		try {
			decode(body, columns);
		} catch (error) {
			if (!(error instanceof ProtocolError)) throw error;
			continue;
		}
		if (columns.sampleCount > body.length || columns.seriesCount > body.length) {
			throw new Error(`round ${round}: ${columns.seriesCount} series and ${columns.sampleCount} samples from ${body.length} bytes`);
		}
		let previous = 0;
		for (let i = 0; i < columns.seriesCount; i++) {
			const start = columns.labelStart[i] as number;
			const end = columns.labelEnd[i] as number;
			const samples = columns.sampleEnd[i] as number;
			if (start < 0 || end <= start || end > columns.labelBytes.length || samples < previous || samples > columns.sampleCount) {
				throw new Error(`round ${round}: series ${i} lies at ${start} to ${end} with samples to ${samples}`);
			}
			previous = samples;
		}
	}
}

function someSeries(count: number): WriteSeries[] {
	return Array.from({ length: count }, (_, i) => ({
		labels: ['__name__', `metric_${i}_total`, 'host', 'app-1', 'zone', 'z'.repeat(i * 7)],
		type: 'counter',
		help: 'What it counts.',
		samples: [{ timestampMs: 1_700_000_000_000 + i, value: i * 1.5 }],
	}));
}

function mutated(body: Uint8Array, random: (below: number) => number): Uint8Array {
	let bytes = [...body];
	for (let i = 1 + random(4); i > 0 && bytes.length > 0; i--) {
		const at = random(bytes.length);
		switch (random(5)) {
			case 0:
				bytes[at] = random(256);
				break;
			case 1:
				bytes[at] = (bytes[at] as number) ^ (1 << random(8));
				break;
			case 2:
				bytes = bytes.slice(0, at);
				break;
			case 3:
				bytes.splice(at, 0, ...Array.from({ length: 1 + random(5) }, () => 0xff));
				break;
			default:
				bytes.splice(at, random(10), ...bytes.slice(at, at + random(30)));
		}
	}
	return Uint8Array.from(bytes);
}
