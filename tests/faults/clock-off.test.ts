import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { startAgent } from '../../agent/app.ts';
import { parseAgentConfig } from '../../agent/config.ts';
import { type RunningCollector, startCollector } from '../../collector/app.ts';
import { systemClock } from '../../core/clock.ts';
import { configOrThrow } from '../../core/config-file.ts';
import { httpExchange } from '../../core/http-client.ts';
import { silentLogger } from '../../core/log.ts';
import type { LedgerAnswer } from '../../protocol/api.ts';
import { longestGapSeconds, type QueryRow } from '../harness/collector.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../harness/process.ts';
import { startTcpTarget, type TcpTarget } from '../harness/tcp-target.ts';

const MINUTE = 60;
const AWAY_MS = 8000;
/** Seconds by which the clocks of three hosts are wrong; each watches the same server by a check of its own. */
const HOSTS = { right: 0, early: MINUTE, late: -MINUTE } as const;
type Host = keyof typeof HOSTS;
const hosts = Object.keys(HOSTS) as Host[];

let folder: TemporaryFolder;
let collector: RunningCollector;
let target: TcpTarget;
/** How far the collector's clock was moved on, so that the time of the host that is early is over. */
let passedMs = 0;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
	folder = temporaryFolder('clock');
	closing.push(() => folder.remove());
	target = await startTcpTarget();
	closing.push(() => target.down());
	const configFile = join(folder.path, 'collector.yml');
	writeFileSync(
		configFile,
		stringify({
			inventory: { checks: hosts.map((id) => ({ id, interval: '1s' })), services: hosts.map((id) => ({ id, name: id, checks: [id] })) },
		}),
	);
	const clock = { ...systemClock, now: () => Date.now() + passedMs };
	const rootDir = resolve(import.meta.dirname, '../..');
	const dataDir = join(folder.path, 'data');
	collector = await startCollector({
		configFile,
		dataDir,
		listen: '127.0.0.1:0',
		rootDir,
		env: {},
		log: silentLogger,
		clock,
		version: '0',
	});
	closing.push(() => collector.stop());
	for (const host of hosts) {
		const probes = [{ id: host, kind: 'tcp', target: `127.0.0.1:${target.port}`, interval: '1s', timeout: '900ms' }];
		const text = stringify({
			collector: { url: collector.address, token: { file: join(dataDir, 'keys/local-agent.token') } },
			host: { name: host },
			interval: '1s',
			listen: '',
			inputs: { host: { enabled: false }, probes },
		});
		const agent = await startAgent({
			config: configOrThrow(parseAgentConfig(text, `${host}.yml`)),
			clock: { ...systemClock, now: () => Date.now() + HOSTS[host] * 1000 },
			log: silentLogger,
			env: {},
			dataDir: join(folder.path, host),
			version: '0',
		});
		closing.push(() => agent.stop());
	}
});
afterAll(async () => {
	for (const close of closing.reverse()) await close();
});

async function get<T>(path: string): Promise<T> {
	const token = readFileSync(join(folder.path, 'data/keys/local-read.token'), 'utf8').trim();
	const response = await httpExchange(collector.address + path, { timeoutMs: 30_000, headers: { authorization: `Bearer ${token}` } });
	return JSON.parse(response.body.toString('utf8')) as T;
}
async function rows(expression: string, atMs: number): Promise<readonly QueryRow[]> {
	const path = `/api/v1/query?query=${encodeURIComponent(expression)}&time=${atMs / 1000}`;
	return (await get<{ data: { result: readonly QueryRow[] } }>(path)).data.result;
}
const newest = async (expression: string, atMs: number) => Number((await rows(expression, atMs))[0]?.value[1] ?? Number.NaN);
const ledger = (service: string, fromMs: number, toMs: number) =>
	get<LedgerAnswer>(`/api/fournines/v1/services/${service}/ledger?from=${Math.floor(fromMs / 1000)}&to=${Math.ceil(toMs / 1000)}`);
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));
/** Until the host has delivered what it stamped with this time. */
const delivered = (host: Host, timeMs: number) =>
	waitFor(
		`samples of ${host}`,
		async () => (await newest(`timestamp(probe_success{check="${host}"})`, timeMs + 120_000)) * 1000 >= timeMs,
		{
			timeoutMs: 60_000,
		},
	);

test('a host whose clock is wrong by a minute moves an outage by a minute, and neither lengthens nor hides it', async () => {
	const shiftMs = (host: Host) => HOSTS[host] * 1000;
	for (const host of hosts) await delivered(host, Date.now() + shiftMs(host));
	const beginMs = Date.now() + 1000;
	await pause(3000);
	await target.down();
	const awayMs = Date.now();
	await pause(AWAY_MS);
	await target.up();
	const backMs = Date.now();
	await pause(5000);
	const endMs = Date.now() - 1000;
	for (const host of hosts) await delivered(host, endMs + 2000 + shiftMs(host));

	// The host that is late says nothing yet of the last minute, and that is unknown, not up and not down.
	const lastMinute = (await ledger('late', Date.now() - 40_000, Date.now())).figures;
	expect(lastMinute.downSeconds).toBe(0);
	expect(lastMinute.upSeconds).toBe(0);

	passedMs = 3 * MINUTE * 1000;
	for (const host of hosts) {
		const { intervals, figures } = await ledger(host, beginMs + shiftMs(host), endMs + shiftMs(host));
		const seconds = Math.ceil((endMs - beginMs) / 1000);
		const checks = await rows(`probe_success{check="${host}"}[${seconds}s]`, endMs + shiftMs(host));
		/** The longest time between two checks as they were really made. */
		const gapMs = Math.max(1, longestGapSeconds(checks[0])) * 1000;
		if (gapMs < 2000) expect(figures.unknownSeconds, host).toBe(0);
		const down = intervals.filter(({ state }) => state === 'down');
		expect(down, host).toHaveLength(1);
		const [from, to] = [Number(down[0]?.fromSeconds) * 1000, Number(down[0]?.toSeconds) * 1000];
		// One interval, a second that is cut to whole, and the time a busy machine takes.
		expect(Math.abs(from - awayMs - shiftMs(host)), host).toBeLessThanOrEqual(2000 + gapMs);
		expect(Math.abs(to - backMs - shiftMs(host)), host).toBeLessThanOrEqual(2000 + gapMs);
		expect(
			Math.abs((await newest(`fournines_agent_clock_offset_seconds{host="${host}"}`, endMs + shiftMs(host))) - HOSTS[host]),
			host,
		).toBeLessThan(5);
	}
});
