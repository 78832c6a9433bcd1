import type { DeliveryEvent, DeliveryEventKind } from '../../alerts/delivery/personal.ts';
import type { OutboxEntry } from '../../alerts/ports.ts';
import type { StateDatabase } from './database.ts';
import { outboxEntry } from './outbox-rows.ts';

const KIND_OF_OUTCOME: Readonly<Record<string, DeliveryEventKind>> = { sent: 'sent', refused: 'refused', expired: 'expired' };
const KIND_OF_RECEIPT: Readonly<Record<string, DeliveryEventKind>> = {
	delivered: 'delivered',
	undelivered: 'undelivered',
	read: 'read',
	missing: 'missing',
};
const FAILED: readonly DeliveryEventKind[] = ['refused', 'expired', 'undelivered', 'missing'];

/** What became of the personal messages of an incident, from what the outbox and the channels recorded, oldest first. */
export async function deliveriesOf(state: StateDatabase, incidentId: string): Promise<readonly DeliveryEvent[]> {
	const rows = await state.selectFrom('notification').selectAll().where('incident', '=', incidentId).orderBy('number').execute();
	const entries = rows.map(outboxEntry).filter(({ notification }) => notification.personal !== undefined);
	const events: DeliveryEvent[] = [];
	for (const entry of entries) events.push(...(await eventsOf(state, entry, entries)));
	return events.sort((a, b) => a.atMs - b.atMs || a.number - b.number);
}

async function eventsOf(
	state: StateDatabase,
	{ notification }: OutboxEntry,
	all: readonly OutboxEntry[],
): Promise<readonly DeliveryEvent[]> {
	const { personal, incident, number, createdAtMs } = notification;
	const address = personal?.addresses[personal.step];
	if (personal === undefined || address === undefined) return [];
	const event = (kind: DeliveryEventKind, atMs: number, code: string): DeliveryEvent => ({
		kind,
		atMs,
		requestId: personal.requestId,
		personId: personal.personId,
		incidentId: incident?.id ?? null,
		address,
		number,
		code,
	});
	const attempts = await state
		.selectFrom('notification_attempt')
		.innerJoin('notification_attempt_item', 'notification_attempt_item.attempt_id', 'notification_attempt.id')
		.select(['notification_attempt.id', 'outcome', 'code', 'ended_at_ms'])
		.where('notification_attempt_item.notification_id', '=', notification.id)
		.orderBy('started_at_ms')
		.execute();
	const events = [event(personal.step === 0 ? 'queued' : 'next', createdAtMs, '')];
	for (const attempt of attempts) {
		const kind = KIND_OF_OUTCOME[attempt.outcome];
		if (kind !== undefined) events.push(event(kind, attempt.ended_at_ms ?? createdAtMs, attempt.code));
		const receipts = await state
			.selectFrom('notification_receipt')
			.select(['state', 'code', 'at_ms'])
			.where('attempt_id', '=', attempt.id)
			.orderBy('at_ms')
			.execute();
		for (const receipt of receipts) {
			const word = KIND_OF_RECEIPT[receipt.state];
			if (word !== undefined) events.push(event(word, receipt.at_ms, receipt.code));
		}
	}
	const last = events.at(-1);
	const further = all.some((other) => {
		const route = other.notification.personal;
		return route?.requestId === personal.requestId && route.step > personal.step;
	});
	if (last !== undefined && FAILED.includes(last.kind) && !further) events.push(event('exhausted', last.atMs, ''));
	return events;
}
