import { Type } from 'typebox';
import { SecretRefSchema } from '../../../core/secret.ts';
import { httpChannelProperties, phoneNumber, receiptProperties } from '../channel-frame.ts';

/** Short messages by China Mobile's cloud MAS (云 MAS). */
export const MasSmsConfigSchema = Type.Object(
	{
		...httpChannelProperties,
		...receiptProperties,
		/** Scheme and host of the city's MAS; `/sms/norsubmit` is appended. */
		base_url: Type.String({ pattern: '^https?://' }),
		/** Name of the enterprise (集团客户名称), as on the contract. */
		ec_name: Type.String({ minLength: 1 }),
		ap_id: Type.String({ minLength: 1 }),
		secret_key: SecretRefSchema,
		/** Code of the signature; MAS adds the text of it. */
		sign: Type.String({ minLength: 1 }),
		/** Characters that the signature takes. */
		signature_reserve: Type.Integer({ default: 12, minimum: 0, maximum: 60 }),
		/** Extension of the service number, under which replies come back. */
		add_serial: Type.String({ default: '', pattern: '^[0-9]*$' }),
		phones: Type.Array(phoneNumber, { minItems: 1, maxItems: 1000 }),
		max_parts: Type.Integer({ default: 2, minimum: 1, maximum: 7 }),
		rate_per_minute: Type.Integer({ default: 10, minimum: 1 }),
	},
	{ additionalProperties: false },
);
