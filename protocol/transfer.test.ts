import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from './remote-write/protocol-error.ts';
import { encodeTransfer, parseTransfer, parseTransferFileName, TRANSFER_SIGNATURE_BYTES, transferFileName } from './transfer.ts';

const body = fc.uint8Array({ maxLength: 200 });
const contents = fc.record({
	sender: fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,30}$/),
	seq: fc.integer({ min: 1, max: 1e15 }),
	createdMs: fc.integer({ min: 0, max: 4e12 }),
	entries: fc.array(fc.record({ kind: fc.constantFrom('samples' as const, 'logs' as const), body }), { maxLength: 5 }),
});

function file({ sender, seq, createdMs, entries }: typeof contents extends fc.Arbitrary<infer T> ? T : never): Uint8Array {
	const header = {
		v: 1,
		sender,
		seq,
		createdMs,
		entries: entries.map((entry) => ({ kind: entry.kind, bytes: entry.body.length })),
	} as const;
	const unsigned = encodeTransfer(
		header,
		entries.map((entry) => entry.body),
	);
	return Uint8Array.from([...unsigned, ...new Uint8Array(TRANSFER_SIGNATURE_BYTES).fill(7)]);
}

describe('a transfer file', () => {
	test('is read as it was written', () => {
		fc.assert(
			fc.property(contents, (written) => {
				const read = parseTransfer(file(written));
				expect(read.header).toMatchObject({ sender: written.sender, seq: written.seq, createdMs: written.createdMs });
				expect(read.bodies.map((bytes) => [...bytes])).toEqual(written.entries.map((entry) => [...entry.body]));
				expect([...read.signature]).toEqual(new Array(TRANSFER_SIGNATURE_BYTES).fill(7));
				expect(parseTransferFileName(transferFileName(written.sender, written.seq))).toEqual({ sender: written.sender, seq: written.seq });
			}),
		);
	});

	test('that was damaged is refused or read, and never anything else', () => {
		fc.assert(
			fc.property(contents, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(), (written, at, byte, cut) => {
				const bytes = file(written);
				bytes[at % bytes.length] = byte;
				try {
					parseTransfer(bytes.subarray(0, bytes.length - (cut % 20)));
				} catch (error) {
					expect(error).toBeInstanceOf(ProtocolError);
				}
			}),
			{ numRuns: 2000 },
		);
	});

	test('that is cut off anywhere is refused', () => {
		const whole = file({ sender: 'a', seq: 1, createdMs: 1, entries: [{ kind: 'samples', body: new Uint8Array(30) }] });
		for (let length = 0; length < whole.length; length++) expect(() => parseTransfer(whole.subarray(0, length))).toThrow(ProtocolError);
	});

	test('is known by its name, and other files are not', () => {
		for (const name of ['a-1.fnt', 'x.txt', 'a-0000000000000001.fnt.unfinished', '-0000000000000001.fnt']) {
			expect(parseTransferFileName(name)).toBeNull();
		}
	});
});
