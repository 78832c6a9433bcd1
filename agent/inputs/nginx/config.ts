import { type Static, Type } from 'typebox';
import { entryProperties } from '../entry-schema.ts';

export const NginxConfigSchema = Type.Object(
	{
		/** Address of `stub_status`, for example `http://127.0.0.1/nginx_status`. */
		url: Type.String({ pattern: '^https?://' }),
		...entryProperties(),
	},
	{ additionalProperties: false },
);
export type NginxConfig = Static<typeof NginxConfigSchema>;
