import { type Static, Type } from 'typebox';
import { durationSchema } from '../entry-schema.ts';

export const ExecConfigSchema = Type.Object(
	{
		/** Label `exec`. */
		id: Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]*$' }),
		/** The program by its absolute path and its arguments. No shell takes part. */
		command: Type.Array(Type.String(), { minItems: 1, maxItems: 100 }),
		/** `prometheus`: exposition text on standard output. `nagios`: exit code 0 to 3, a line of text, performance data behind `|`. */
		format: Type.Union([Type.Literal('prometheus'), Type.Literal('nagios')], { default: 'prometheus' }),
		interval: durationSchema('1m'),
		timeout: durationSchema('10s'),
		max_output: Type.Integer({ default: 256 * 1024, minimum: 1024, maximum: 8 * 1024 * 1024 }),
		working_directory: Type.Optional(Type.String({ minLength: 1 })),
		/** The whole environment besides PATH, LANG. */
		environment: Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), Type.String(), { default: {} }),
		labels: Type.Record(Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' }), Type.String(), { default: {} }),
	},
	{ additionalProperties: false },
);
export type ExecConfig = Static<typeof ExecConfigSchema>;
