import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { exampleNotification, type OpenedChannels, openTestChannels, sendThrough } from '../../../tests/harness/channels.ts';
import { type FakeCmpp, startFakeCmpp } from '../../../tests/harness/fake-cmpp.ts';
import { waitFor } from '../../../tests/harness/process.ts';
import { authenticatorSource, decodeDeliver, decodePackets, encodePacket } from './codec.ts';
import { messageParts } from './long-message.ts';

const PHONE = '13800000001';
const secrets = { SECRET: 'shared-secret' };
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
	for (const stop of stops.splice(0).reverse()) await stop();
});

async function open(
	version: 2 | 3,
	options: { readonly secret?: string; readonly more?: string } = {},
): Promise<{ readonly fake: FakeCmpp; readonly opened: OpenedChannels }> {
	const fake = await startFakeCmpp({ sourceAddr: '901234', secret: secrets.SECRET, version });
	stops.push(fake.stop);
	const opened = openTestChannels(
		`channels: [{ name: sms, cmpp: { host: 127.0.0.1, port: ${fake.port}, version: '${version}.0', source_addr: '901234', secret: { env: SECRET }, src_id: '10690000', signature: 【城管】, max_parts: 4, timeout: 2s ${options.more ?? ''} } }]`,
		{ secrets: { SECRET: options.secret ?? secrets.SECRET } },
	);
	stops.push(() => opened.channels.close());
	return { fake, opened };
}

const to = ({ channels }: OpenedChannels, phone = PHONE) => channels.personal('sms', phone);

describe.each([2, 3] as const)('CMPP %i.0', (version) => {
	test('binds once, sends, and takes the receipt', async () => {
		const { fake, opened } = await open(version);
		const result = await sendThrough(to(opened));
		expect(result).toMatchObject({ kind: 'sent', code: '0', receipts: [{ to: PHONE }] });
		expect(await sendThrough(to(opened, '13900000002'))).toMatchObject({ kind: 'sent' });
		expect(fake.binds()).toBe(1);
		expect(fake.messages[0]).toMatchObject({ phone: PHONE, parts: 1, text: expect.stringMatching(/^【城管】\[严重\]Nginx 停了/) });
		const id = fake.messages[0]?.ids[0] ?? '';
		fake.report(id, PHONE, 'DELIVRD');
		fake.report(id, PHONE, 'UNDELIV');
		await waitFor('the receipts', () => opened.receipts.length === 2);
		expect(opened.receipts).toMatchObject([
			{ line: 'sms', key: id, to: PHONE, state: 'delivered', code: 'DELIVRD' },
			{ state: 'undelivered', code: 'UNDELIV' },
		]);
		await waitFor('our answers', () => fake.deliverResults.length === 2);
		expect(fake.deliverResults).toEqual([0, 0]);
	});

	test('a long text goes in parts, each with a receipt of its own', async () => {
		const { fake, opened } = await open(version);
		const action = '1. 查看磁盘；2. 清理日志；3. 联系厂商。'.repeat(6);
		const result = await sendThrough(to(opened), exampleNotification({ annotations: { summary: '磁盘 😀 将满', action } }));
		expect(fake.messages[0]?.parts).toBeGreaterThan(1);
		expect(fake.messages[0]?.text).toContain('磁盘 😀 将满');
		expect(result.kind === 'sent' && result.receipts?.map(({ key }) => key)).toEqual(fake.messages[0]?.ids);
	});

	test('what somebody replies comes with the number that the carrier names', async () => {
		const { fake, opened } = await open(version);
		opened.channels.start();
		await waitFor('the session', () => fake.binds() === 1);
		fake.reply(PHONE, ' A7 收到 ');
		await waitFor('the reply', () => opened.replies.length === 1);
		expect(opened.replies[0]).toMatchObject({ way: 'cmpp', from: { channel: 'sms', to: PHONE }, said: { kind: 'text', text: 'A7 收到' } });
	});

	test('a wrong secret is final, and is not tried for each message anew within it', async () => {
		const { fake, opened } = await open(version, { secret: 'wrong' });
		expect(await sendThrough(to(opened))).toMatchObject({ kind: 'refused', code: 'connect-3' });
		expect(fake.messages).toEqual([]);
	});
});

