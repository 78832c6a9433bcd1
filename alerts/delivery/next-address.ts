import { createHash } from 'node:crypto';
import { PERSONAL_SEPARATOR } from '../notify/channels.ts';
import type { PersonalRoute } from '../notify/notification.ts';
import type { OutboxEntry } from '../ports.ts';

export interface NextContext {
	readonly nowMs: number;
	readonly nextNumber: () => number;
	/** Whether the configuration has such a channel. */
	readonly known: (channel: string) => boolean;
}

/** The entry of a personal message at `step` or, where the configuration has no such channel, the first one after it; `null` when none is left. */
export function addressEntry(
	notification: Omit<OutboxEntry['notification'], 'id' | 'number' | 'personal' | 'createdAtMs'>,
	route: PersonalRoute,
	context: NextContext,
): OutboxEntry | null {
	const step = route.addresses.findIndex(({ channel }, i) => i >= route.step && context.known(channel));
	const address = route.addresses[step];
	if (address === undefined) return null;
	return {
		notification: {
			...notification,
			id: step === 0 ? route.requestId : stepId(route.requestId, step),
			number: context.nextNumber(),
			createdAtMs: context.nowMs,
			personal: { ...route, step },
		},
		// What one person hears of one matter stays in its order.
		groupId: createHash('sha256')
			.update(`${route.personId}\n${notification.incident?.id ?? route.requestId}`)
			.digest('hex'),
		channel: `${address.channel}${PERSONAL_SEPARATOR}${address.to}`,
		state: 'queued',
		possiblySent: false,
		attempts: 0,
		nextAttemptAtMs: context.nowMs,
	};
}

/** The message to the next address of the person whom `entry` did not reach; `null` when it is nobody's or there is none left. */
export function nextAddress({ notification }: OutboxEntry, context: NextContext): OutboxEntry | null {
	const { personal } = notification;
	return personal === undefined ? null : addressEntry(notification, { ...personal, step: personal.step + 1 }, context);
}

/** The same for the same step, so that two reasons to go on make one message. UUID version 8 (RFC 9562 §5.8). */
function stepId(requestId: string, step: number): string {
	const hex = createHash('sha256').update(`${requestId}\n${step}`).digest('hex');
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
