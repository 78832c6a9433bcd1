import { createSocket, type Socket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
	findCommand,
	type RunningProcess,
	startProcess,
	type TemporaryFolder,
	temporaryFolder,
	waitFor,
} from '../../../tests/harness/process.ts';
import { values } from '../measured-values.ts';
import { chronyFloat } from './chrony.ts';
import { createNtpInput } from './input.ts';
import { decodeAnswer, isSane } from './sntp.ts';

const ERA = 2_208_988_800;
const signal = new AbortController().signal;

const sockets: Socket[] = [];
afterEach(() => {
	for (const socket of sockets.splice(0)) socket.close();
});

/** A time server on loopback whose clock is `aheadMs` ahead; `reply` may spoil the answer, or give several. */
async function timeServer(
	aheadMs: number,
	reply: (answer: Buffer) => readonly Buffer[] = (answer) => [answer],
): Promise<{ address: string; asked: () => number }> {
	const socket = createSocket('udp4');
	sockets.push(socket);
	let asked = 0;
	socket.on('message', (request, from) => {
		asked++;
		const answer = Buffer.alloc(48);
		answer[0] = (4 << 3) | 4;
		answer[1] = 2;
		answer.writeUInt32BE(65536 / 4, 8);
		request.copy(answer, 24, 40, 48);
		for (const at of [16, 32, 40]) writeTime(answer, at, Date.now() + aheadMs);
		for (const bytes of reply(answer)) socket.send(bytes, from.port, from.address);
	});
	await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
	return { address: `127.0.0.1:${socket.address().port}`, asked: () => asked };
}

function writeTime(bytes: Buffer, at: number, ms: number): void {
	const seconds = Math.floor(ms / 1000);
	bytes.writeUInt32BE((seconds + ERA) % 2 ** 32, at);
	bytes.writeUInt32BE(Math.floor(((ms - seconds * 1000) / 1000) * 2 ** 32), at + 4);
}

const input = (server: string, timeoutMs = 30_000) => createNtpInput({ target: {}, intervalMs: 60_000, timeoutMs, kind: 'sntp', server });

/** By how much an offset can be wrong, however busy the machine is: half of the round trip (RFC 5905, section 8), and the clock's grain. */
const errorBound = (found: Record<string, number>, server: string) => (found[`node_ntp_rtt_seconds{server="${server}"}`] ?? 0) / 2 + 0.005;

test('offset and round trip follow from four times, in every era', () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 0, max: 4_102_444_800_000 }),
			fc.integer({ min: -1e6, max: 1e6 }),
			fc.integer({ min: 0, max: 500 }),
			(sent, ahead, way) => {
				const bytes = Buffer.alloc(48);
				bytes[0] = 0x24;
				bytes[1] = 3;
				for (const [at, ms] of [
					[16, sent],
					[32, sent + way + ahead],
					[40, sent + way + ahead + 7],
				] as const)
					writeTime(bytes, at, Math.max(0, ms));
				const answer = decodeAnswer(bytes, sent, sent + 2 * way + 7);
				if (typeof answer === 'string' || sent + ahead < 0) return;
				expect(answer.offsetSeconds).toBeCloseTo(ahead / 1000, 2);
				expect(answer.roundTripSeconds).toBeCloseTo((2 * way) / 1000, 2);
			},
		),
		{ numRuns: 300 },
	);
});

test('a server that is ten seconds ahead', async () => {
	const { address } = await timeServer(10_000);
	const found = values(await input(address).collect(signal, Date.now()));
	expect(Math.abs((found[`node_ntp_offset_seconds{server="${address}"}`] ?? 0) - 10)).toBeLessThanOrEqual(errorBound(found, address));
	expect(found).toMatchObject({
		[`fournines_ntp_up{server="${address}"}`]: 1,
		[`node_ntp_stratum{server="${address}"}`]: 2,
		[`node_ntp_root_dispersion_seconds{server="${address}"}`]: 0.25,
		[`node_ntp_sanity{server="${address}"}`]: 1,
	});
});

test('an answer that does not repeat our bits is a forgery, and so is one that is short or of another mode', async () => {
	const { address } = await timeServer(3_600_000, (answer) => {
		const forged = Buffer.from(answer);
		forged[24] = (forged[24] ?? 0) ^ 1;
		const mode = Buffer.from(answer);
		mode[0] = (4 << 3) | 5;
		return [forged, answer.subarray(0, 47), mode];
	});
	await expect(input(address, 200).collect(signal, 0)).rejects.toMatchObject({ code: 'FN_AGENT_NTP_TIMEOUT' });
});

