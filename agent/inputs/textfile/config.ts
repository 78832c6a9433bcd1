import { type Static, Type } from 'typebox';
import { durationSchema } from '../entry-schema.ts';

export const TextfileConfigSchema = Type.Object(
	{
		/** Folder whose files `*.prom` are read. */
		directory: Type.String({ minLength: 1 }),
		interval: Type.Optional(durationSchema()),
		timeout: durationSchema('5s'),
		/** Largest file that is read, and how many of them. */
		max_bytes: Type.Integer({ default: 4 * 1024 * 1024, minimum: 1024, maximum: 64 * 1024 * 1024 }),
		max_files: Type.Integer({ default: 200, minimum: 1, maximum: 5000 }),
		labels: Type.Record(Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' }), Type.String(), { default: {} }),
	},
	{ additionalProperties: false },
);
export type TextfileConfig = Static<typeof TextfileConfigSchema>;
