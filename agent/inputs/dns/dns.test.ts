import { createSocket } from 'node:dgram';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { probe, reasonOf, Servers } from '../probe/probe.fixture.ts';
import { addressText, DNS_TYPES, DnsMessageError, decodeMessage, encodeQuery } from './message.ts';

const servers = new Servers();
const sockets: ReturnType<typeof createSocket>[] = [];
afterEach(async () => {
	await servers.close();
	for (const socket of sockets.splice(0)) await new Promise<void>((resolve) => socket.close(() => resolve()));
});

const name = (text: string) =>
	Buffer.concat([...text.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.from([0])]);
function record(type: number, data: Buffer): Buffer {
	const head = Buffer.from([0xc0, 12, type >> 8, type & 255, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length & 255]);
	return Buffer.concat([head, data]);
}
function answer(
	query: Buffer,
	records: readonly Buffer[],
	options: { readonly rcode?: number; readonly truncated?: boolean } = {},
): Buffer {
	const header = Buffer.from(query.subarray(0, 12));
	header.writeUInt16BE(0x8180 | (options.rcode ?? 0) | (options.truncated === true ? 0x0200 : 0), 2);
	header.writeUInt16BE(records.length, 6);
	return Buffer.concat([header, query.subarray(12), ...records]);
}

/** A name server that answers over UDP and, on the same port number, over TCP. */
async function nameServer(
	udp: (query: Buffer) => Buffer | null,
	tcp: (query: Buffer) => Buffer = (query) => udp(query) ?? Buffer.alloc(0),
): Promise<string> {
	const port = await servers.tcp((socket) => {
		socket.once('data', (bytes) => {
			const message = tcp(bytes.subarray(2));
			socket.end(Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]));
		});
	});
	const socket = createSocket('udp4');
	sockets.push(socket);
	socket.on('message', (bytes, peer) => {
		const message = udp(bytes);
		if (message !== null) socket.send(message, peer.port, peer.address);
	});
	await new Promise<void>((resolve) => socket.bind(port, '127.0.0.1', resolve));
	return `127.0.0.1:${port}`;
}

const A = (...bytes: number[]) => record(DNS_TYPES.A, Buffer.from(bytes));

test.each([
	{ name: 'there', dns: {}, reason: null },
	{ name: 'the expected address', dns: { answers: ['10.0.0.7'] }, reason: null },
	{ name: 'another address', dns: { answers: ['10.0.0.9'] }, reason: 'answer' },
	{ name: 'one address too many', dns: { answers: ['10.0.0.7'], only: true }, reason: 'answer' },
	{ name: 'exactly these', dns: { answers: ['10.0.0.8', '10.0.0.7'], only: true }, reason: null },
	{ name: 'over TCP', dns: { transport: 'tcp', answers: ['10.0.0.7'] }, reason: null },
])('A: $name', async ({ dns, reason }) => {
	const target = await nameServer((query) => answer(query, [A(10, 0, 0, 7), A(10, 0, 0, 8)]));
	const found = await probe({ kind: 'dns', target, dns: { name: 'portal.test', ...dns } });
	expect(reasonOf(found)).toBe(reason);
	expect(found).toMatchObject({
		probe_dns_query_succeeded: 1,
		probe_dns_answer_rrs: 2,
		probe_dns_authority_rrs: 0,
		probe_dns_additional_rrs: 0,
	});
});

test.each([
	{ name: 'AAAA', type: 'AAAA', data: Buffer.from('20010db8000000000000000000000001', 'hex'), expected: '2001:db8::1' },
	{ name: 'CNAME', type: 'CNAME', data: name('web.portal.test'), expected: 'WEB.portal.test.' },
	{ name: 'a compressed name', type: 'NS', data: Buffer.from([2, 110, 115, 0xc0, 12]), expected: 'ns.portal.test' },
	{ name: 'TXT in two parts', type: 'TXT', data: Buffer.from([3, 97, 98, 99, 1, 100]), expected: 'abcd' },
	{ name: 'MX', type: 'MX', data: Buffer.concat([Buffer.from([0, 10]), name('mail.test')]), expected: '10 mail.test' },
	{ name: 'SRV', type: 'SRV', data: Buffer.concat([Buffer.from([0, 1, 0, 2, 0, 80]), name('a.test')]), expected: '1 2 80 a.test' },
] as const)('$name', async ({ type, data, expected }) => {
	const target = await nameServer((query) => answer(query, [record(DNS_TYPES[type], data)]));
	expect(reasonOf(await probe({ kind: 'dns', target, dns: { name: 'portal.test', type, answers: [expected] } }))).toBeNull();
});

test('SOA gives the serial number', async () => {
	const numbers = Buffer.alloc(20);
	numbers.writeUInt32BE(2026112201, 0);
	const target = await nameServer((query) =>
		answer(query, [record(DNS_TYPES.SOA, Buffer.concat([name('ns.test'), name('root.test'), numbers]))]),
	);
	expect(await probe({ kind: 'dns', target, dns: { name: 'portal.test', type: 'SOA' } })).toMatchObject({
		probe_success: 1,
		probe_dns_serial: 2026112201,
	});
});

