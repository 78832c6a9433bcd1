import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Notification } from '../../alerts/notify/notification.ts';
import type { AlertingPorts } from '../../alerts/ports.ts';
import { postedAlert, type RunningAlerting, startAlerting } from '../harness/alerting.ts';
import { type FakeWebhook, startFakeWebhook } from '../harness/fake-webhook.ts';
import { createManualClock, type ManualClock } from '../harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../harness/process.ts';

let folder: TemporaryFolder;
let hook: FakeWebhook;
let clock: ManualClock;
let alive: RunningAlerting;

beforeEach(async () => {
	folder = temporaryFolder('on-call-crash');
	hook = await startFakeWebhook();
	clock = createManualClock();
});
afterEach(async () => {
	await alive.stop();
	await hook.stop();
	folder.remove();
});

/** Writes after which a process can die without having told anybody that they were made. */
const WRITES: readonly (readonly [keyof AlertingPorts, string])[] = [
	['alerts', 'recordAlerts'],
	['alerts', 'recordDispatch'],
	['incidents', 'write'],
	['outbox', 'addEntries'],
];

interface Life {
	readonly ports: (ports: AlertingPorts) => AlertingPorts;
	isDead(): boolean;
}

/** A process that dies once `deadly` writes are on the disk: nothing that it began afterwards ever comes to an end. */
function mortal(deadly: number): Life {
	let writes = 0;
	const forever = new Promise<never>(() => {});
	return {
		isDead: () => writes >= deadly,
		ports: (ports) =>
			Object.fromEntries(
				Object.entries(ports).map(([area, store]) => [
					area,
					Object.fromEntries(
						Object.entries(store as Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>).map(([name, call]) => [
							name,
							async (...args: readonly unknown[]) => {
								if (writes >= deadly) return forever;
								const result = await call(...args);
								if (WRITES.some(([known, method]) => known === area && method === name)) writes++;
								return writes >= deadly ? forever : result;
							},
						]),
					),
				]),
			) as unknown as AlertingPorts,
	};
}

const CONFIG = `
route: { receiver: nobody, group_wait: 0s, group_interval: 1m }
receivers: [{ name: nobody }]
channels: [{ name: hook, webhook: { url: HOOK } }]
oncall:
  people:
    - { id: zhang, name: 张伟, addresses: [{ channel: hook, to: zhang }] }
    - { id: li, name: 李娜, addresses: [{ channel: hook, to: li }] }
  policies: [{ name: p, steps: [{ to: ['person:zhang'], wait: 5m }, { to: ['person:li'], wait: 2h }] }]`;

/** The same night, with a process that dies after the given number of writes and is started again. Answers whether it died. */
async function night(deadly: number): Promise<boolean> {
	const life = mortal(deadly);
	let died = false;
	const start = async (ports?: Life['ports']) => {
		alive = await startAlerting({
			folder: folder.path,
			clock,
			config: CONFIG.replace('HOOK', `'${hook.url}'`),
			...(ports === undefined ? {} : { ports }),
		});
	};
	const dead = (): boolean => !died && life.isDead();
	const revive = async () => {
		died = true;
		await start();
	};
	const zeroMs = clock.now();
	/** Somebody outside does something again until it was confirmed, as senders and people do. */
	const until = async (act: () => Promise<unknown>): Promise<void> => {
		let done = false;
		act().then(
			() => {
				done = true;
			},
			() => {
				done = true;
			},
		);
		await waitFor('an answer, or the end of the process', async () => {
			await clock.settle();
			return done || dead();
		});
		if (done) return;
		await revive();
		await act();
	};
	const pass = async (minutes: number): Promise<void> => {
		for (let i = 0; i < minutes; i++) {
			await clock.advance(60_000);
			if (dead()) await revive();
		}
	};
	const post = (endsAtMs: number) => () =>
		alive.alerting.receive([postedAlert({ alertname: 'NginxDown', severity: 'critical' }, { startsAtMs: zeroMs, endsAtMs })]);
	await start(life.ports);
	await until(post(zeroMs + 30 * 86_400_000));
	await pass(8);
	await until(() => alive.alerting.onCall.incidents.acknowledge('1', { person: 'li', name: '李娜', by: 'li', way: 'console' }));
	await pass(2);
	await until(post(clock.now()));
	await pass(4);
	return died;
}

test('whichever write is the last one of a process, everybody is called once, and hears once that it is over', async () => {
	let deaths = 0;
	for (let deadly = 1; deadly < 60; deadly++) {
		const died = await night(deadly);
		const rows = await alive.state.selectFrom('notification').select('body').orderBy('number').execute();
		const told = rows.map(({ body }) => {
			const { personal, reason, incident } = JSON.parse(body) as Notification;
			return `${personal?.name} ${incident?.text === '' ? reason : 'taken'}`;
		});
		expect(told, `dead after ${deadly} writes`).toEqual(['张伟 fired', '李娜 repeat', '张伟 taken', '张伟 resolved', '李娜 resolved']);
		const incidents = await alive.alerting.onCall.incidents.list({ limit: 10 });
		expect(incidents, `dead after ${deadly} writes`).toMatchObject([{ state: 'resolved', owner: 'li', pending: [] }]);
		const events = await alive.alerting.onCall.incidents.events(incidents[0]?.id ?? '');
		expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
		if (!died) break;
		deaths++;
		await alive.stop();
		folder.remove();
		folder = temporaryFolder('on-call-crash');
		clock = createManualClock();
	}
	expect(deaths).toBeGreaterThan(10);
});
