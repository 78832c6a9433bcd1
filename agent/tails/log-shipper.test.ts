import { appendFileSync, copyFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import { Secret } from '../../core/secret.ts';
import type { LogBatch, LogRecord } from '../../protocol/log-record.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../tests/harness/process.ts';
import { type AgentMetrics, createAgentMetrics } from '../self-metrics.ts';
import { BackOff } from '../uplink/back-off.ts';
import type { LogConfig } from './config.ts';
import { LogClient } from './log-client.ts';
import { LogShipper } from './log-shipper.ts';
import { PositionStore } from './position-store.ts';
import { splitEvents } from './tail-file.ts';

/** An archive as small as one can be: takes what continues a stream, and says otherwise where the stream goes on. */
class Archive {
	readonly records: LogRecord[] = [];
	/** Statuses to answer with instead, first come first served; `lose`: keep the batch and drop the connection. */
	readonly faults: (number | 'lose')[] = [];
	/** Records whose raw text holds this are refused with 400. */
	poison = '';
	requests = 0;

	take(batch: LogBatch): { status: number; nextSeq: number } {
		this.requests++;
		const next = this.records.length;
		if (batch.firstSeq > next) return { status: 409, nextSeq: next };
		if (this.poison !== '' && batch.records.some((record) => record.raw.includes(this.poison))) return { status: 400, nextSeq: next };
		this.records.push(...batch.records.filter((record) => record.seq >= next));
		return { status: 200, nextSeq: this.records.length };
	}

	raws(): string[] {
		return this.records.map((record) => record.raw);
	}
}

let folder: TemporaryFolder;
let server: Server;
let archive: Archive;
let metrics: AgentMetrics;
let file: string;
let url: string;
const running: LogShipper[] = [];

beforeEach(async () => {
	folder = temporaryFolder('tails');
	file = join(folder.path, 'app.log');
	archive = new Archive();
	metrics = createAgentMetrics('test');
	server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			const batch: LogBatch = JSON.parse(gunzipSync(Buffer.concat(chunks)).toString());
			const fault = archive.faults.shift();
			if (typeof fault === 'number') {
				response.writeHead(fault).end();
				return;
			}
			const { status, nextSeq } = archive.take(batch);
			if (fault === 'lose') request.socket.destroy();
			else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ stream: batch.stream, nextSeq }));
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`;
});

afterEach(async () => {
	for (const shipper of running.splice(0)) await shipper.stop();
	server.closeAllConnections();
	await new Promise((resolve) => server.close(resolve));
	folder.remove();
});

function follow(config: Partial<LogConfig> = {}): LogShipper {
	const shipper = new LogShipper({
		config: { path: file, kind: 'plain', encoding: 'utf8', begin: 'start', ...config },
		host: 'app-1',
		system: 'portal',
		client: new LogClient({ url, token: () => new Secret('t'), timeoutMs: 60_000, userAgent: 'test', now: () => Date.now() }),
		positions: new PositionStore(join(folder.path, 'state')),
		clock: systemClock,
		log: silentLogger,
		metrics,
		pollMs: 10,
		backOff: new BackOff({ firstMs: 5, maxMs: 10 }),
	});
	running.push(shipper);
	shipper.start();
	return shipper;
}

const lines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}`);
const write = (texts: readonly string[]) => appendFileSync(file, texts.map((text) => `${text}\n`).join(''));
const arrived = (count: number) => waitFor(`${count} records`, () => archive.records.length >= count);
const gaps = async () => (await metrics.logGaps.get()).values.reduce((sum, entry) => sum + entry.value, 0);

test('what is written arrives in order, numbered without gaps', async () => {
	write(lines(1, 3));
	follow();
	await arrived(3);
	write(lines(4, 1500));
	await arrived(1500);
	expect(archive.raws()).toEqual(lines(1, 1500));
	expect(archive.records.map((record) => record.seq)).toEqual(Array.from({ length: 1500 }, (_, i) => i));
	expect(archive.records[0]).toMatchObject({ v: 1, stream: 'app-1/app', host: 'app-1', system: 'portal' });
});

test('a line that is not finished waits for its end', async () => {
	appendFileSync(file, 'one\ntw');
	follow();
	await arrived(1);
	appendFileSync(file, 'o\nthree\n');
	await arrived(3);
	expect(archive.raws()).toEqual(['one', 'two', 'three']);
});

describe('the file changes', () => {
	test('renamed while it is followed', async () => {
		write(lines(1, 3));
		follow();
		await arrived(3);
		appendFileSync(file, 'line 4\nlast words');
		renameSync(file, `${file}.1`);
		write(lines(5, 6));
		await arrived(7);
		expect(archive.raws()).toEqual([...lines(1, 4), 'last words', ...lines(5, 6)]);
	});

	test('renamed twice while the agent was away', async () => {
		write(lines(1, 3));
		const first = follow();
		await arrived(3);
		await first.stop();
		write(lines(4, 5));
		renameSync(file, `${file}.2`);
		writeFileSync(`${file}.1`, `${lines(6, 8).join('\n')}\n`);
		writeFileSync(`${file}.json`, 'a neighbour\n');
		write(lines(9, 10));
		follow();
		await arrived(10);
		expect(archive.raws()).toEqual(lines(1, 10));
		expect(await gaps()).toBe(0);
	});

	test('copied and truncated while it is followed', async () => {
		write(lines(1, 40));
		follow();
		await arrived(40);
		copyFileSync(file, `${file}.1`);
		truncateSync(file, 0);
		write(lines(41, 43));
		await arrived(43);
		expect(archive.raws()).toEqual(lines(1, 43));
	});

	test('truncated and longer than before at the next look', async () => {
		write(lines(1, 3));
		const first = follow();
		await arrived(3);
		await first.stop();
		writeFileSync(file, `${lines(100, 140).join('\n')}\n`);
		follow();
		await arrived(44);
		expect(archive.raws()).toEqual([...lines(1, 3), ...lines(100, 140)]);
		expect(await gaps()).toBe(1);
	});

	test('truncated and longer than before, while it is followed', async () => {
		write(lines(1, 3));
		follow();
		await arrived(3);
		writeFileSync(file, `${lines(100, 140).join('\n')}\n`);
		await arrived(44);
		expect(archive.raws()).toEqual([...lines(1, 3), ...lines(100, 140)]);
	});

	test('not there yet', async () => {
		follow();
		write(lines(1, 2));
		await arrived(2);
	});

	test('begin at the end', async () => {
		write(lines(1, 3));
		follow({ begin: 'end' });
		await waitFor('the file to be opened', async () => (await metrics.logPendingBytes.get()).values.length > 0);
		write(lines(4, 5));
		await arrived(2);
		expect(archive.raws()).toEqual(lines(4, 5));
	});
});

