import type { SecretRef } from '../../../core/secret.ts';
import { compactShanghai } from '../../templates/shanghai-time.ts';
import { jsonObject, judgeBody } from '../body-code.ts';
import type { ChannelLine, LineContext } from '../channel-line.ts';
import type { RecentMessage } from '../notifier.ts';
import { type Entry, type Incoming, providerTime, textAt } from '../provider-callback.ts';
import { type PulledAnswer, type Question, receiptPull } from '../receipt-pull.ts';
import { valueAt } from '../value-at.ts';
import { aliyunCall } from './call.ts';
import { ALIYUN_CODES } from './template-notifier.ts';

interface PullConfig {
	readonly base_url: string;
	readonly access_key_id: SecretRef;
	readonly access_key_secret: SecretRef;
	readonly timeout: string;
	readonly receipt_pull?: string;
}

/** 语音通知, as QueryCallDetailByCallId counts products. */
const VOICE_NOTICE = '11000000300006';

/** `QuerySendDetails` (help.aliyun.com, dysmsapi 2017-05-25), one number and BizId a question. */
export function aliyunSmsPull(config: PullConfig, context: LineContext): Pick<ChannelLine, 'start' | 'close'> {
	const ask = question(config, context, { action: 'QuerySendDetails', read: readDetails });
	return receiptPull(context, {
		every: config.receipt_pull,
		way: 'aliyun_sms',
		questions: (recent) =>
			asking(recent, ask, ({ key, to, sentAtMs }) => ({
				PhoneNumber: to.replace(/^(\+|00)?86(?=1\d{10}$)/, ''),
				BizId: key,
				SendDate: compactShanghai(sentAtMs).slice(0, 8),
				PageSize: '10',
				CurrentPage: '1',
			})),
	});
}

/** `QueryCallDetailByCallId` (help.aliyun.com, dyvmsapi 2017-05-25). */
export function aliyunVoicePull(config: PullConfig, context: LineContext): Pick<ChannelLine, 'start' | 'close'> {
	const ask = question(config, context, { action: 'QueryCallDetailByCallId', read: readCall });
	return receiptPull(context, {
		every: config.receipt_pull,
		way: 'aliyun_voice',
		questions: (recent) => asking(recent, ask, ({ key, sentAtMs }) => ({ CallId: key, ProdId: VOICE_NOTICE, QueryDate: String(sentAtMs) })),
	});
}

type Ask = (message: RecentMessage, query: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<PulledAnswer>;

function asking(
	recent: readonly RecentMessage[],
	ask: Ask,
	query: (message: RecentMessage) => Readonly<Record<string, string>>,
): readonly Question[] {
	return recent
		.filter(({ awaited }) => awaited)
		.map((message) => ({ name: `${message.key} ${message.to}`, ask: (signal) => ask(message, query(message), signal) }));
}

/** The message is known only when the question is asked, so the answer is read for it. */
function question(
	config: PullConfig,
	context: LineContext,
	api: { readonly action: string; readonly read: (body: Entry, message: RecentMessage, nowMs: number) => readonly Incoming[] },
): Ask {
	const call = aliyunCall<{ readonly kind: 'body'; readonly body: Entry } | Exclude<PulledAnswer, { kind: 'answer' }>>(config, context, {
		action: api.action,
		judge: (response, world) => {
			const result = judgeBody(response, ALIYUN_CODES, world);
			return result.kind === 'sent' ? { kind: 'body', body: jsonObject(response.body) } : result;
		},
	});
	return async (message, query, signal) => {
		const answer = await call(query, signal);
		return answer.kind === 'body' ? { kind: 'answer', incoming: api.read(answer.body, message, context.clock.now()) } : answer;
	};
}

/** SendStatus 1 waits for its receipt, 2 failed, 3 arrived. The list is empty for a while after sending. */
function readDetails(body: Entry, { key, to }: RecentMessage, nowMs: number): readonly Incoming[] {
	const list = valueAt(body, 'SmsSendDetailDTOs.SmsSendDetailDTO');
	return (Array.isArray(list) ? (list as readonly Entry[]) : []).flatMap((entry): Incoming[] => {
		const status = textAt(entry, 'SendStatus');
		if (status !== '2' && status !== '3') return [];
		const state = status === '3' ? 'delivered' : 'undelivered';
		const code = textAt(entry, 'ErrCode') || state;
		return [{ kind: 'receipt', receipt: { key, to, state, code, atMs: providerTime(textAt(entry, 'ReceiveDate'), nowMs) } }];
	});
}

/** `Data` is JSON inside of JSON; there is no state before the call has ended. 200000 is a call that was taken. */
function readCall(body: Entry, { key, to }: RecentMessage, nowMs: number): readonly Incoming[] {
	const call = jsonObject(Buffer.from(textAt(body, 'Data')));
	const code = textAt(call, 'state');
	if (code === '') return [];
	const atMs = providerTime(textAt(call, 'endDate'), nowMs);
	return [{ kind: 'receipt', receipt: { key, to, state: code === '200000' ? 'delivered' : 'undelivered', code, atMs } }];
}
