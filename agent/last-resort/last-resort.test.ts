import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import { Secret } from '../../core/secret.ts';
import { type FakeWechatRobot, startFakeWechatRobot } from '../../tests/harness/fake-wechat-robot.ts';
import { freePort, type TemporaryFolder, temporaryFolder, waitFor } from '../../tests/harness/process.ts';
import { type MetricsServer, startMetricsServer } from '../metrics-server.ts';
import { LastResort } from './last-resort.ts';

const KEY = '693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa';
let folders: TemporaryFolder[];
let robot: FakeWechatRobot;
let ports: number[];
let running: { stop(): Promise<void> }[];
let looks: number;

beforeEach(async () => {
	folders = [];
	running = [];
	looks = 0;
	robot = await startFakeWechatRobot({ key: KEY });
	ports = [await freePort(), await freePort(), await freePort()];
});
afterEach(async () => {
	for (const one of running.splice(0)) await one.stop();
	await robot.stop();
	for (const folder of folders) folder.remove();
});

function folder(): string {
	const made = temporaryFolder('last-resort');
	folders.push(made);
	return made.path;
}

async function agent(index: number, options: { readonly dataDir?: string; readonly url?: string; readonly afterMs?: number } = {}) {
	const lastResort = new LastResort({
		afterMs: options.afterMs ?? 400,
		channel: 'wechat_robot',
		url: () => new Secret(options.url ?? `${robot.baseUrl}/cgi-bin/webhook/send?key=${KEY}`),
		agents: ports.map((port) => `127.0.0.1:${port}`),
		self: `127.0.0.1:${ports[index]}`,
		host: `app-${index}`,
		dataDir: options.dataDir ?? folder(),
		clock: systemClock,
		log: silentLogger,
		everyMs: 50,
	});
	const server: MetricsServer = await startMetricsServer({
		listen: `127.0.0.1:${ports[index]}`,
		metrics: async () => '',
		ready: () => true,
		blindState: () => {
			looks++;
			return lastResort.state();
		},
	});
	const stop = async () => {
		await lastResort.stop();
		await server.close();
	};
	running.push({ stop });
	return { lastResort, stop };
}

/** They begin to look once all of them can be asked. */
async function agents(...starting: readonly ReturnType<typeof agent>[]) {
	const all = await Promise.all(starting);
	for (const { lastResort } of all) lastResort.start();
	return all;
}

/** Long enough for every agent to have looked around several times. */
const several = () => waitFor('several looks', () => looks > 30);

test('of three blind agents one tells, once', async () => {
	await agents(agent(0), agent(1), agent(2));
	await waitFor('the message', () => robot.messages.length > 0);
	looks = 0;
	await new Promise((resolve) => setTimeout(resolve, 500));
	expect(robot.messages).toHaveLength(1);
	expect(robot.messages[0]?.content).toContain('主机 app-0 等 3 台主机的采集程序无法连接监控平台');
});

test('the next one tells when the first is gone', async () => {
	await agents(agent(1), agent(2));
	await waitFor('the message', () => robot.messages.length > 0);
	expect(robot.messages[0]?.content).toContain('app-1');
});

test('nobody tells while one of them reaches the collector', async () => {
	const [, , seeing] = await agents(agent(0), agent(1), agent(2, { afterMs: 1e9 }));
	await several();
	expect(robot.messages).toHaveLength(0);
	await seeing?.stop();
	await waitFor('the message', () => robot.messages.length === 1);
});

test('a restart in the outage does not tell again; after the collector was back, the next outage does', async () => {
	const dataDir = folder();
	const [first] = await agents(agent(0, { dataDir }));
	// Once it knows that its message was taken, not only once it was.
	await waitFor('the message', () => first?.lastResort.state().sent);
	expect(robot.messages).toHaveLength(1);
	await first?.stop();
	const [second] = await agents(agent(0, { dataDir }));
	await new Promise((resolve) => setTimeout(resolve, 700));
	expect(robot.messages).toHaveLength(1);
	second?.lastResort.reached();
	expect(second?.lastResort.state()).toEqual({ blindSinceMs: null, sent: false });
	await waitFor('the second outage', () => robot.messages.length === 2);
});

test('what the channel refuses is tried again', async () => {
	robot.fail({ kind: 'errcode', errcode: 45009, errmsg: 'api freq out of limit' }, 2);
	await agents(agent(0));
	await waitFor('the message', () => robot.messages.length === 1);
	expect(robot.answers.slice(0, 3)).toEqual([45009, 45009, 0]);
});
