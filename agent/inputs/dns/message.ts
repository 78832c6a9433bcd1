/** Types that can be asked for, by their number (IANA). */
export const DNS_TYPES = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33, CAA: 257 } as const;
export type DnsType = keyof typeof DNS_TYPES;

export const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const;

export interface DnsRecord {
	readonly name: string;
	readonly type: number;
	readonly ttlSeconds: number;
	/** As dig prints it: an address, a name, `10 mail.example.cn`, the joined text. Hexadecimal for types that are not known here. */
	readonly data: string;
}

export interface DnsMessage {
	readonly id: number;
	readonly truncated: boolean;
	readonly authoritative: boolean;
	/** `NOERROR`, `NXDOMAIN`, …, or `RCODE7`. */
	readonly rcode: string;
	readonly question: { readonly name: string; readonly type: number } | null;
	readonly answers: readonly DnsRecord[];
	readonly authority: readonly DnsRecord[];
	readonly additional: readonly DnsRecord[];
}

export class DnsMessageError extends Error {
	constructor(message: string) {
		super(message);
		this.name = 'DnsMessageError';
	}
}

const HEADER = 12;
/** A name has at most 255 bytes, so it cannot have more labels; a pointer that goes on and on is an attack. */
const MOST_JUMPS = 128;

/** A query with recursion desired (RFC 1035). Throws `DnsMessageError` for a name that cannot be one. */
export function encodeQuery(name: string, type: DnsType, options: { readonly id: number; readonly recursion: boolean }): Buffer {
	const labels = name.replace(/\.$/, '') === '' ? [] : name.replace(/\.$/, '').split('.');
	const parts: Buffer[] = [];
	for (const label of labels) {
		const bytes = Buffer.from(label, 'ascii');
		if (bytes.length === 0 || bytes.length > 63) throw new DnsMessageError(`"${name}" is not a domain name`);
		parts.push(Buffer.from([bytes.length]), bytes);
	}
	const header = Buffer.alloc(HEADER);
	header.writeUInt16BE(options.id, 0);
	header.writeUInt16BE(options.recursion ? 0x0100 : 0, 2);
	header.writeUInt16BE(1, 4);
	const question = Buffer.alloc(5);
	question.writeUInt16BE(DNS_TYPES[type], 1);
	question.writeUInt16BE(1, 3);
	const message = Buffer.concat([header, ...parts, question]);
	if (message.length > HEADER + 255 + 5) throw new DnsMessageError(`"${name}" is longer than a domain name can be`);
	return message;
}

/** Takes an answer apart; throws `DnsMessageError` for anything malformed, and never reads outside of it. */
export function decodeMessage(bytes: Buffer): DnsMessage {
	if (bytes.length < HEADER) throw new DnsMessageError('shorter than a header');
	const flags = bytes.readUInt16BE(2);
	const reader = new Reader(bytes);
	let question: DnsMessage['question'] = null;
	for (let i = bytes.readUInt16BE(4); i > 0; i--) {
		const name = reader.name();
		const type = reader.number16();
		reader.number16();
		question ??= { name, type };
	}
	return {
		id: bytes.readUInt16BE(0),
		truncated: (flags & 0x0200) !== 0,
		authoritative: (flags & 0x0400) !== 0,
		rcode: RCODES[flags & 15] ?? `RCODE${flags & 15}`,
		question,
		answers: reader.records(bytes.readUInt16BE(6)),
		authority: reader.records(bytes.readUInt16BE(8)),
		additional: reader.records(bytes.readUInt16BE(10)),
	};
}

class Reader {
	readonly #bytes: Buffer;
	#pos = HEADER;

	constructor(bytes: Buffer) {
		this.#bytes = bytes;
	}

