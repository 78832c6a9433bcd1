import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStateDatabase } from '../../collector/state/database.ts';
import { createNotificationHistory } from '../../collector/state/notification-history.ts';
import { type FakeSmsGateway, startFakeSmsGateway } from '../harness/fake-sms-gateway.ts';
import { type RunningProcess, startProcess, type TemporaryFolder, temporaryFolder, waitFor } from '../harness/process.ts';

const SECRET = 'kill-test-sms';
const CHILD = join(import.meta.dirname, 'alerting-child.ts');
const INCIDENT = '01900000-0000-7000-8000-0000000000aa';

let folder: TemporaryFolder;
let first: FakeSmsGateway;
let second: FakeSmsGateway;
const children: RunningProcess[] = [];

beforeEach(async () => {
	folder = temporaryFolder('personal-kill');
	first = await startFakeSmsGateway({ account: 'a', secret: SECRET, charset: 'utf8' });
	second = await startFakeSmsGateway({ account: 'a', secret: SECRET, charset: 'utf8' });
});

afterEach(async () => {
	for (const child of children.splice(0)) await child.stop();
	await first.stop();
	await second.stop();
	folder.remove();
});

const channel = (name: string, gateway: FakeSmsGateway, more: Readonly<Record<string, string>> = {}) => ({
	name,
	sms_gateway: gateway.channel({ env: 'SMS' }, { refused_codes: ['201'], rate_per_minute: 60, ...more }),
});

function start(options: { readonly post: boolean; readonly killAt?: string }): RunningProcess {
	const receipts = { message_id_path: 'msg', receipt_timeout: '500ms' };
	const child = startProcess(process.execPath, [CHILD], {
		env: {
			FOLDER: folder.path,
			CONFIG: JSON.stringify({ channels: [channel('first', first, receipts), channel('second', second)] }),
			SMS: SECRET,
			POST: options.post ? 'person' : '',
			KILL_AT: options.killAt ?? '',
		},
	});
	children.push(child);
	return child;
}

async function deliveries(): Promise<readonly string[]> {
	const state = await openStateDatabase(folder.path);
	try {
		return (await createNotificationHistory(state).deliveries(INCIDENT)).map(({ kind, address }) => `${kind} ${address.channel}`);
	} finally {
		await state.destroy();
	}
}

/** `refused`: the first channel says no. Otherwise it takes the message, and no receipt ever comes. */
const POINTS = [
	{ killAt: 'before addEntries', refused: true, duplicates: 0 },
	{ killAt: 'after addEntries', refused: true, duplicates: 0 },
	{ killAt: 'before beginAttempt', refused: true, duplicates: 0 },
	{ killAt: 'after beginAttempt', refused: true, duplicates: 0 },
	{ killAt: 'before endAttempt', refused: true, duplicates: 0 },
	{ killAt: 'after endAttempt', refused: true, duplicates: 0 },
	{ killAt: 'before recordReceipts', refused: false, duplicates: 0 },
	{ killAt: 'after recordReceipts', refused: false, duplicates: 0 },
	{ killAt: 'before endAttempt', refused: false, duplicates: 1 },
];

describe('a process killed between two channels of a person reaches that person all the same, once', () => {
	test.each(POINTS)('killed $killAt, refused: $refused', async ({ killAt, refused, duplicates }) => {
		if (refused) first.fail({ kind: 'code', code: '201', message: '手机号码错误' }, 5);
		const killed = start({ post: true, killAt });
		expect(await killed.exited).toBe('SIGKILL');
		// Whoever did not hear that it is in the outbox asks again, with the same id.
		const again = start({ post: !killed.output().includes('received') });
		await waitFor('the second channel', async () => second.messages.length > 0 && (await deliveries()).includes('sent second'));
		expect(await again.stop()).toBe(0);
		expect(second.messages).toHaveLength(1);
		expect(second.messages[0]?.content).not.toContain('可能重复');
		expect((await deliveries()).filter((event) => event === 'next second')).toHaveLength(1);
		if (!refused) {
			expect(first.messages).toHaveLength(1 + duplicates);
			expect(first.messages.at(-1)?.content.includes('可能重复')).toBe(duplicates > 0);
		}
	});
});