test.each([
	{ name: 'NXDOMAIN', reply: (query: Buffer) => answer(query, [], { rcode: 3 }), dns: {}, reason: 'answer' },
	{ name: 'NXDOMAIN as expected', reply: (query: Buffer) => answer(query, [], { rcode: 3 }), dns: { rcodes: ['NXDOMAIN'] }, reason: null },
	{ name: 'nothing of that type', reply: (query: Buffer) => answer(query, []), dns: {}, reason: 'answer' },
	{ name: 'silence', reply: () => null, dns: {}, reason: 'timeout' },
	{ name: 'garbage', reply: () => Buffer.from('garbage garbage'), dns: {}, reason: 'protocol' },
	{
		name: 'a name that points at itself',
		reply: (query: Buffer) => answer(query, [Buffer.from([0xc0, 29, 0, 1])]),
		dns: {},
		reason: 'protocol',
	},
	{
		name: "another question's answer",
		reply: (query: Buffer) =>
			answer(Buffer.concat([Buffer.from([query[0] ?? 0, (query[1] ?? 0) ^ 1]), query.subarray(2)]), [A(10, 0, 0, 7)]),
		dns: {},
		reason: 'timeout',
	},
])('$name', async ({ reply, dns, reason }) => {
	const target = await nameServer(reply);
	expect(reasonOf(await probe({ kind: 'dns', target, timeout: '300ms', dns: { name: 'portal.test', ...dns } }))).toBe(reason);
});

test('an answer that does not fit is asked for again over TCP', async () => {
	const target = await nameServer(
		(query) => answer(query, [], { truncated: true }),
		(query) => answer(query, [A(10, 0, 0, 7)]),
	);
	expect(await probe({ kind: 'dns', target, dns: { name: 'portal.test' } })).toMatchObject({ probe_success: 1, probe_dns_answer_rrs: 1 });
});

test('a packet that was lost is sent again', async () => {
	let asked = 0;
	const target = await nameServer((query) => (++asked === 1 ? null : answer(query, [A(10, 0, 0, 7)])));
	expect(reasonOf(await probe({ kind: 'dns', target, timeout: '900ms', dns: { name: 'portal.test' } }))).toBeNull();
	expect(asked).toBe(2);
});

test('an http check asks a name server of its own', async () => {
	const resolver = await nameServer((query) => answer(query, decodeMessage(query).question?.type === 1 ? [A(127, 0, 0, 1)] : []));
	const port = await servers.http((_request, response) => response.end('ok'));
	const target = `http://portal.only-there.test:${port}/`;
	expect(reasonOf(await probe({ kind: 'http', target, resolver }))).toBeNull();
	expect(reasonOf(await probe({ kind: 'http', target }))).toBe('resolve');
});

test('a query is what it says', () => {
	expect(decodeMessage(encodeQuery('portal.test.', 'AAAA', { id: 7, recursion: true }))).toMatchObject({
		id: 7,
		question: { name: 'portal.test', type: 28 },
		answers: [],
	});
	expect(() => encodeQuery(`${'x'.repeat(64)}.test`, 'A', { id: 1, recursion: true })).toThrow(DnsMessageError);
	expect(() => encodeQuery(`${'x.'.repeat(140)}test`, 'A', { id: 1, recursion: true })).toThrow(DnsMessageError);
});

test('whatever arrives is a message or a clear error', () => {
	const base = answer(encodeQuery('portal.test', 'A', { id: 7, recursion: true }), [
		A(10, 0, 0, 7),
		record(DNS_TYPES.TXT, Buffer.from([3, 97, 98, 99])),
	]);
	fc.assert(
		fc.property(fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 6 }), fc.nat(base.length), (changes, length) => {
			const bytes = Buffer.from(base.subarray(0, length));
			for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
			try {
				decodeMessage(bytes);
			} catch (error) {
				expect(error).toBeInstanceOf(DnsMessageError);
			}
		}),
		{ numRuns: 2000 },
	);
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
			try {
				decodeMessage(Buffer.from(bytes));
			} catch (error) {
				expect(error).toBeInstanceOf(DnsMessageError);
			}
		}),
		{ numRuns: 1000 },
	);
});

test.each([
	['00000000000000000000000000000000', '::'],
	['00000000000000000000000000000001', '::1'],
	['20010db8000000010000000000000001', '2001:db8:0:1::1'],
	['20010db8000100020003000400050006', '2001:db8:1:2:3:4:5:6'],
	['fe800000000000000000000000000000', 'fe80::'],
])('%s is %s', (hex, text) => {
	expect(addressText(Buffer.from(hex, 'hex'))).toBe(text);
});
