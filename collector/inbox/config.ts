import { Type } from 'typebox';
import { DURATION_PATTERN } from '../../core/duration.ts';

/** Key `server.inbox` of collector.yml: folders into which a gap device or a carrier puts the transfer files of agents. */
export const InboxConfigSchema = Type.Array(
	Type.Object(
		{
			/** The path, as metrics and messages call it. */
			name: Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$' }),
			folder: Type.String({ minLength: 1 }),
			/** How long files usually take, and may overtake each other, before a missing one counts as lost. */
			delay: Type.String({ pattern: DURATION_PATTERN, default: '10m' }),
			/** How often the folder is looked at. */
			every: Type.String({ pattern: DURATION_PATTERN, default: '5s' }),
			/** Senders whose keys were brought by hand; those of enrolled agents are known. */
			senders: Type.Array(
				Type.Object(
					{ name: Type.String({ minLength: 1 }), public_key_file: Type.String({ minLength: 1 }) },
					{ additionalProperties: false },
				),
				{ default: [] },
			),
		},
		{ additionalProperties: false },
	),
	{ default: [] },
);
