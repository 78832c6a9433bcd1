import { type Static, Type } from 'typebox';
import { SecretRefSchema } from '../../../core/secret.ts';
import { PROVIDER_MANNERS } from '../../../protocol/provider-callbacks.ts';
import { durationSchema } from '../../inputs/entry-schema.ts';

const ADDRESS = '^.+:[0-9]{1,5}$';

/** Key `relay.callbacks` of agent.yml: takes from the internet what a collector that nobody there reaches fetches. */
export const CallbacksConfigSchema = Type.Object(
	{
		/** `host:port` for providers and telephones. */
		listen: Type.String({ pattern: ADDRESS }),
		/** `host:port` at which the collector fetches; best an address that the internet does not reach. */
		collector_listen: Type.String({ pattern: ADDRESS }),
		/** Of both. */
		tls: Type.Optional(
			Type.Object({ cert_file: Type.String({ minLength: 1 }), key_file: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
		),
		/** What the collector shows to fetch anything. */
		token: SecretRefSchema,
		/** Names of the collector's `alerts.channels`. Anything else is answered with 404. */
		channels: Type.Array(
			Type.Object(
				{
					name: Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$' }),
					provider: Type.Union((Object.keys(PROVIDER_MANNERS) as (keyof typeof PROVIDER_MANNERS)[]).map((name) => Type.Literal(name))),
					/** Instead of what the provider usually wants to hear: `callback.answer` of the channel. */
					answer: Type.Optional(Type.String({ maxLength: 1000 })),
				},
				{ additionalProperties: false },
			),
			{ default: [] },
		),
		/** Whether the links of messages can be opened here. */
		ack_links: Type.Boolean({ default: false }),
		/** How long a request is held open for the collector's own answer; WeChat Work waits five seconds. */
		hold: durationSchema('4s'),
		/** Requests that are kept for the collector: of each channel, and of the links. */
		max_pending: Type.Integer({ default: 1000, minimum: 1, maximum: 100_000 }),
		/** What all of them may take on the disk. */
		max_bytes: Type.Integer({ default: 64 * 1024 * 1024, minimum: 1024 * 1024 }),
		/** What nobody fetched for so long is given up, counted and logged. */
		max_age: durationSchema('3d'),
		/** Requests a minute from one address (IPv6: one /64). */
		max_per_minute: Type.Integer({ default: 600, minimum: 1 }),
	},
	{ additionalProperties: false },
);
export type CallbacksConfig = Static<typeof CallbacksConfigSchema>;
