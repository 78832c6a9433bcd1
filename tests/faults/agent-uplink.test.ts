import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildAgent } from '../../scripts/build-agent.ts';
import { type RunningProcess, type TemporaryFolder, temporaryFolder, waitFor } from '../harness/process.ts';
import {
	startTickingExporter,
	startTrialAgent,
	startTrialReceiver,
	type TickingExporter,
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
function start(more = '', intervalMs = 150, where = dataDir()): RunningProcess {
	const configFile = join(folder.path, `agent-${number}.yml`);
	agent = startTrialAgent({ bundle, configFile, dataDir: where, exporter, receiver, intervalMs, more });
	return agent;
}

const scraped = (more: number) => {
	const until = exporter.served() + more;
	return waitFor(`${more} scrapes`, () => exporter.served() >= until, { timeoutMs: 60_000 });
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
	await waitFor('the backlog', () => missing(last).length === 0, { timeoutMs: 90_000 });
	expect(twice()).toEqual([]);
}, 120_000);

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
	await waitFor('the rest', () => missing(last).length <= kills, { timeoutMs: 60_000 });
	await waitFor('the end of the backlog', () => receiver.own.get('fournines_agent_spool_pending_bytes') !== undefined);
	// What was served and never arrived: at most the one scrape that each kill interrupted.
	expect(missing(last).length).toBeLessThanOrEqual(kills);
	expect(twice()).toEqual([]);
}, 120_000);

test('at its cap the spool drops the oldest, and says of how many samples', async () => {
	// Long names make the smallest cap fill up soon.
	const more = `spool: { max_bytes: 262144, order: oldest_first }`;
	start(more, 100);
	await scraped(3);
	await receiver.goAway();
	const labels = Array.from({ length: 30 }, (_, i) => `l${i}: "${String(i).repeat(60)}"`).join(', ');
	await agent?.stop();
	writeFileSync(
		join(folder.path, `agent-${number}.yml`),
		readFileSync(join(folder.path, `agent-${number}.yml`), 'utf8').replace('timeout: 100ms', `timeout: 100ms, labels: { ${labels} }`),
	);
	const before = exporter.served();
	const again = startTrialAgentFromFile();
	await scraped(300);
	await receiver.comeBack();
	await scraped(30);
	const last = exporter.served() - 3;
	await waitFor('the newest', () => receiver.arrived.has(last), { timeoutMs: 60_000 });
	await waitFor('the count', () => (receiver.own.get('fournines_agent_dropped_samples_total bytes') ?? 0) > 0);
	await waitFor('an empty spool', () => missing(last).every((value) => value > 0) && receiver.arrived.has(last));
	await scraped(10);
	await again.stop();
	const lost = missing(last).filter((value) => value > before);
	expect(lost.length).toBeGreaterThan(0);
	// Only the oldest went: what arrived after the gap is everything up to now.
	expect(missing(last).filter((value) => value > Math.max(...lost))).toEqual([]);
	const perRound = (receiver.own.get('fournines_agent_dropped_samples_total bytes') ?? 0) / lost.length;
	// Each round has the counter and what the agent says about it; every one of these samples is in the count.
	expect(perRound).toBeGreaterThanOrEqual(1);
}, 120_000);

function startTrialAgentFromFile(): RunningProcess {
	const configFile = join(folder.path, `agent-${number}.yml`);
	const text = readFileSync(configFile, 'utf8');
	agent = startTrialAgent({ bundle, configFile, dataDir: dataDir(), exporter, receiver, intervalMs: 100 });
	writeFileSync(configFile, text);
	return agent;
}

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
				start('', 100, join(mount, 'data'));
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
				await waitFor('what came after', () => receiver.arrived.has(last), { timeoutMs: 60_000 });
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
		120_000,
	);
});
