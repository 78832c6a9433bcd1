import { expect, test } from 'vitest';
import { uuidv7 } from '../../core/ids.ts';
import { temporaryFolder } from '../../tests/harness/process.ts';
import { openStateDatabase } from './database.ts';
import { createReceiptStore, insertAwaited } from './receipt-store.ts';

const NOW_MS = 1_700_000_000_000;

test('of the recent messages of a line those that are still awaited come first, so that a storm does not hide them', async () => {
	const folder = temporaryFolder('receipts');
	const state = await openStateDatabase(folder.path);
	try {
		const store = createReceiptStore(state);
		const sent = (key: string, agoMs: number, line = 'sms') => {
			const id = uuidv7(NOW_MS - agoMs);
			return { id, attemptId: `attempt-${key}`, line, key, to: '138', dueAtMs: NOW_MS + 60_000 };
		};
		const messages = [sent('old', 7_200_000), sent('first', 3000), sent('second', 2000), sent('third', 1000), sent('other', 500, 'voice')];
		await state.transaction().execute((transaction) => insertAwaited(transaction, messages, NOW_MS));
		const arrived = (await store.findReceipts('sms', ['third'])).map((record) => ({ ...record, state: 'delivered' as const }));
		await store.recordReceipts({ changed: arrived, early: [], gone: [], next: [], atMs: NOW_MS });
		const keys = async (limit: number) => (await store.recentMessages('sms', NOW_MS - 3_600_000, limit)).map(({ key }) => key);
		expect(await keys(10)).toEqual(['second', 'first', 'third']);
		expect(await keys(2)).toEqual(['second', 'first']);
	} finally {
		await state.destroy();
		folder.remove();
	}
});
