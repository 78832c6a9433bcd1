import { type Static, Type } from 'typebox';
import { entryProperties } from '../entry-schema.ts';
import { sqlServerProperties } from './server-schema.ts';

const Column = Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' });

export const SqlConfigSchema = Type.Object(
	{
		...entryProperties(),
		...sqlServerProperties(),
		queries: Type.Array(
			Type.Object(
				{
					/** Metric name in front of the column's: `orders` and column `open` are `orders_open`. */
					name: Type.String({ pattern: '^[a-zA-Z_:][a-zA-Z0-9_:]*$' }),
					query: Type.String({ minLength: 1 }),
					/** Columns that become values; all others that are named in `labels` become labels. */
					values: Type.Array(Column, { minItems: 1, maxItems: 50 }),
					labels: Type.Array(Column, { default: [], maxItems: 10 }),
					type: Type.Union([Type.Literal('gauge'), Type.Literal('counter')], { default: 'gauge' }),
					help: Type.String({ default: '' }),
					/** More rows than this are left out and reported. */
					max_rows: Type.Integer({ default: 100, minimum: 1, maximum: 5000 }),
				},
				{ additionalProperties: false },
			),
			{ minItems: 1, maxItems: 100 },
		),
	},
	{ additionalProperties: false },
);
export type SqlConfig = Static<typeof SqlConfigSchema>;
