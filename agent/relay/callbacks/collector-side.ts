import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { errorText } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { RELAY_POLL_PATH, type RelayBatch, readRelayPoll } from '../../../core/relay-wire.ts';
import type { Secret } from '../../../core/secret.ts';
import { readBody, refuse } from '../listener.ts';
import type { CallbackDesk } from './callback-desk.ts';

export interface CollectorSideOptions {
	readonly desk: CallbackDesk;
	/** Read anew each time, so that it can be changed. */
	readonly token: () => Secret;
	readonly polled: (result: 'answered' | 'refused' | 'failed') => void;
	readonly log: Logger;
}

/** Twenty answers, each at most a page. */
const MOST_POLL_BYTES = 4 * 1024 * 1024;

/** Where the collector fetches and answers. Only who has the token is let in. */
export function collectorSide(options: CollectorSideOptions): RequestListener {
	return (request, response) => {
		poll(request, response, options).catch((error: unknown) => {
			options.polled('failed');
			options.log.warn({ error: errorText(error) }, 'a poll of the collector failed');
			if (!response.headersSent) refuse(response, 500, 'FN_AGENT_RELAY_POLL', 'this poll failed; try again\n');
			else response.destroy();
		});
	};
}

async function poll(request: IncomingMessage, response: ServerResponse, options: CollectorSideOptions): Promise<void> {
	const { desk, polled } = options;
	if (request.method !== 'POST' || request.url !== RELAY_POLL_PATH) {
		refuse(response, 404, 'FN_AGENT_RELAY_PATH', 'the collector fetches here, and nobody else has a reason to come\n');
		return;
	}
	if (!isBearer(request.headers.authorization ?? '', options.token())) {
		polled('refused');
		refuse(response, 401, 'FN_AGENT_RELAY_TOKEN', 'the token is wrong; it must be that of relay.callbacks.token\n');
		return;
	}
	const body = await readBody(request, MOST_POLL_BYTES);
	const wanted = body === null ? null : readRelayPoll(body.toString('utf8'));
	if (wanted === null) {
		refuse(response, 400, 'FN_AGENT_RELAY_POLL', 'this is no poll; relay and collector must be of versions that fit\n');
		return;
	}
	const gone = new AbortController();
	response.on('close', () => gone.abort());
	await desk.settle(wanted.answers);
	const batch: RelayBatch = { requests: [...(await desk.lend(wanted.waitMs, gone.signal))] };
	polled('answered');
	response.writeHead(200, { 'content-type': 'application/json' });
	response.end(JSON.stringify(batch));
}

function isBearer(header: string, token: Secret): boolean {
	const digest = (text: string) => createHash('sha256').update(text).digest();
	return timingSafeEqual(digest(header), digest(`Bearer ${token.reveal()}`));
}