describe('the collector', () => {
	test('an answer that is lost does not double a record', async () => {
		archive.faults.push('lose', 503, 'lose', 429);
		write(lines(1, 20));
		follow();
		await arrived(20);
		write(lines(21, 22));
		await arrived(22);
		expect(archive.raws()).toEqual(lines(1, 22));
	});

	test('the position moves only after the answer: a restart in between repeats, and the archive knows', async () => {
		archive.faults.push(...Array.from({ length: 50 }, () => 503));
		write(lines(1, 5));
		const first = follow();
		await waitFor('an attempt', () => archive.faults.length < 50);
		await first.stop();
		archive.faults.length = 0;
		follow();
		await arrived(5);
		expect(archive.raws()).toEqual(lines(1, 5));
	});

	test('an archive that went back gets its records again', async () => {
		follow();
		for (let i = 1; i <= 5; i++) {
			write(lines(i * 10 - 9, i * 10));
			await arrived(i * 10);
		}
		archive.records.length = 25;
		write(lines(51, 52));
		await arrived(52);
		expect(archive.raws()).toEqual(lines(1, 52));
		expect(await gaps()).toBe(0);
	});

	test('an archive that is new takes the stream where it wants, and the gap is counted', async () => {
		write(lines(1, 30));
		const first = follow();
		await arrived(30);
		await first.stop();
		writeFileSync(file, '');
		archive.records.length = 10;
		write(['after']);
		follow();
		await arrived(11);
		expect(archive.raws()).toEqual([...lines(1, 10), 'after']);
		expect(await gaps()).toBeGreaterThan(0);
	});

	test('a lost position asks the archive and does not lose lines', async () => {
		write(lines(1, 3));
		const first = follow();
		await arrived(3);
		await first.stop();
		writeFileSync(join(folder.path, 'state', 'app.json'), '{"broken');
		write(['line 4']);
		follow();
		await arrived(7);
		expect(archive.raws()).toEqual([...lines(1, 3), ...lines(1, 4)]);
	});

	test('a record that is refused is left out, the others arrive', async () => {
		archive.poison = 'line 13';
		write(lines(1, 40));
		follow();
		await arrived(39);
		expect(archive.raws()).toEqual(lines(1, 40).filter((line) => line !== 'line 13'));
		expect(archive.records.map((record) => record.seq)).toEqual(Array.from({ length: 39 }, (_, i) => i));
	});
});

describe('bytes', () => {
	test('GBK keeps its bytes and is read', async () => {
		const gbk = Buffer.from([0x31, 0x20, 0xd6, 0xd0, 0xce, 0xc4]);
		writeFileSync(file, Buffer.concat([gbk, Buffer.from('\n')]));
		follow({ encoding: 'gb18030' });
		await arrived(1);
		expect(archive.records[0]).toMatchObject({ raw: gbk.toString('base64'), fields: { rawEncoding: 'base64', text: '1 中文' } });
	});

	test('a stack trace is one record', async () => {
		const trace = '21-Nov-2026 21:05:57.123 SEVERE [main] a.B.c failed\n\tjava.lang.Error\n\t\tat a.B.c(B.java:1)';
		writeFileSync(file, `${trace}\n21-Nov-2026 21:05:58.000 INFO [main] a.B.c ok\n`);
		follow({ kind: 'catalina' });
		await arrived(2);
		expect(archive.raws()).toEqual([trace, '21-Nov-2026 21:05:58.000 INFO [main] a.B.c ok']);
	});

	test('a file without line breaks is cut', async () => {
		writeFileSync(file, `${'x'.repeat(200_000)}\nend\n`);
		follow();
		await waitFor('the last line', () => archive.raws().includes('end'));
		expect(archive.raws().slice(0, -1).join('')).toBe('x'.repeat(200_000));
	});

	test('events cover the bytes without holes, however they are cut', () => {
		const text = fc.array(fc.constantFrom('+a\n', '+bb\r\n', 'c\n', '\n', 'tail'), { maxLength: 30 }).map((parts) => parts.join(''));
		fc.assert(
			fc.property(text, fc.boolean(), fc.boolean(), (content, multiLine, whole) => {
				const bytes = Buffer.from(content);
				let at = 0;
				for (const { from, to, next } of splitEvents(bytes, {
					startsEvent: multiLine ? (line) => line.startsWith('+') : null,
					lastLineIsWhole: whole,
					lastEventIsWhole: whole,
				})) {
					expect(from).toBe(at);
					expect(to).toBeLessThanOrEqual(next);
					expect(/^[\r\n]*$/.test(bytes.toString('utf8', to, next))).toBe(true);
					at = next;
				}
				if (whole) expect(at).toBe(bytes.length);
			}),
		);
	});
});
