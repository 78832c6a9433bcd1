import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { LedgerAnswer } from '../../protocol/api.ts';
import { type CollectorProcess, startAgentProcess, startCollectorProcess } from '../harness/collector.ts';
import { freePort, type TemporaryFolder, temporaryFolder, waitFor } from '../harness/process.ts';
import { startTcpTarget, type TcpTarget } from '../harness/tcp-target.ts';

/** A beat speaks for 15 s, an agent's delivery for 60 s; both must be missed for longer. */
const COLLECTOR_AWAY_MS = 30_000;
const OUTAGE_MS = 8000;

let folder: TemporaryFolder;
let collector: CollectorProcess;
let watcher: ReturnType<typeof startAgentProcess>;
let target: TcpTarget;
const closing: (() => Promise<unknown> | unknown)[] = [];

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

function startWatcher(host: string, checks: readonly string[]): ReturnType<typeof startAgentProcess> {
	const configFile = join(folder.path, `${host}.yml`);
	writeFileSync(
		configFile,
		stringify({
			collector: { url: collector.url, token: { file: collector.pushTokenFile } },
			host: { name: host },
			interval: '1s',
			listen: '',
			inputs: {
				host: { enabled: false },
				probes: checks.map((id) => ({ id, kind: 'tcp', target: `127.0.0.1:${target.port}`, interval: '1s', timeout: '900ms' })),
			},
		}),
	);
	return startAgentProcess({ configFile, dataDir: join(folder.path, host) });
}

beforeAll(async () => {
	folder = temporaryFolder('down');
	closing.push(() => folder.remove());
	target = await startTcpTarget();
	closing.push(() => target.down());
	const configFile = join(folder.path, 'collector.yml');
	const ids = ['portal', 'nobody', 'host-app-1'];
	writeFileSync(
		configFile,
		stringify({
			inventory: {
				hosts: [{ id: 'app-1', check: 'host-app-1' }, { id: 'app-2' }],
				checks: ids.map((id) => ({ id, interval: '1s' })),
				services: ids.map((id) => ({ id, name: id, checks: [id] })),
			},
		}),
	);
	collector = await startCollectorProcess({ dataDir: join(folder.path, 'data'), port: await freePort(), configFile });
	closing.push(() => collector.stop());
	watcher = startWatcher('app-1', ['portal']);
	closing.push(() => watcher.stop());
	const other = startWatcher('app-2', ['host-app-1']);
	closing.push(() => other.stop());
	await waitFor('the first checks', async () => (await collector.query('probe_success == 1')).length === 2, { timeoutMs: 60_000 });
}, 120_000);
afterAll(async () => {
	for (const close of closing.reverse()) await close();
});

const ledger = async (service: string, fromMs: number, toMs: number) =>
	JSON.parse(
		await collector.get(`/api/fournines/v1/services/${service}/ledger?from=${Math.floor(fromMs / 1000)}&to=${Math.floor(toMs / 1000)}`),
	) as LedgerAnswer;
const newestSeconds = async (check: string) =>
	Number((await collector.query(`timestamp(probe_success{check="${check}"})`))[0]?.value[1] ?? 0);

test('what happened while the collector was killed is counted from what agents kept, and what nobody kept is its own outage', async () => {
	const beginMs = Date.now();
	await pause(3000);
	await collector.kill();
	const killedMs = Date.now();
	await pause(5000);
	await target.down();
	const awayMs = Date.now();
	await pause(OUTAGE_MS);
	await target.up();
	const backMs = Date.now();
	await pause(Math.max(0, killedMs + COLLECTOR_AWAY_MS - Date.now()));
	await collector.start();
	const startedMs = Date.now();
	await waitFor('what the agent kept', async () => (await newestSeconds('portal')) * 1000 > startedMs + 5000, { timeoutMs: 120_000 });
	const portal = await ledger('portal', beginMs, startedMs);
	expect(portal.figures.unknownSeconds).toBe(0);
	const down = portal.intervals.filter(({ state }) => state === 'down');
	expect(down).toHaveLength(1);
	// An interval, and a second that is cut to whole; a busy machine may take its time for both changes.
	expect(Math.abs(Number(down[0]?.fromSeconds) * 1000 - awayMs)).toBeLessThanOrEqual(3000);
	expect(Math.abs(Number(down[0]?.toSeconds) * 1000 - backMs)).toBeLessThanOrEqual(4000);
	const nobody = await ledger('nobody', killedMs, startedMs);
	const own = nobody.intervals
		.filter(({ reason }) => reason === 'collector down')
		.reduce((sum, part) => sum + part.toSeconds - part.fromSeconds, 0);
	// Its last beat speaks for up to fifteen seconds more.
	expect(own).toBeGreaterThanOrEqual(COLLECTOR_AWAY_MS / 1000 - 17);
	expect(nobody.figures.unknownSeconds).toBe(nobody.figures.totalSeconds);
}, 240_000);

test('an agent that is killed leaves unknown time, and its host is known to live from elsewhere', async () => {
	watcher.kill('SIGKILL');
	await watcher.exited;
	const killedMs = Date.now();
	const dead = async () =>
		(await ledger('portal', killedMs + 5000, Date.now())).intervals.filter(({ reason }) => reason === 'agent dead: app-1').length > 0;
	await waitFor('the agent to be known as dead', dead, { timeoutMs: 180_000 });
	const { intervals, figures } = await ledger('portal', killedMs + 5000, Date.now());
	expect(figures).toMatchObject({ upSeconds: 0, downSeconds: 0 });
	expect(intervals.every(({ state }) => state === 'unknown')).toBe(true);
	expect((await ledger('host-app-1', killedMs, Date.now() - 5000)).figures.unknownSeconds).toBe(0);
}, 240_000);
