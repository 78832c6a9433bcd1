import { createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from '../../core/errors.ts';
import type { Secret, SecretRef } from '../../core/secret.ts';
import { answerType } from '../../protocol/provider-callbacks.ts';
import type { CallbackAnswer, CallbackRequest, ChannelLine, LineContext } from './channel-line.ts';
import type { Receipt } from './notifier.ts';
import { valueAt } from './value-at.ts';

/** What one entry of a provider's callback says; `null` for what is of no use. */
export type Incoming =
	| { readonly kind: 'receipt'; readonly receipt: Receipt }
	| { readonly kind: 'reply'; readonly from: string; readonly text: string; readonly id: string; readonly atMs: number }
	| null;

export type Entry = Readonly<Record<string, unknown>>;

export interface ProviderCallback {
	/** Without one, callbacks are refused: nobody could tell whose they are. */
	readonly token: SecretRef | undefined;
	/** Type of the channel. */
	readonly way: string;
	/** Dotted path to the list of entries; by default the body is the list, or the only entry. */
	readonly items?: string;
	readonly read: (entry: Entry, nowMs: number) => Incoming;
	/** What the provider wants to hear, else it repeats. */
	readonly answer: string;
}

/** Callbacks of providers that sign nothing: a token in the address says that it is them. What cannot be recorded is answered with an error, so that they repeat. */
export function providerCallback(context: LineContext, options: ProviderCallback): ChannelLine['callback'] {
	if (options.token === undefined) return undefined;
	const token = context.secret(options.token);
	return async (request): Promise<CallbackAnswer> => {
		if (!sameSecret(request.query['token'] ?? '', token)) throw callbackRefused(context.line, 'the token in the address is wrong');
		const nowMs = context.clock.now();
		await takeIncoming(
			context,
			options.way,
			entriesOf(request, options.items).map((entry) => options.read(entry, nowMs)),
		);
		return { status: 200, type: answerType(options.answer), body: options.answer };
	};
}

/** Hands over what a provider says, however it came. Rejects when it is not recorded. */
export async function takeIncoming(context: LineContext, way: string, all: readonly Incoming[]): Promise<void> {
	const receipts: Receipt[] = [];
	for (const incoming of all) {
		if (incoming?.kind === 'receipt') receipts.push(incoming.receipt);
		else if (incoming?.kind === 'reply') {
			const { id, from, text, atMs } = incoming;
			await context.inbound.reply({ id, from: { channel: context.line, to: from }, way, said: { kind: 'text', text: text.trim() }, atMs });
		}
	}
	if (receipts.length > 0) await context.inbound.receipts(context.line, receipts);
}

export function callbackRefused(line: string, reason: string): AppError {
	return new AppError('FN_ALERTS_CALLBACK_REFUSED', `a callback for the channel "${line}" was refused: ${reason}`, { status: 403 });
}

/** Signed callbacks name a time, so that they cannot be replayed. What a relay has kept is judged by when the relay got it. */
const CLOCK_TOLERANCE_MS = 300_000;

/** Throws `FN_ALERTS_CALLBACK_REFUSED` when `timestamp`, in seconds, is too far from when the request came. */
export function assertFresh(timestamp: string, request: CallbackRequest, context: LineContext): void {
	const cameAtMs = request.receivedAtMs ?? context.clock.now();
	if (Math.abs(cameAtMs - Number(timestamp) * 1000) > CLOCK_TOLERANCE_MS)
		throw callbackRefused(context.line, 'the time is more than five minutes off');
}

export function sameSecret(given: string, secret: Secret): boolean {
	const digest = (text: string) => createHash('sha256').update(text).digest();
	return timingSafeEqual(digest(given), digest(secret.reveal()));
}

/** Entries of a JSON body, a form or, where there is no body, the query. */
function entriesOf(request: CallbackRequest, items: string | undefined): readonly Entry[] {
	const root = bodyOf(request);
	const list = items === undefined ? root : valueAt(root, items);
	return (Array.isArray(list) ? list : [list]).filter((entry): entry is Entry => typeof entry === 'object' && entry !== null);
}

function bodyOf(request: CallbackRequest): unknown {
	const text = request.body.toString('utf8').trim();
	if (text === '') return request.query;
	if (!/^[[{"]/.test(text)) return Object.fromEntries(new URLSearchParams(text));
	try {
		return JSON.parse(text) as unknown;
	} catch {
		throw new AppError('FN_ALERTS_CALLBACK_REFUSED', 'the body of a callback is no JSON', { status: 400 });
	}
}

export function textAt(entry: Entry, path: string): string {
	const value = valueAt(entry, path);
	return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** Beijing time as providers write it, or seconds since the epoch; `nowMs` when it is neither. */
export function providerTime(text: string, nowMs: number): number {
	if (/^\d{10}$/.test(text)) return Number(text) * 1000;
	const ms = Date.parse(`${text.trim().replace(' ', 'T')}+08:00`);
	return Number.isNaN(ms) ? nowMs : ms;
}

/** For a reply that carries no id of its own: the same words from the same telephone at the same time are the same reply. */
export function replyId(...parts: readonly string[]): string {
	return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);
}
