import { Type } from 'typebox';
import { durationSchema } from '../inputs/entry-schema.ts';
import { CallbacksConfigSchema } from './callbacks/config.ts';

/** Key `relay` of agent.yml: this agent passes a zone on that does not reach the collector itself. */
export const RelayConfigSchema = Type.Optional(
	Type.Object(
		{
			/** `host:port` that the agents of the zone have as their `collector.url`. What they send goes on as it is, with their own keys. */
			listen: Type.Optional(Type.String({ pattern: '^.+:[0-9]{1,5}$' })),
			tls: Type.Optional(
				Type.Object({ cert_file: Type.String({ minLength: 1 }), key_file: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
			),
			/** Takes from the internet what a collector that nobody there reaches fetches: callbacks of providers, links of messages. */
			callbacks: Type.Optional(CallbacksConfigSchema),
			/** Folders into which a gap device puts transfer files. They go on unopened, to the collector or into this agent's outbox. */
			inbox: Type.Array(
				Type.Object(
					{
						folder: Type.String({ minLength: 1 }),
						every: durationSchema('5s'),
						/** How long a file may wait for those before it until these count as lost. */
						delay: durationSchema('10m'),
					},
					{ additionalProperties: false },
				),
				{ default: [] },
			),
		},
		{ additionalProperties: false },
	),
);
