import { type Static, Type } from 'typebox';
import { durationSchema } from '../entry-schema.ts';

export const HostConfigSchema = Type.Object(
	{
		enabled: Type.Boolean({ default: true }),
		interval: Type.Optional(durationSchema()),
		timeout: durationSchema('5s'),
		/** Regular expression of mount points that are not measured, besides the kernel's own. */
		mounts_exclude: Type.String({ default: '' }),
	},
	{ additionalProperties: false, default: {} },
);
export type HostConfig = Static<typeof HostConfigSchema>;
