import { writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { LedgerAnswer } from '../../protocol/api.ts';
import { type CollectorProcess, longestGapSeconds, startAgentProcess, startCollectorProcess } from '../harness/collector.ts';
import { createNetwork, type Network, networkAvailable } from '../harness/network.ts';
import { freePort, startProcess, type TemporaryFolder, temporaryFolder, waitFor } from '../harness/process.ts';

const SITE_PORT = 8080;
const SERVER = `require('node:net').createServer((socket) => socket.end()).listen(${SITE_PORT}, () => console.log('listening'))`;
const AWAY_MS = 6000;

interface Stretch {
	readonly fromMs: number;
	readonly toMs: number;
}

/**
 * Two agents on machines of their own watch a site on a third. `portal` is seen by both, `lonely` by the first alone; both agents also watch
 * a reference beside the collector.
 */
describe.skipIf(!networkAvailable())('a site that two vantage points watch', () => {
	let folder: TemporaryFolder;
	let network: Network;
	let collector: CollectorProcess;
	const closing: (() => unknown)[] = [];

	beforeAll(async () => {
		folder = temporaryFolder('vantages');
		closing.push(() => folder.remove());
		network = createNetwork(['a', 'b', 'site']);
		closing.push(() => network.remove());
		const [command = '', ...args] = network.on('site', [process.execPath, '-e', SERVER]);
		const site = startProcess(command, args);
		closing.push(() => site.stop());
		await waitFor('the site', () => site.output().includes('listening'));
		const configFile = join(folder.path, 'collector.yml');
		const checks = ['portal', 'lonely', 'gate'];
		writeFileSync(
			configFile,
			stringify({
				inventory: {
					hosts: ['a', 'b'].map((id) => ({ id })),
					vantages: ['a', 'b'].map((host) => ({ host, reference: 'gate' })),
					checks: checks.map((id) => ({ id, interval: '1s' })),
					services: ['portal', 'lonely'].map((id) => ({ id, name: id, checks: [id] })),
				},
			}),
		);
		const port = await freePort();
		collector = await startCollectorProcess({ dataDir: join(folder.path, 'data'), port, configFile });
		closing.push(() => collector.stop());
		// The collector itself listens on loopback only.
		const forwarder = createServer((socket) => {
			const onward = connect(port, '127.0.0.1');
			socket.pipe(onward).pipe(socket);
			socket.on('error', () => onward.destroy());
			onward.on('error', () => socket.destroy());
		});
		const gate = createServer((socket) => socket.end());
		const listening = (server: Server) =>
			new Promise<number>((resolve) => {
				server.listen(0, network.own, () => {
					const address = server.address();
					resolve(typeof address === 'object' && address !== null ? address.port : 0);
				});
			});
		const [entrance, gatePort] = [await listening(forwarder), await listening(gate)];
		closing.push(() => gate.close());
		closing.push(() => forwarder.close());
		for (const host of ['a', 'b']) {
			const agentFile = join(folder.path, `${host}.yml`);
			const site = `${network.address('site')}:${SITE_PORT}`;
			const targets = { portal: site, ...(host === 'a' ? { lonely: site } : {}), gate: `${network.own}:${gatePort}` };
			writeFileSync(
				agentFile,
				stringify({
					collector: { url: `http://${network.own}:${entrance}`, token: { file: collector.pushTokenFile }, timeout: '2s' },
					host: { name: host },
					interval: '2s',
					listen: '',
					inputs: {
						host: { enabled: false },
						probes: Object.entries(targets).map(([id, target]) => ({ id, kind: 'tcp', target, interval: '1s', timeout: '900ms' })),
					},
				}),
			);
			const agent = startAgentProcess({
				configFile: agentFile,
				dataDir: join(folder.path, host),
				on: (command) => network.on(host, command),
			});
			closing.push(() => agent.stop());
		}
		await waitFor('the first checks of both', async () => (await collector.query('probe_success == 1')).length === 5);
	});
	afterAll(async () => {
		for (const close of closing.reverse()) await close();
	});

	const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
	async function cut(machine: string): Promise<Stretch> {
		network.cut(machine);
		const fromMs = Date.now();
		await pause(AWAY_MS);
		network.mend(machine);
		return { fromMs, toMs: Date.now() };
	}
	/** Until everything up to now has arrived from both, whatever had to wait. */
	async function delivered(): Promise<void> {
		const sinceMs = Date.now() + 3000;
		await waitFor(
			'both to have delivered',
			async () =>
				(await collector.query('min by (vantage) (timestamp(probe_success))')).filter(({ value }) => Number(value[1]) * 1000 > sinceMs)
					.length === 2,
		);
	}
	async function ledger(service: string, { fromMs, toMs }: Stretch): Promise<LedgerAnswer> {
		const path = `/api/fournines/v1/services/${service}/ledger?from=${Math.floor(fromMs / 1000)}&to=${Math.ceil(toMs / 1000)}`;
		return JSON.parse(await collector.get(path)) as LedgerAnswer;
	}
	/** The longest time between two checks of a vantage point, seconds: a busy machine makes them later than once a second. */
	async function longestGap(service: string, { fromMs, toMs }: Stretch): Promise<number> {
		const seconds = Math.ceil((toMs - fromMs) / 1000);
		const rows = await collector.query(`probe_success{check="${service}"}[${seconds}s] @ ${Math.ceil(toMs / 1000)}`);
		return Math.max(1, ...rows.map(longestGapSeconds));
	}
	async function downOf(service: string, stretch: Stretch): Promise<readonly (readonly [number, number])[]> {
		const { intervals, figures } = await ledger(service, stretch);
		// Nothing is unknown while no check is missing.
		if ((await longestGap(service, stretch)) < 2) expect(figures.unknownSeconds, service).toBe(0);
		const down: [number, number][] = [];
		for (const { state, fromSeconds, toSeconds } of intervals) {
			if (state !== 'down') continue;
			const last = down.at(-1);
			if (last?.[1] === fromSeconds) last[1] = toSeconds;
			else down.push([fromSeconds, toSeconds]);
		}
		return down;
	}

	test('the network of one is no outage; that of the site is; who watches alone is believed', async () => {
		const fromMs = Date.now() + 1000;
		await pause(3000);
		const ofOne = await cut('a');
		await delivered();
		const ofSite = await cut('site');
		await pause(3000);
		await delivered();
		const window = { fromMs, toMs: Date.now() - 4000 };
		const gap = Math.max(await longestGap('portal', window), await longestGap('lonely', window));
		const near = (stretch: Stretch) => (down: readonly [number, number] | undefined) => {
			// One interval at each change, the time a check takes to notice, and whole seconds.
			expect(down?.[0]).toBeGreaterThanOrEqual(stretch.fromMs / 1000 - 2);
			expect(down?.[0]).toBeLessThanOrEqual(stretch.fromMs / 1000 + 1 + gap);
			expect(down?.[1]).toBeGreaterThanOrEqual(stretch.toMs / 1000 - 1);
			expect(down?.[1]).toBeLessThanOrEqual(stretch.toMs / 1000 + 2 + gap);
		};
		const portal = await downOf('portal', window);
		expect(portal).toHaveLength(1);
		near(ofSite)(portal[0]);
		// Its word is set aside and does not even make a tie, but for a second at each end.
		expect((await ledger('portal', ofOne)).figures.unconfirmedSeconds).toBeLessThanOrEqual(2 + gap);
		const lonely = await downOf('lonely', window);
		expect(lonely).toHaveLength(2);
		near(ofOne)(lonely[0]);
		near(ofSite)(lonely[1]);
	}, 240_000);
});