	records(count: number): readonly DnsRecord[] {
		const list: DnsRecord[] = [];
		for (let i = 0; i < count; i++) {
			const name = this.name();
			const type = this.number16();
			this.number16();
			const ttlSeconds = this.#number(4);
			const length = this.number16();
			this.#need(length);
			const end = this.#pos + length;
			const data = this.#data(type, length);
			if (this.#pos > end) throw new DnsMessageError('a record is longer than it says');
			this.#pos = end;
			list.push({ name, type, ttlSeconds, data });
		}
		return list;
	}

	number16(): number {
		return this.#number(2);
	}

	name(): string {
		const labels: string[] = [];
		let pos = this.#pos;
		let jumped = false;
		for (let jumps = 0; ; ) {
			const length = this.#bytes[pos];
			if (length === undefined) throw new DnsMessageError('a name ends outside of the message');
			if (length >= 0xc0) {
				const low = this.#bytes[pos + 1];
				if (low === undefined || ++jumps > MOST_JUMPS) throw new DnsMessageError('a name points nowhere');
				if (!jumped) this.#pos = pos + 2;
				jumped = true;
				pos = ((length & 0x3f) << 8) | low;
				continue;
			}
			if (length > 63) throw new DnsMessageError('a label is longer than 63 bytes');
			pos++;
			if (length === 0) break;
			if (pos + length > this.#bytes.length || labels.length > 127) throw new DnsMessageError('a name ends outside of the message');
			labels.push(this.#bytes.toString('latin1', pos, pos + length));
			pos += length;
		}
		if (!jumped) this.#pos = pos;
		return labels.length === 0 ? '.' : labels.join('.');
	}

	#data(type: number, length: number): string {
		const bytes = this.#bytes;
		const start = this.#pos;
		switch (type) {
			case DNS_TYPES.A:
				if (length !== 4) throw new DnsMessageError('an address does not have 4 bytes');
				return [...bytes.subarray(start, start + 4)].join('.');
			case DNS_TYPES.AAAA:
				if (length !== 16) throw new DnsMessageError('an address does not have 16 bytes');
				return addressText(bytes.subarray(start, start + 16));
			case DNS_TYPES.NS:
			case DNS_TYPES.CNAME:
			case DNS_TYPES.PTR:
				return this.name();
			case DNS_TYPES.MX:
				return `${this.number16()} ${this.name()}`;
			case DNS_TYPES.SRV:
				return `${this.number16()} ${this.number16()} ${this.number16()} ${this.name()}`;
			case DNS_TYPES.SOA: {
				const names = `${this.name()} ${this.name()}`;
				return `${names} ${[0, 1, 2, 3, 4].map(() => this.#number(4)).join(' ')}`;
			}
			case DNS_TYPES.TXT: {
				const texts: string[] = [];
				for (let pos = start; pos < start + length; ) {
					const size = bytes[pos] as number;
					if (pos + 1 + size > start + length) throw new DnsMessageError('a text is longer than its record');
					texts.push(bytes.toString('utf8', pos + 1, pos + 1 + size));
					pos += 1 + size;
				}
				return texts.join('');
			}
			default:
				return bytes.toString('hex', start, start + length);
		}
	}

	#number(size: number): number {
		this.#need(size);
		const value = this.#bytes.readUIntBE(this.#pos, size);
		this.#pos += size;
		return value;
	}

	#need(size: number): void {
		if (this.#pos + size > this.#bytes.length) throw new DnsMessageError('the message is cut off');
	}
}

/** The shortest spelling (RFC 5952). */
export function addressText(bytes: Uint8Array): string {
	const groups: number[] = [];
	for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number));
	let best = { start: -1, length: 1 };
	for (let i = 0; i < 8; i++) {
		let length = 0;
		while (i + length < 8 && groups[i + length] === 0) length++;
		if (length > best.length) best = { start: i, length };
	}
	const text = (from: number, to: number) =>
		groups
			.slice(from, to)
			.map((group) => group.toString(16))
			.join(':');
	return best.start < 0 ? text(0, 8) : `${text(0, best.start)}::${text(best.start + best.length, 8)}`;
}
