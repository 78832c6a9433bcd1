import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Clock } from '../../../core/clock.ts';
import { errorText } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { answerType, PROVIDER_MANNERS } from '../../../protocol/provider-callbacks.ts';
import { readBody } from '../listener.ts';
import type { AddressLimit } from './address-limit.ts';
import type { CallbackDesk } from './callback-desk.ts';
import type { CallbacksConfig } from './config.ts';
import { arrivedPage, awayPage } from './pages.ts';

export interface PublicSideOptions {
	readonly config: Pick<CallbacksConfig, 'channels' | 'ack_links'>;
	readonly desk: CallbackDesk;
	readonly limit: AddressLimit;
	/** Requests that got no further than here. */
	readonly refuse: (result: 'path' | 'limit' | 'too_long' | 'no_proof') => void;
	readonly clock: Clock;
	readonly log: Logger;
}

/** What the answer is when the collector gives none in time. */
interface Way {
	readonly kind: 'callback' | 'ack';
	readonly name: string;
	/** Worth something to the collector also when nobody waits any more. */
	readonly keep: boolean;
	readonly late: Answer;
}

interface Answer {
	readonly status: number;
	readonly type: string;
	readonly body: string;
}

const CALLBACK = /^\/api\/fournines\/v1\/callbacks\/([a-zA-Z0-9._-]{1,64})$/;
const ACK = /^\/ack\/([A-Za-z0-9._-]{1,100})$/;
/** A provider's batch of receipts is a few hundred kilobytes at most. */
const MOST_BODY_BYTES = 1024 * 1024;
const PLAIN = 'text/plain; charset=utf-8';
const HTML = 'text/html; charset=utf-8';
const HEADERS = {
	'cache-control': 'no-store',
	'x-content-type-options': 'nosniff',
	'referrer-policy': 'no-referrer',
	'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
} as const;

/** What the internet sees. It believes nothing and knows no secret of a channel: the collector judges each request when it has fetched it. */
export function publicSide(options: PublicSideOptions): RequestListener {
	return (request, response) => {
		take(request, options)
			.then((answer) => send(response, answer))
			.catch((error: unknown) => {
				// Cut off by the sender; neither address nor body belongs into a log.
				options.log.debug({ error: errorText(error) }, 'a request from the internet broke off');
				response.destroy();
			});
	};
}

async function take(request: IncomingMessage, options: PublicSideOptions): Promise<Answer> {
	const { desk, limit, refuse, clock } = options;
	const address = request.socket.remoteAddress ?? '';
	if (!limit.passes(address, clock.monotonic())) {
		refuse('limit');
		return refusal(429, 'FN_AGENT_RELAY_LIMIT', 'too many requests; try again in a minute\n');
	}
	const [path = '/', query = ''] = splitOnce(request.url ?? '/');
	const method = methodOf(request);
	const way = method === null ? null : wayOf(path, query, method, options.config);
	if (way === null || method === null) {
		refuse('path');
		return refusal(404, 'FN_AGENT_RELAY_PATH', 'nothing is here\n');
	}
	if (way === 'no proof') {
		refuse('no_proof');
		return refusal(403, 'FN_AGENT_RELAY_PROOF', 'neither signed nor with a token\n');
	}
	const body = method === 'GET' ? Buffer.alloc(0) : await readBody(request, MOST_BODY_BYTES);
	if (body === null) {
		refuse('too_long');
		return refusal(413, 'FN_AGENT_RELAY_BODY', `more than ${MOST_BODY_BYTES} bytes are not taken\n`);
	}
	const arrived = {
		kind: way.kind,
		name: way.name,
		method,
		query,
		contentType: String(request.headers['content-type'] ?? ''),
		body: body.toString('base64'),
		address,
	};
	const outcome = await desk.take(arrived, way.keep);
	if (outcome.kind === 'answered') return outcome.answer;
	return outcome.kind === 'late' ? way.late : refusal(503, 'FN_AGENT_RELAY_FULL', 'no more is taken now; try again later\n');
}

/** `null` for what is not here. */
function wayOf(path: string, query: string, method: 'GET' | 'POST', config: PublicSideOptions['config']): Way | 'no proof' | null {
	const token = config.ack_links ? ACK.exec(path)?.[1] : undefined;
	if (token !== undefined) {
		// The page is only of use to whoever waits for it; the press of its button is not to be lost.
		const late = method === 'POST' ? { status: 202, type: HTML, body: arrivedPage() } : { status: 503, type: HTML, body: awayPage() };
		return { kind: 'ack', name: token, keep: method === 'POST', late };
	}
	const name = CALLBACK.exec(path)?.[1];
	const channel = config.channels.find((one) => one.name === name);
	if (channel === undefined) return null;
	const { taken, proof, checksByGet } = PROVIDER_MANNERS[channel.provider];
	if (!new URLSearchParams(query).has(proof)) return 'no proof';
	if (method === 'GET' && checksByGet)
		return {
			kind: 'callback',
			name: channel.name,
			keep: false,
			late: refusal(503, 'FN_AGENT_RELAY_AWAY', 'nobody can answer this now; try again later\n'),
		};
	const body = channel.answer ?? taken;
	return { kind: 'callback', name: channel.name, keep: true, late: { status: 200, type: answerType(body), body } };
}

function refusal(status: number, code: string, text: string): Answer {
	return { status, type: PLAIN, body: `${code}: ${text}` };
}

function methodOf({ method }: IncomingMessage): 'GET' | 'POST' | null {
	return method === 'GET' || method === 'POST' ? method : null;
}

function splitOnce(url: string): readonly [string, string] {
	const mark = url.indexOf('?');
	return mark === -1 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
	// What is longer than was read must not become the next request of the connection.
	response.writeHead(status, { ...HEADERS, 'content-type': type, ...(status === 413 ? { connection: 'close' } : {}) });
	response.end(body);
}
