import { type Static, Type } from 'typebox';

/** Limits of what senders may send; key `limits` of `server` in collector.yml. Every refusal names the series and the limit. */
export const IngestLimitsSchema = Type.Object(
	{
		max_body_bytes: Type.Integer({ minimum: 1024, default: 16 * 1024 * 1024, description: 'Compressed size of a write request.' }),
		max_decoded_bytes: Type.Integer({
			minimum: 1024,
			default: 64 * 1024 * 1024,
			description: 'Size of a write request once decompressed.',
		}),
		max_labels: Type.Integer({ minimum: 2, default: 64, description: 'Labels of a series, its name included.' }),
		max_label_name_bytes: Type.Integer({ minimum: 8, default: 256 }),
		max_label_value_bytes: Type.Integer({ minimum: 8, default: 4096 }),
	},
	{ additionalProperties: false, default: {} },
);
export type IngestLimits = Static<typeof IngestLimitsSchema>;
