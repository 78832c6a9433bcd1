import { Type } from 'typebox';
import { SecretRefSchema } from '../../core/secret.ts';
import { durationSchema } from '../inputs/entry-schema.ts';

/** Key `last_resort` of agent.yml: one message when nobody can be told by the collector that monitoring is blind. */
export const LastResortConfigSchema = Type.Optional(
	Type.Object(
		{
			/** How long the collector must have been out of reach. */
			after: durationSchema('15m'),
			/** `wechat_robot`: a group robot of WeChat Work. `webhook`: JSON `{ text, host, since }`, for example to an SMS gateway's adapter. */
			channel: Type.Union([Type.Literal('wechat_robot'), Type.Literal('webhook')]),
			/** The channel's address, which usually carries its key. */
			url: SecretRefSchema,
			ca_file: Type.Optional(Type.String({ minLength: 1 })),
			/**
			 * `host:port` of the agents that have this key, in the same order everywhere, this one included. The first that can be reached
			 * and is blind itself sends; without a list each agent would.
			 */
			agents: Type.Array(Type.String({ pattern: '^(\\[[0-9a-fA-F:.]+\\]|[^\\s:/]+):[0-9]{1,5}$' }), { minItems: 1, maxItems: 50 }),
			/** Which of them this agent is. */
			self: Type.String({ minLength: 1 }),
		},
		{ additionalProperties: false },
	),
);
