import { type Static, Type } from 'typebox';
import { durationSchema } from '../entry-schema.ts';

export const NtpConfigSchema = Type.Object(
	{
		/** `sntp` asks a time server; `chrony` asks chronyd on this host for its own view. */
		kind: Type.Union([Type.Literal('sntp'), Type.Literal('chrony')], { default: 'sntp' }),
		/** `host` or `host:port`; port 123 unless given, for chrony 323. */
		server: Type.String({ minLength: 1 }),
		/** Public servers refuse clients that ask more often than every 15 s. */
		interval: durationSchema('60s'),
		timeout: durationSchema('3s'),
	},
	{ additionalProperties: false },
);
export type NtpConfig = Static<typeof NtpConfigSchema>;
