import { Type } from 'typebox';
import { durationSchema } from '../inputs/entry-schema.ts';

/** Key `central` of agent.yml: how far this host lets the collector say what is watched. Only enrolled agents ask. */
export const CentralConfigSchema = Type.Object(
	{
		enabled: Type.Boolean({ default: true }),
		/** How often the collector is asked. */
		interval: durationSchema('1m'),
		/** Secrets are named by the collector and stay here: `{ file: NAME }` means this folder's file, and nothing else is read. */
		secrets_dir: Type.String({ default: '/etc/fournines/secrets', minLength: 1 }),
		/** Folders below which the collector may have log files followed. */
		log_folders: Type.Array(Type.String({ pattern: '^/' }), { default: ['/var/log'] }),
		/** Whether the collector may have programs run. */
		allow_exec: Type.Boolean({ default: false }),
	},
	{ additionalProperties: false, default: {} },
);
