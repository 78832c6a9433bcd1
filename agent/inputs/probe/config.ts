import { type Static, Type } from 'typebox';
import { durationSchema, entryProperties } from '../entry-schema.ts';

const { interval, labels } = entryProperties();

export const ProbeConfigSchema = Type.Object(
	{
		/** Name of the check; services refer to it, so it is unique in the whole installation. */
		id: Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]*$' }),
		kind: Type.Union([Type.Literal('http'), Type.Literal('tcp')]),
		/** `http`: an address `http://…` or `https://…`; `tcp`: `host:port`. */
		target: Type.String({ minLength: 1 }),
		interval,
		timeout: durationSchema('3s'),
		/** Where the last answer is slower than this the check is degraded, although it succeeds. */
		degraded_after: Type.Optional(durationSchema()),
		expect: Type.Object(
			{
				/** Accepted statuses. Default: 200 to 399. */
				status: Type.Optional(Type.Array(Type.Integer({ minimum: 100, maximum: 599 }), { minItems: 1 })),
				/** Text that the body must contain. */
				text: Type.Optional(Type.String({ minLength: 1 })),
			},
			{ additionalProperties: false, default: {} },
		),
		/** PEM file of a private CA for `https:`. */
		ca_file: Type.Optional(Type.String({ minLength: 1 })),
		labels,
	},
	{ additionalProperties: false },
);
export type ProbeConfig = Static<typeof ProbeConfigSchema>;
