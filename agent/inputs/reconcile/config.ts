import { type Static, Type } from 'typebox';
import { durationSchema } from '../entry-schema.ts';
import { httpSourceProperties } from '../push/config.ts';
import { sqlServerProperties } from '../sql/server-schema.ts';

const Text = Type.String({ minLength: 1 });
const closed = { additionalProperties: false };

/** One end: how many records it holds per business date. Exactly one of `sql` and `http`. */
const EndSchema = Type.Object(
	{
		/** Rows of a business date (`2026-11-22` or `20261122`) and a count, in this order. */
		sql: Type.Optional(Type.Object({ ...sqlServerProperties(), query: Text }, closed)),
		/** JSON paths to the dates and to the counts, as two lists of the same length. */
		http: Type.Optional(Type.Object({ ...httpSourceProperties(), dates: Text, counts: Text }, closed)),
	},
	closed,
);

export const ReconcileConfigSchema = Type.Object(
	{
		/** Label `interface`. */
		id: Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]*$' }),
		peer: Type.String({ default: '' }),
		source: EndSchema,
		target: EndSchema,
		/** How many business dates are compared, today included. */
		dates: Type.Integer({ default: 3, minimum: 1, maximum: 31 }),
		/** From when on the counts of a date must agree, by the clocks of `zone`: at `time`, so many days after it. */
		cut_off: Type.Object(
			{ time: Type.String({ default: '02:00' }), days_later: Type.Integer({ default: 1, minimum: 0, maximum: 7 }) },
			{ ...closed, default: {} },
		),
		zone: Type.String({ default: 'Asia/Shanghai' }),
		interval: durationSchema('10m'),
		timeout: durationSchema('30s'),
		labels: Type.Record(Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' }), Type.String(), { default: {} }),
	},
	closed,
);
export type ReconcileConfig = Static<typeof ReconcileConfigSchema>;
