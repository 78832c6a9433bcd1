import type { AlertEventKind, NotificationHistory, NotificationRecord, OutboxState } from '../../alerts/ports.ts';
import type { SilencePrice } from '../../alerts/silence/silence.ts';
import type { StateDatabase } from './database.ts';
import { deliveriesOf } from './delivery-history.ts';

/** Longest page of the history. */
const MAX_PAGE = 500;

export function createNotificationHistory(state: StateDatabase): NotificationHistory {
	return {
		listNotifications: async ({ limit, before, ids }) => {
			let query = state
				.selectFrom('notification')
				.select(['id', 'number', 'receiver', 'channel', 'state', 'created_at_ms', 'updated_at_ms', 'firing_count', 'resolved_count'])
				.orderBy('number', 'desc')
				.limit(Math.min(Math.max(limit, 1), MAX_PAGE));
			if (before !== undefined) query = query.where('number', '<', before);
			if (ids !== undefined) query = query.where('id', 'in', [...ids]);
			const rows = await query.execute();
			if (rows.length === 0) return [];
			const attempts = await state
				.selectFrom('notification_attempt_item')
				.innerJoin('notification_attempt', 'notification_attempt.id', 'notification_attempt_item.attempt_id')
				.selectAll('notification_attempt')
				.select('notification_attempt_item.notification_id')
				.where(
					'notification_attempt_item.notification_id',
					'in',
					rows.map((row) => row.id),
				)
				.orderBy('notification_attempt.started_at_ms')
				.orderBy('notification_attempt.id')
				.execute();
			const byNotification = Map.groupBy(attempts, (attempt) => attempt.notification_id);
			return rows.map(
				(row): NotificationRecord => ({
					id: row.id,
					number: row.number,
					receiver: row.receiver,
					channel: row.channel,
					state: row.state as OutboxState,
					createdAtMs: row.created_at_ms,
					updatedAtMs: row.updated_at_ms,
					firingCount: row.firing_count,
					resolvedCount: row.resolved_count,
					attempts: (byNotification.get(row.id) ?? []).map((attempt) => ({
						startedAtMs: attempt.started_at_ms,
						endedAtMs: attempt.ended_at_ms,
						outcome: attempt.outcome,
						code: attempt.code,
						reason: attempt.reason,
						text: attempt.text,
						possibleDuplicate: attempt.possible_duplicate === 1,
					})),
				}),
			);
		},
		deliveries: (incidentId) => deliveriesOf(state, incidentId),
		silencePrice: (silence, nowMs) =>
			priceOf(state, { hiddenBy: `silence:${silence.id}`, fromMs: silence.startsAtMs, untilMs: Math.min(nowMs, silence.endsAtMs) }),
		maintenancePrice: (window, nowMs) => priceOf(state, { hiddenBy: `maintenance:${window}`, fromMs: 0, untilMs: nowMs }),
		listAlertEvents: async ({ fingerprint, limit }) => {
			const rows = await state
				.selectFrom('alert_event')
				.selectAll()
				.where('fingerprint', '=', fingerprint)
				.orderBy('at_ms')
				.orderBy('id')
				.limit(limit)
				.execute();
			return rows.map((row) => ({ atMs: row.at_ms, fingerprint: row.fingerprint, kind: row.kind as AlertEventKind, detail: row.detail }));
		},
	};
}

async function priceOf(
	state: StateDatabase,
	{ hiddenBy, fromMs, untilMs }: { readonly hiddenBy: string; readonly fromMs: number; readonly untilMs: number },
): Promise<SilencePrice> {
	const hidden = await state
		.selectFrom('alert_event')
		.select(['fingerprint', 'at_ms', 'detail'])
		.where('at_ms', '>=', fromMs)
		.where('kind', '=', 'suppressed')
		.where('detail', 'like', `${hiddenBy}%`)
		.execute();
	const spans: { readonly fromMs: number; readonly toMs: number }[] = [];
	for (const { fingerprint, at_ms, detail } of hidden) {
		if (!detail.endsWith(' critical')) continue;
		const end = await state
			.selectFrom('alert_event')
			.select((columns) => columns.fn.min('at_ms').as('at'))
			.where('fingerprint', '=', fingerprint)
			.where('at_ms', '>', at_ms)
			.where('kind', 'in', ['unsuppressed', 'suppressed', 'resolved', 'expired'])
			.executeTakeFirst();
		spans.push({ fromMs: at_ms, toMs: Math.min(untilMs, Number(end?.at ?? untilMs)) });
	}
	return { messages: hidden.length, criticalSeconds: Math.round(unionMs(spans) / 1000) };
}

/** Time that at least one span covers. */
function unionMs(spans: readonly { readonly fromMs: number; readonly toMs: number }[]): number {
	let covered = 0;
	let reachedMs = Number.NEGATIVE_INFINITY;
	for (const { fromMs, toMs } of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
		covered += Math.max(0, toMs - Math.max(fromMs, reachedMs));
		reachedMs = Math.max(reachedMs, toMs);
	}
	return covered;
}