test('a refusal is obeyed for a quarter of an hour', async () => {
	const { address, asked } = await timeServer(0, (answer) => {
		answer[1] = 0;
		answer.write('RATE', 12, 'latin1');
		return [answer];
	});
	const source = input(address);
	await expect(source.collect(signal, 0)).rejects.toMatchObject({
		code: 'FN_AGENT_NTP_REFUSED',
		message: expect.stringContaining('"RATE"'),
	});
	await expect(source.collect(signal, 60_000)).rejects.toMatchObject({ code: 'FN_AGENT_NTP_REFUSED' });
	expect(asked()).toBe(1);
	await expect(source.collect(signal, 16 * 60_000)).rejects.toMatchObject({ code: 'FN_AGENT_NTP_REFUSED' });
	expect(asked()).toBe(2);
});

test('a closed port and an aborted round end at once', async () => {
	const socket = createSocket('udp4');
	await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
	const address = `127.0.0.1:${socket.address().port}`;
	socket.close();
	await expect(input(address, 30_000).collect(signal, 0)).rejects.toMatchObject({ code: 'FN_AGENT_NTP_FAILED' });
	const silent = await timeServer(0, () => []);
	const abort = new AbortController();
	const running = input(silent.address, 30_000).collect(abort.signal, 0);
	abort.abort();
	await expect(running).rejects.toMatchObject({ code: 'FN_AGENT_NTP_TIMEOUT' });
});

test.each([
	['unsynchronised', { leap: 3 }],
	['stratum 16', { stratum: 16 }],
	['far from its source', { rootDispersionSeconds: 20 }],
	['not heard of its source for two days', { referenceMs: -2 * 86_400_000 }],
])('a server that is %s is not sane', (_name, change) => {
	const good = {
		leap: 0,
		stratum: 2,
		rootDelaySeconds: 0.01,
		rootDispersionSeconds: 0.01,
		referenceMs: 0,
		offsetSeconds: 0,
		roundTripSeconds: 0,
	};
	expect(isSane(good, 1000)).toBe(true);
	expect(isSane({ ...good, ...change }, 1000)).toBe(false);
});

test.each([
	['zero', 0, 0, 0],
	['a half', 0, 0x800000, 0.25],
	['one', 2, 0x800000, 1],
	['a microsecond or so', -19, 0x800000, 2 ** -21],
	['negative', 2, -0x800000, -1],
])('chrony float: %s', (_name, exponent, coefficient, value) => {
	expect(chronyFloat(((exponent << 25) | (coefficient & 0x1ffffff)) >>> 0)).toBe(value);
});

const chronyd = findCommand('chronyd');
describe.skipIf(chronyd === null || process.getuid?.() !== 0)('a real chronyd that leaves the clock alone', () => {
	let folder: TemporaryFolder;
	let server: RunningProcess;
	let port: number;
	let commandPort: number;
	beforeAll(async () => {
		folder = temporaryFolder('chrony');
		[port, commandPort] = await Promise.all([freeUdpPort(), freeUdpPort()]);
		const file = join(folder.path, 'chrony.conf');
		writeFileSync(
			file,
			`local stratum 7\nport ${port}\ncmdport ${commandPort}\nbindaddress 127.0.0.1\nbindcmdaddress 127.0.0.1\nallow 127.0.0.1\npidfile ${join(folder.path, 'pid')}\n`,
		);
		// -x: never touches the clock. -d: stays in the foreground.
		server = startProcess(chronyd ?? '', ['-x', '-d', '-u', 'root', '-f', file]);
		await waitFor('chronyd to answer', async () => {
			const found = values(await input(`127.0.0.1:${port}`, 300).collect(signal, 0));
			return found[`node_ntp_stratum{server="127.0.0.1:${port}"}`] === 7;
		}).catch((error: unknown) => {
			throw new Error(`${String(error)}\n${server.output()}`);
		});
	});
	afterAll(async () => {
		await server?.stop();
		folder?.remove();
	});

	test('as a time server it agrees with the clock it shares', async () => {
		const found = values(await input(`127.0.0.1:${port}`).collect(signal, 0));
		const address = `127.0.0.1:${port}`;
		expect(Math.abs(found[`node_ntp_offset_seconds{server="${address}"}`] ?? 9)).toBeLessThanOrEqual(errorBound(found, address));
	});

	test('over its command port it tells what chronyc tells', async () => {
		const source = createNtpInput({ target: {}, intervalMs: 1000, timeoutMs: 30_000, kind: 'chrony', server: `127.0.0.1:${commandPort}` });
		const found = values(await source.collect(signal, 0));
		expect(found).toMatchObject({ chrony_up: 1, chrony_tracking_stratum: 7 });
		// With "local" it serves time without following anybody, and says "normal".
		expect(found['fournines_chrony_synchronised{leap="normal"}']).toBe(1);
		expect(Math.abs(found['chrony_tracking_system_time_seconds'] ?? 9)).toBeLessThan(1);
		expect(found['chrony_tracking_reference_timestamp_seconds']).toBeGreaterThan(1e9);
	});
});

async function freeUdpPort(): Promise<number> {
	const socket = createSocket('udp4');
	await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
	const { port } = socket.address();
	await new Promise<void>((resolve) => socket.close(() => resolve()));
	return port;
}
