import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../core/secret.ts';
import type { Incident } from './incident.ts';

/** `<number>.<event>.<mac>`: short enough for a text message. */
const TOKEN = /^([1-9]\d{0,9})\.([1-9]\d{0,9})\.([A-Za-z0-9_-]{22})$/;
const MAC_BYTES = 16;
/** Longer than any night; a link that is found in an old telephone is worth nothing. */
const VALID_MS = 24 * 3_600_000;

export interface AckToken {
	readonly number: number;
	readonly seq: number;
	readonly mac: string;
}

/** Whom a token speaks for, and whether it may still acknowledge. */
export type AckVerdict =
	| { readonly kind: 'good'; readonly personId: string; readonly name: string }
	/** The right token, too late: used, replaced by a later call, older than a day, or the incident is over. */
	| { readonly kind: 'spent'; readonly personId: string; readonly name: string }
	| { readonly kind: 'bad' };

export function parseAckToken(text: string): AckToken | null {
	const match = TOKEN.exec(text);
	return match === null ? null : { number: Number(match[1]), seq: Number(match[2]), mac: match[3] ?? '' };
}

/** Links that take an incident without a log-in: one per person and call, HMAC-SHA256 cut to 128 bits, so that nothing has to be kept. */
export class AckLinks {
	readonly #key: Secret;
	readonly #baseUrl: () => string;

	/** `baseUrl` is asked for each link. */
	constructor(key: Secret, baseUrl: () => string) {
		this.#key = key;
		this.#baseUrl = baseUrl;
	}

	/** `''` where people cannot reach the collector under any address that is known. */
	url(incident: Incident, personId: string, seq: number): string {
		const base = this.#baseUrl().replace(/\/+$/, '');
		return base === '' ? '' : `${base}/ack/${incident.number}.${seq}.${this.#mac(incident, personId, seq)}`;
	}

	verify(token: AckToken, incident: Incident, nowMs: number): AckVerdict {
		for (const call of incident.calls) {
			if (!same(token.mac, this.#mac(incident, call.personId, token.seq))) continue;
			const { personId, name } = call;
			const good = call.seq === token.seq && !call.used && nowMs - call.atMs < VALID_MS && incident.state !== 'resolved';
			return { kind: good ? 'good' : 'spent', personId, name };
		}
		return { kind: 'bad' };
	}

	#mac({ id }: Incident, personId: string, seq: number): string {
		const mac = createHmac('sha256', this.#key.reveal()).update(`${id}\n${seq}\n${personId}`).digest();
		return mac.subarray(0, MAC_BYTES).toString('base64url');
	}
}

function same(a: string, b: string): boolean {
	return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
