import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildAgent } from '../../scripts/build-agent.ts';
import { type RunningProcess, type TemporaryFolder, temporaryFolder, waitFor } from '../harness/process.ts';
import {
	startTickingExporter,
	startTrialAgent,
	startTrialReceiver,
	type TickingExporter,
	type TrialAgentOptions,
	type TrialReceiver,
} from '../harness/uplink-trial.ts';

let folder: TemporaryFolder;
let bundle: string;
let exporter: TickingExporter;
let receiver: TrialReceiver;
let agent: RunningProcess | null = null;
let number = 0;

beforeAll(async () => {
	folder = temporaryFolder('uplink');
	bundle = await buildAgent({ outFile: join(folder.path, 'agent.cjs') });
});
afterAll(() => folder.remove());
beforeEach(async () => {
	number++;
	exporter = await startTickingExporter();
	receiver = await startTrialReceiver();
});
afterEach(async () => {
	await agent?.stop();
	agent = null;
	await exporter.stop();
	await receiver.goAway();
});

const dataDir = () => join(folder.path, `data-${number}`);
function start(more: Partial<TrialAgentOptions> = {}): RunningProcess {
	const configFile = join(folder.path, `agent-${number}.yml`);
	agent = startTrialAgent({ bundle, configFile, dataDir: dataDir(), exporter, receiver, intervalMs: 150, ...more });
	return agent;
}

const scraped = (more: number) => {
	const until = exporter.served() + more;
	return waitFor(`${more} scrapes`, () => exporter.served() >= until);
};
const missing = (upTo: number) => Array.from({ length: upTo }, (_, i) => i + 1).filter((value) => !receiver.arrived.has(value));
const twice = () => [...receiver.arrived].filter(([, times]) => times.size > 1);

test('whatever the receiver does, everything arrives, and what comes again comes with its old time', async () => {
	start();
	for (const mood of ['up', 503, 'drop', 429, 'up', 500, 'drop'] as const) {
		receiver.mood = mood;
		await scraped(8);
	}
	await receiver.goAway();
	await scraped(20);
	receiver.mood = 'up';
	await receiver.comeBack();
	const last = exporter.served();
	await waitFor('the backlog', () => missing(last).length <= receiver.failed.size, { timeoutMs: 120_000 });
	expect(twice()).toEqual([]);
}, 240_000);

test('killed at random moments, with the receiver there or not, only a scrape that was under way can be lost', async () => {
	const kills = 12;
	for (let kill = 0; kill < kills; kill++) {
		const running = start();
		if (kill % 3 === 1) await receiver.goAway();
		else await receiver.comeBack();
		receiver.mood = kill % 4 === 3 ? 'drop' : 'up';
		const before = exporter.served();
		await waitFor('some scrapes', () => exporter.served() > before + 2 + (kill % 5));
		await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
		running.kill('SIGKILL');
		await running.exited;
	}
	receiver.mood = 'up';
	await receiver.comeBack();
	start();
	await scraped(5);
	const last = exporter.served() - 1;
	await waitFor('the rest', () => missing(last).length <= kills + receiver.failed.size);
	await waitFor('the end of the backlog', () => receiver.own.get('fournines_agent_spool_pending_bytes') !== undefined);
	// What was served and never arrived: at most the one scrape that each kill interrupted.
	expect(missing(last).length).toBeLessThanOrEqual(kills + receiver.failed.size);
	expect(twice()).toEqual([]);
}, 240_000);

test('at its cap the spool drops the oldest, and says of how many samples', async () => {
	// What cannot be packed fills the smallest cap soon.
	const labels = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`l${i}`, randomBytes(40).toString('base64')]));
	start({ more: 'spool: { max_bytes: 262144, order: oldest_first }', intervalMs: 100, labels });
	await waitFor('a first value', () => receiver.arrived.size > 3);
	await receiver.goAway();
	const sent = Math.max(...receiver.arrived.keys());
	await scraped(200);
	await receiver.comeBack();
	const last = exporter.served();
	const newest = () => Math.max(...receiver.arrived.keys());
	// By then the sender waits for half a minute between its attempts, and the spool goes on dropping.
	await waitFor('the newest', () => newest() > last, { timeoutMs: 120_000 });
	const dropped = () => receiver.own.get('fournines_agent_dropped_samples_total bytes') ?? 0;
	await waitFor('the count', () => dropped() > 0);
	// Dropped is one run without holes that begins with the oldest. What the sender held when the receiver went may have arrived before it.
	const lost = missing(newest());
	const run = lost.filter((value, i) => value === (lost[0] as number) + i);
	expect(run.length).toBeGreaterThan(0);
	expect(lost.length - run.length).toBeLessThanOrEqual(receiver.failed.size);
	expect((lost[0] as number) - sent).toBeLessThan(20);
	// With each scrape goes what the agent says of it and of itself; a few of those series begin only during the trial.
	const perScrape = dropped() / run.length;
	expect(perScrape).toBeGreaterThanOrEqual(receiver.series.size * 0.7);
	expect(perScrape).toBeLessThanOrEqual(receiver.series.size);
}, 240_000);

describe('a full disk', () => {
	const mount = join('/tmp', `fournines-full-${process.pid}`);
	const mounts = (() => {
		mkdirSync(mount, { recursive: true });
		const works = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount]).status === 0;
		if (works) spawnSync('umount', [mount]);
		rmSync(mount, { recursive: true, force: true });
		return works;
	})();

	test.skipIf(!mounts)(
		'costs what cannot be written, which is counted, and nothing once there is room',
		async () => {
			mkdirSync(mount, { recursive: true });
			spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount]);
			try {
				start({ intervalMs: 100, dataDir: join(mount, 'data') });
				await waitFor('the first', () => receiver.arrived.size > 3);
				writeFileSync(join(mount, 'ballast'), Buffer.alloc(900_000));
				try {
					writeFileSync(join(mount, 'rest'), Buffer.alloc(200_000));
				} catch {
					// Full is what it should be.
				}
				await receiver.goAway();
				await scraped(60);
				rmSync(join(mount, 'ballast'));
				rmSync(join(mount, 'rest'), { force: true });
				await scraped(20);
				await receiver.comeBack();
				const last = exporter.served();
				await waitFor('what came after', () => receiver.arrived.has(last), { timeoutMs: 120_000 });
				await waitFor('the count', () => (receiver.own.get('fournines_agent_dropped_samples_total write_failed') ?? 0) > 0);
				const lost = missing(last);
				expect(lost.length).toBeGreaterThan(0);
				expect(receiver.own.get('fournines_agent_dropped_samples_total write_failed')).toBeGreaterThanOrEqual(lost.length);
				expect(agent?.output()).toContain('the spool cannot be written');
			} finally {
				await agent?.stop();
				agent = null;
				spawnSync('umount', [mount]);
				rmSync(mount, { recursive: true, force: true });
			}
		},
		240_000,
	);
});
