import { type Static, Type } from 'typebox';
import { durationSchema } from '../entry-schema.ts';
import { expectProperties, reachProperties, requestProperties } from '../probe/config.ts';
import { scheduleProperties } from '../schedule-config.ts';
import { sqlServerProperties } from '../sql/server-schema.ts';

const Text = Type.String({ minLength: 1 });
const closed = { additionalProperties: false };

/** What a run delivered, by JSON paths into an answer. */
const JsonFields = Type.Object(
	{
		last_success: Type.Optional(Text),
		success: Type.Optional(Text),
		duration: Type.Optional(Text),
		sent: Type.Optional(Text),
		received: Type.Optional(Text),
		rejected: Type.Optional(Text),
	},
	closed,
);

/** An address whose answer is read, with everything that a probe knows about reaching it. */
export function httpSourceProperties() {
	return {
		url: Type.String({ pattern: '^https?://' }),
		request: Type.Object(requestProperties(), { ...closed, default: {} }),
		expect: Type.Object(expectProperties(), { ...closed, default: {} }),
		...reachProperties(),
	};
}

export const PushConfigSchema = Type.Object(
	{
		/** Label `interface`. */
		id: Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]*$' }),
		/** Label `peer`: whom the data goes to or comes from. */
		peer: Type.String({ default: '' }),
		...scheduleProperties(),
		interval: durationSchema('1m'),
		timeout: durationSchema('10s'),
		/** Exactly one of these says when data was last delivered. */
		sql: Type.Optional(
			Type.Object(
				{
					...sqlServerProperties(),
					/**
					 * One row; columns by name: `last_success` (a time), and optionally `success` (0 or 1), `duration` (seconds), `sent`,
					 * `received`, `rejected` (totals that grow).
					 */
					query: Text,
				},
				closed,
			),
		),
		/** The newest file of a folder whose name matches `pattern` (`*` and `?`). */
		file: Type.Optional(
			Type.Object(
				{ directory: Text, pattern: Type.String({ default: '*', minLength: 1 }), min_bytes: Type.Integer({ default: 1, minimum: 0 }) },
				closed,
			),
		),
		http: Type.Optional(Type.Object({ ...httpSourceProperties(), fields: JsonFields }, closed)),
		/** A log in which each success leaves a line. The pattern's first group is its time; without a group it is the time of reading. */
		log: Type.Optional(
			Type.Object(
				{
					path: Text,
					success: Text,
					failure: Type.Optional(Text),
					/** How much of the end is read at the start. */
					tail_bytes: Type.Integer({ default: 1024 * 1024, minimum: 1024, maximum: 64 * 1024 * 1024 }),
					encoding: Type.Union([Type.Literal('utf-8'), Type.Literal('gb18030')], { default: 'utf-8' }),
				},
				closed,
			),
		),
		labels: Type.Record(Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' }), Type.String(), { default: {} }),
	},
	closed,
);
export type PushConfig = Static<typeof PushConfigSchema>;
