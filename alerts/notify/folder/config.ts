import { Type } from 'typebox';
import { channelProperties } from '../channel-frame.ts';

/** Files in a folder, for networks without any channel: a gap device, a printer, another program takes them from there. */
export const FolderConfigSchema = Type.Object(
	{
		...channelProperties,
		/** An absolute path; it must exist. */
		path: Type.String({ pattern: '^/' }),
		/** `text`: what people read; `json`: Alertmanager's webhook body. */
		format: Type.Union([Type.Literal('text'), Type.Literal('json')], { default: 'text' }),
		/** When so many lie there, nobody takes them, and further ones wait. */
		max_files: Type.Integer({ default: 10_000, minimum: 1 }),
		rate_per_minute: Type.Integer({ default: 600, minimum: 1 }),
	},
	{ additionalProperties: false },
);
