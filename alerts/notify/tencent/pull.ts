import type { SecretRef } from '../../../core/secret.ts';
import type { ChannelLine, LineContext } from '../channel-line.ts';
import { type Entry, type Incoming, providerTime, replyId, textAt } from '../provider-callback.ts';
import { type PulledAnswer, receiptPull } from '../receipt-pull.ts';
import { tencentCall } from './call.ts';

interface PullConfig {
	readonly base_url: string;
	readonly secret_id: SecretRef;
	readonly secret_key: SecretRef;
	readonly timeout: string;
	readonly region: string;
	readonly sdk_app_id: string;
	readonly receipt_pull?: string;
}

const MOST_ENTRIES = 100;
/** The service's clock and ours differ; what was known already is known. */
const EARLIER_S = 300;

/**
 * `PullSmsSendStatusByPhoneNumber` and `PullSmsReplyStatusByPhoneNumber` (cloud.tencent.com/document/api/382/55978 and 55977): unlike the
 * queues of the same names without a number, asking takes nothing away, so what was not recorded in time is asked for again. Tencent
 * opens them for an account on request.
 */
export function tencentSmsPull(config: PullConfig, context: LineContext): Pick<ChannelLine, 'start' | 'close'> {
	const asking = (action: string, list: string, read: (entry: Entry, nowMs: number) => Incoming) => {
		const call = tencentCall<PulledAnswer>(config, context, {
			service: 'sms',
			action,
			version: '2021-01-11',
			taken: (answer) => {
				const entries = Array.isArray(answer[list]) ? (answer[list] as readonly Entry[]) : [];
				return { kind: 'answer', incoming: entries.map((entry) => read(entry, context.clock.now())) };
			},
		});
		return (phone: string, sinceMs: number) => ({
			name: `${action} ${phone}`,
			ask: (signal: AbortSignal) => {
				const BeginTime = Math.floor(sinceMs / 1000) - EARLIER_S;
				const EndTime = Math.ceil(context.clock.now() / 1000);
				const window = { BeginTime, EndTime, Offset: 0, Limit: MOST_ENTRIES };
				return call(JSON.stringify({ ...window, PhoneNumber: phone, SmsSdkAppId: config.sdk_app_id }), signal);
			},
		});
	};
	const status = asking('PullSmsSendStatusByPhoneNumber', 'PullSmsSendStatusSet', readStatus);
	const replies = asking('PullSmsReplyStatusByPhoneNumber', 'PullSmsReplyStatusSet', readReply);
	return receiptPull(context, {
		every: config.receipt_pull,
		way: 'tencent_sms',
		questions: (recent) =>
			[...Map.groupBy(recent, ({ to }) => to)].flatMap(([phone, messages]) => {
				const sinceMs = Math.min(...messages.map(({ sentAtMs }) => sentAtMs));
				const awaited = messages.some((message) => message.awaited);
				// Whoever has the message may still answer it.
				return [...(awaited ? [status(phone, sinceMs)] : []), replies(phone, sinceMs)];
			}),
	});
}

function readStatus(entry: Entry, nowMs: number): Incoming {
	const key = textAt(entry, 'SerialNo');
	const status = textAt(entry, 'ReportStatus');
	if (key === '' || (status !== 'SUCCESS' && status !== 'FAIL')) return null;
	const atMs = providerTime(textAt(entry, 'UserReceiveTime'), nowMs);
	const code = textAt(entry, 'Description') || status;
	const state = status === 'SUCCESS' ? 'delivered' : 'undelivered';
	return { kind: 'receipt', receipt: { key, to: textAt(entry, 'PhoneNumber'), state, code, atMs } };
}

/** The same words as a callback of the same reply have the same id. */
function readReply(entry: Entry, nowMs: number): Incoming {
	const from = textAt(entry, 'PhoneNumber');
	const text = textAt(entry, 'ReplyContent');
	const at = textAt(entry, 'ReplyTime');
	return text === '' ? null : { kind: 'reply', from, text, id: replyId(from, text, at), atMs: providerTime(at, nowMs) };
}
