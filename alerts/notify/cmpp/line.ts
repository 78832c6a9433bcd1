import type { Static } from 'typebox';
import { parseDuration } from '../../../core/duration.ts';
import { errorText } from '../../../core/errors.ts';
import { notifierFrame } from '../channel-frame.ts';
import { type ChannelLine, type LineContext, placeEach } from '../channel-line.ts';
import type { Notifier, NotifierContext, ReceiptKey, SendResult } from '../notifier.ts';
import { smsTextOf } from '../sms-text.ts';
import { type CmppVersion, type Delivered, encodeSubmit } from './codec.ts';
import type { CmppConfigSchema } from './config.ts';
import { messageParts } from './long-message.ts';
import { CmppFailure, CmppSession } from './session.ts';

type Config = Static<typeof CmppConfigSchema>;

/** Result of a SUBMIT that a slower sender avoids. */
const FLOW_CONTROL = 8;

/** One session with a carrier's gateway. A reply comes from the number that the carrier itself names. */
export function openCmpp(config: Config, context: LineContext): ChannelLine {
	const version: CmppVersion = config.version === '3.0' ? 3 : 2;
	const session = new CmppSession({
		host: config.host,
		port: config.port,
		version,
		sourceAddr: config.source_addr,
		secret: context.secret(config.secret),
		window: config.window,
		timeoutMs: parseDuration(config.timeout),
		activeTestMs: parseDuration(config.active_test),
		clock: context.clock,
		log: context.log,
		onDeliver: (delivered) => take(delivered, context),
	});
	let reference = 0;
	const create = (phone: string, place: NotifierContext): Notifier => {
		const text = smsTextOf(place, { type: 'cmpp', ...config, reserve: config.signature_reserve });
		return {
			...notifierFrame('cmpp', config, place, [config.host, config.source_addr, phone]),
			compose: async (notification, { possibleDuplicate }) => {
				const content = await text(notification, possibleDuplicate);
				const send = async (): Promise<SendResult> => {
					reference = (reference + 1) & 0xff;
					const parts = messageParts(content, reference);
					const receipts: ReceiptKey[] = [];
					try {
						for (const [i, part] of parts.entries()) {
							const { messageId, result } = await session.submit(
								encodeSubmit({
									version,
									serviceId: config.service_id,
									sourceAddr: config.source_addr,
									srcId: config.src_id,
									phone: phone.replace(/^\+?86(?=1\d{10}$)/, ''),
									part,
									total: parts.length,
									number: i + 1,
								}),
							);
							const reason = `the gateway answered with result ${result}`;
							if (result === FLOW_CONTROL) {
								return { kind: 'retry', code: '8', reason, possiblySent: receipts.length > 0, afterMs: 1000 };
							}
							if (result !== 0) return { kind: 'refused', code: String(result), reason };
							receipts.push({ key: messageId, to: phone });
						}
						return { kind: 'sent', code: '0', receipts };
					} catch (error) {
						return failed(error, receipts.length > 0);
					}
				};
				return { text: content, send };
			},
		};
	};
	return {
		type: 'cmpp',
		notifiers: (place, to) => placeEach(to === null ? config.phones : [to], context, place, create),
		start: () => session.listen(),
		close: () => session.close(),
	};
}

function failed(error: unknown, begun: boolean): SendResult {
	if (!(error instanceof CmppFailure)) return { kind: 'retry', code: 'error', reason: errorText(error), possiblySent: true };
	const { code, message, sent, final } = error;
	return final ? { kind: 'refused', code, reason: message } : { kind: 'retry', code, reason: message, possiblySent: sent || begun };
}

async function take(delivered: Delivered, context: LineContext): Promise<void> {
	const atMs = context.clock.now();
	if (delivered.kind === 'receipt') {
		const state = delivered.status === 'DELIVRD' ? 'delivered' : 'undelivered';
		const receipt = { key: delivered.messageId, to: delivered.phone, state, code: delivered.status, atMs } as const;
		await context.inbound.receipts(context.line, [receipt]);
		return;
	}
	const from = { channel: context.line, to: delivered.phone.replace(/^\+?86(?=1\d{10}$)/, '') };
	const said = { kind: 'text', text: delivered.text.trim() } as const;
	await context.inbound.reply({ id: delivered.id.toString('hex'), from, way: 'cmpp', said, atMs });
}
