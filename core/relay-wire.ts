import { type Static, Type } from 'typebox';
import { Check } from 'typebox/value';

/** Where the collector fetches what a relay in the internet zone has taken for it. */
export const RELAY_POLL_PATH = '/api/fournines/v1/relay/poll';
/** Longest that a relay lets a poll wait. */
export const RELAY_WAIT_MS = 25_000;
/** What one poll brings at most, so that an answer stays small and one slow request does not hold up many. */
export const RELAY_BATCH = { requests: 20, bodyBytes: 4 * 1024 * 1024 } as const;

const Text = Type.String();

const RelayedRequestSchema = Type.Object(
	{
		/** The same for as long as the relay keeps it; after a crash of either side it may be given out again. */
		id: Type.String({ minLength: 1, maxLength: 64 }),
		/** A provider's callback for a channel, or somebody at the link of a message. */
		kind: Type.Union([Type.Literal('callback'), Type.Literal('ack')]),
		/** Name of the channel, or token of the link. */
		name: Type.String({ minLength: 1, maxLength: 100 }),
		method: Type.Union([Type.Literal('GET'), Type.Literal('POST')]),
		/** Without the question mark. */
		query: Text,
		contentType: Text,
		/** Base64. */
		body: Text,
		/** Who sent it, as the relay saw it. */
		address: Text,
		/** How long ago the relay got it, by the relay's own clock, so that the two clocks need not agree. */
		ageMs: Type.Number({ minimum: 0 }),
	},
	{ additionalProperties: false },
);
/** A request from the internet as the relay hands it on. */
export type RelayedRequest = Static<typeof RelayedRequestSchema>;

const RelayAnswerSchema = Type.Object(
	{
		id: Type.String({ minLength: 1, maxLength: 64 }),
		status: Type.Integer({ minimum: 200, maximum: 599 }),
		type: Type.String({ maxLength: 100 }),
		body: Text,
	},
	{ additionalProperties: false },
);
/** What the collector made of it. The relay forgets the request, and passes the answer on where somebody still waits for it. */
export type RelayAnswer = Static<typeof RelayAnswerSchema>;

const RelayPollSchema = Type.Object(
	{
		answers: Type.Array(RelayAnswerSchema, { maxItems: RELAY_BATCH.requests }),
		/** How long the poll may wait when there is nothing. */
		waitMs: Type.Integer({ minimum: 0, maximum: RELAY_WAIT_MS }),
	},
	{ additionalProperties: false },
);
export type RelayPoll = Static<typeof RelayPollSchema>;

const RelayBatchSchema = Type.Object(
	{ requests: Type.Array(RelayedRequestSchema, { maxItems: RELAY_BATCH.requests }) },
	{ additionalProperties: false },
);
export type RelayBatch = Static<typeof RelayBatchSchema>;

/** `null` when it is none. */
export function readRelayPoll(text: string): RelayPoll | null {
	const value = parsed(text);
	return Check(RelayPollSchema, value) ? value : null;
}

/** `null` when it is none. */
export function readRelayBatch(text: string): RelayBatch | null {
	const value = parsed(text);
	return Check(RelayBatchSchema, value) ? value : null;
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text) as unknown;
	} catch {
		return null;
	}
}