describe('trouble on the line', () => {
	test('flow control is repeated later, any other result is final', async () => {
		const { fake, opened } = await open(2);
		fake.fail(8);
		expect(await sendThrough(to(opened))).toMatchObject({ kind: 'retry', code: '8', possiblySent: false });
		fake.fail(10);
		expect(await sendThrough(to(opened))).toMatchObject({ kind: 'refused', code: '10' });
	});

	test('a connection that breaks after the submit may have carried it; the next message binds anew', async () => {
		const { fake, opened } = await open(2);
		fake.dropNext();
		expect(await sendThrough(to(opened))).toMatchObject({ kind: 'retry', possiblySent: true });
		expect(await sendThrough(to(opened))).toMatchObject({ kind: 'sent' });
		expect(fake.binds()).toBe(2);
	});

	test('nobody there: certainly not sent', async () => {
		const { fake, opened } = await open(2);
		await fake.stop();
		expect(await sendThrough(to(opened))).toMatchObject({ kind: 'retry', code: 'ECONNREFUSED', possiblySent: false });
	});

	test('the session is kept alive, and comes back by itself', async () => {
		const { fake, opened } = await open(2, { more: ', active_test: 50ms' });
		opened.channels.start();
		await waitFor('active tests', () => fake.activeTests() >= 2);
		fake.disconnect();
		await waitFor('the next session', () => fake.binds() >= 2);
	});

	test('what we could not record is asked for again', async () => {
		const { fake, opened } = await open(2);
		opened.replies.push = () => {
			throw new Error('no disk');
		};
		opened.channels.start();
		await waitFor('the session', () => fake.binds() === 1);
		fake.reply(PHONE, 'A7');
		await waitFor('our answer', () => fake.deliverResults.length === 1);
		expect(fake.deliverResults).toEqual([9]);
	});

	test('whoever takes our log-in without knowing the secret gets no message', async () => {
		const impostor = await startFakeCmpp({ sourceAddr: '901234', secret: 'another', version: 2, believesAnybody: true });
		stops.push(impostor.stop);
		const opened = openTestChannels(
			`channels: [{ name: sms, cmpp: { host: 127.0.0.1, port: ${impostor.port}, source_addr: '901234', secret: { env: SECRET }, src_id: '1' } }]`,
			{ secrets },
		);
		stops.push(() => opened.channels.close());
		expect(await sendThrough(to(opened))).toMatchObject({ kind: 'refused', code: 'authenticator' });
		expect(impostor.messages).toEqual([]);
	});
});

describe('bytes', () => {
	test('packets are found in a stream however it is cut', () => {
		const packet = fc.record({
			command: fc.nat({ max: 0xffffffff }),
			sequence: fc.nat({ max: 0xffffffff }),
			body: fc.uint8Array({ maxLength: 200 }),
		});
		fc.assert(
			fc.property(fc.array(packet, { maxLength: 8 }), fc.integer({ min: 1, max: 60 }), (packets, size) => {
				const wanted = packets.map(({ body, ...rest }) => ({ ...rest, body: Buffer.from(body) }));
				const bytes = Buffer.concat(wanted.map(encodePacket));
				const found: unknown[] = [];
				let rest = Buffer.alloc(0);
				for (let at = 0; at < bytes.length; at += size) {
					const decoded = decodePackets(Buffer.concat([rest, bytes.subarray(at, at + size)]));
					if (decoded === null) throw new Error('out of step');
					found.push(...decoded.packets);
					rest = Buffer.from(decoded.rest);
				}
				expect(found).toEqual(wanted);
				expect(rest).toHaveLength(0);
			}),
		);
		expect(decodePackets(Buffer.from('GET / HTTP/1.1\r\n'))).toBeNull();
	});

	test('parts hold at most 140 bytes, keep characters whole, and give the text back', () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 60, max: 140 }),
				fc.string({ unit: fc.constantFrom('告', 'a', '😀', '\n'), maxLength: 600 }),
				(before, more) => {
					// A pair stands on every border sooner or later.
					const text = `${'a'.repeat(before)}😀😀${more}`;
					const parts = messageParts(text, 300);
					let joined = '';
					for (const { joined: long, content } of parts) {
						expect(content.length).toBeLessThanOrEqual(140);
						const piece = Buffer.from(content.subarray(long ? 6 : 0))
							.swap16()
							.toString('utf16le');
						expect(piece.isWellFormed()).toBe(true);
						joined += piece;
					}
					expect(joined).toBe(text);
					expect(parts.length === 1).toBe(text.length <= 70);
				},
			),
		);
	});

	test('the authenticator is MD5 over address, nine zeros, secret and time', () => {
		const digest = authenticatorSource({ sourceAddr: '901234', secret: 'secret', timestamp: 102030405 });
		// printf '901234\0\0\0\0\0\0\0\0\0secret0102030405' | md5sum
		expect(digest.toString('hex')).toBe('1c39df8b9c01798a8f35c3c785cf91ce');
	});

	test('a deliver that is cut short is not read', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 160 }), fc.constantFrom(2 as const, 3 as const), (bytes, version) => {
				const delivered = decodeDeliver(Buffer.from(bytes), version);
				expect(delivered === null || delivered.id.length === 8).toBe(true);
			}),
		);
	});
});
