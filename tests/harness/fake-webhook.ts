import { createHmac, timingSafeEqual } from 'node:crypto';
import { faultQueue, startFakeServer } from './fake-server.ts';

export interface ReceivedWebhook {
	readonly atMs: number;
	readonly headers: Readonly<Record<string, string>>;
	/** Alertmanager's webhook body, version 4. */
	readonly body: {
		readonly version: string;
		readonly groupKey: string;
		readonly status: string;
		readonly receiver: string;
		readonly truncatedAlerts: number;
		readonly alerts: readonly {
			readonly status: string;
			readonly labels: Readonly<Record<string, string>>;
			readonly startsAt: string;
			readonly endsAt: string;
		}[];
	};
}

export type WebhookFault =
	| { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
	| { readonly kind: 'delay'; readonly ms: number }
	| { readonly kind: 'accept-and-drop' }
	| { readonly kind: 'drop' };

export interface FakeWebhook {
	readonly url: string;
	readonly port: number;
	readonly messages: readonly ReceivedWebhook[];
	readonly statuses: readonly number[];
	fail(fault: WebhookFault, times?: number): void;
	/** No further fault. */
	recover(): void;
	stop(): Promise<void>;
}

/** A receiver of Alertmanager's webhook that also verifies the HMAC header (and refuses one older than five minutes) when it has a secret. */
export async function startFakeWebhook(
	options: { readonly secret?: string; readonly port?: number; readonly now?: () => number } = {},
): Promise<FakeWebhook> {
	const messages: ReceivedWebhook[] = [];
	const statuses: number[] = [];
	const faults = faultQueue<WebhookFault>();
	const now = options.now ?? Date.now;
	const judge = (headers: Readonly<Record<string, string>>, body: string): number => {
		if (!(headers['content-type'] ?? '').startsWith('application/json')) return 415;
		if (options.secret === undefined) return 200;
		const timestamp = headers['x-fournines-timestamp'] ?? '';
		if (Math.abs(now() / 1000 - Number(timestamp)) > 300) return 401;
		const wanted = Buffer.from(`sha256=${createHmac('sha256', options.secret).update(`${timestamp}.${body}`).digest('hex')}`);
		const given = Buffer.from(headers['x-fournines-signature'] ?? '');
		return wanted.length === given.length && timingSafeEqual(wanted, given) ? 200 : 401;
	};
	const server = await startFakeServer({
		...(options.port === undefined ? {} : { port: options.port }),
		handle: async (request, exchange) => {
			const fault = faults.next();
			if (fault?.kind === 'drop') return exchange.drop();
			if (fault?.kind === 'delay') await exchange.sleep(fault.ms);
			const text = request.body.toString('utf8');
			const status = fault?.kind === 'status' ? fault.status : judge(request.headers, text);
			statuses.push(status);
			if (status === 200) messages.push({ atMs: now(), headers: request.headers, body: JSON.parse(text) as ReceivedWebhook['body'] });
			if (fault?.kind === 'accept-and-drop') return exchange.drop();
			const retryAfter = fault?.kind === 'status' ? fault.retryAfter : undefined;
			exchange.answer(status, status === 200 ? 'ok' : 'refused', retryAfter === undefined ? {} : { 'retry-after': retryAfter });
		},
	});
	return {
		url: `${server.baseUrl}/hook?token=in-the-address`,
		port: server.port,
		messages,
		statuses,
		fail: faults.fail,
		recover: faults.clear,
		stop: server.stop,
	};
}
