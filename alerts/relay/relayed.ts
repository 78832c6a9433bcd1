import type { RelayedRequest } from '../../core/relay-wire.ts';
import type { CallbackAnswer, CallbackRequest } from '../notify/channel-line.ts';

/** Who opened or pressed the link of a message. */
export interface AckRequest {
	readonly method: 'GET' | 'POST';
	readonly token: string;
	readonly address: string;
	readonly atMs: number;
}

/** The handlers that the same requests have when they reach the collector itself. */
export interface RelayHandlers {
	readonly callback: (channel: string, request: CallbackRequest) => Promise<CallbackAnswer>;
	readonly ack: (request: AckRequest) => Promise<CallbackAnswer>;
}

/** Hands a request from a relay to its handler, as of when the relay got it. */
export function handleRelayed(request: RelayedRequest, handlers: RelayHandlers, nowMs: number): Promise<CallbackAnswer> {
	const { kind, name, method, address } = request;
	const receivedAtMs = nowMs - request.ageMs;
	if (kind === 'ack') return handlers.ack({ method, token: name, address, atMs: receivedAtMs });
	return handlers.callback(name, {
		method,
		query: Object.fromEntries(new URLSearchParams(request.query)),
		headers: { 'content-type': request.contentType },
		body: Buffer.from(request.body, 'base64'),
		receivedAtMs,
	});
}
