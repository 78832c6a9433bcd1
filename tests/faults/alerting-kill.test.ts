import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStateDatabase } from '../../collector/state/database.ts';
import { createNotificationHistory } from '../../collector/state/notification-history.ts';
import { type FakeWechatRobot, startFakeWechatRobot } from '../harness/fake-wechat-robot.ts';
import { type RunningProcess, startProcess, type TemporaryFolder, temporaryFolder, waitFor } from '../harness/process.ts';

const KEY = 'kill-test-robot-key';
const CHILD = join(import.meta.dirname, 'alerting-child.ts');
const startsAtMs = Date.now() - 60_000;
/** Killed from outside, while the channel has the message and its answer is awaited. */
const IN_FLIGHT = 'in flight';

let folder: TemporaryFolder;
let robot: FakeWechatRobot;
const children: RunningProcess[] = [];

beforeEach(async () => {
	folder = temporaryFolder('alerting-kill');
	robot = await startFakeWechatRobot({ key: KEY });
});

afterEach(async () => {
	for (const child of children.splice(0)) await child.stop();
	await robot.stop();
	folder.remove();
});

function start(options: { readonly post?: 'fire' | 'resolve'; readonly killAt?: string }): RunningProcess {
	const config = `
route: { receiver: oncall, group_wait: 0s, group_interval: 50ms }
receivers: [{ name: oncall, wechat_robot_configs: [{ base_url: '${robot.baseUrl}', key: { env: ROBOT_KEY } }] }]`;
	const child = startProcess(process.execPath, [CHILD], {
		env: {
			FOLDER: folder.path,
			CONFIG: config,
			ROBOT_KEY: KEY,
			POST: options.post ?? '',
			KILL_AT: options.killAt ?? '',
			STARTS_AT: String(startsAtMs),
		},
	});
	children.push(child);
	return child;
}

/** Starts, is killed at the given point, starts again; posts again only what was never acknowledged, as any sender would. */
async function killAndRecover(post: 'fire' | 'resolve', killAt: string): Promise<void> {
	if (killAt === IN_FLIGHT) robot.fail({ kind: 'accept-and-hang' });
	const before = robot.messages.length;
	const killed = start({ post, killAt });
	if (killAt === IN_FLIGHT) {
		await waitFor('the message to be taken', () => robot.messages.length > before);
		killed.kill('SIGKILL');
	}
	expect(await killed.exited).toBe('SIGKILL');
	const acknowledged = killed.output().includes('received');
	const again = start(acknowledged ? {} : { post });
	const wanted = post === 'fire' ? '停了' : '恢复';
	await waitFor(`the message after "${killAt}"`, async () => {
		const history = await records();
		return (
			robot.messages.some((message) => message.content.includes(wanted)) &&
			history.length > 0 &&
			history.every((record) => record.state === 'sent')
		);
	});
	// Time for a repetition that must not come.
	await waitFor('the start', () => again.output().includes('started'));
	await new Promise((resolve) => setTimeout(resolve, 200));
	expect(await again.stop()).toBe(0);
}

async function records() {
	const state = await openStateDatabase(folder.path);
	try {
		return await createNotificationHistory(state).listNotifications({ limit: 10 });
	} finally {
		await state.destroy();
	}
}

/** `sent` messages arrive in all, and whether the last of them says that it may be a repetition. */
const POINTS = [
	{ killAt: 'before recordAlerts', sent: 1, marked: false },
	{ killAt: 'after recordAlerts', sent: 1, marked: false },
	{ killAt: 'before recordDispatch', sent: 1, marked: false },
	{ killAt: 'after recordDispatch', sent: 1, marked: false },
	{ killAt: 'before beginAttempt', sent: 1, marked: false },
	{ killAt: 'after beginAttempt', sent: 1, marked: true },
	{ killAt: IN_FLIGHT, sent: 2, marked: true },
	{ killAt: 'before endAttempt', sent: 2, marked: true },
	{ killAt: 'after endAttempt', sent: 1, marked: false },
];

describe('a process killed at a boundary loses nothing and never doubles in silence', () => {
	test.each(POINTS)('firing, killed $killAt', async ({ killAt, sent, marked }) => {
		await killAndRecover('fire', killAt);
		await waitFor('the delayed message', () => robot.messages.length >= sent);
		expect(robot.messages.map((message) => message.content.includes('可能重复'))).toEqual(sent === 2 ? [false, true] : [marked]);
	});

	test.each(POINTS)('recovery, killed $killAt', async ({ killAt, sent, marked }) => {
		const first = start({ post: 'fire' });
		await waitFor('the firing', async () => robot.messages.length === 1 && (await records()).every((record) => record.state === 'sent'));
		expect(await first.stop()).toBe(0);
		await killAndRecover('resolve', killAt);
		await waitFor('the delayed message', () => robot.messages.length >= sent + 1);
		const recoveries = robot.messages.slice(1);
		expect(recoveries.every((message) => message.content.includes('恢复'))).toBe(true);
		expect(recoveries.map((message) => message.content.includes('可能重复'))).toEqual(sent === 2 ? [false, true] : [marked]);
	});
});
