import { Type } from 'typebox';
import { DURATION_PATTERN } from '../../../core/duration.ts';
import { SecretRefSchema } from '../../../core/secret.ts';
import { channelProperties, phoneNumber } from '../channel-frame.ts';
import { DEFAULT_TIMEOUT } from '../notifier.ts';

/** Short messages over a carrier's gateway by CMPP 2.0 or 3.0; receipts and replies come in on the same connection. */
export const CmppConfigSchema = Type.Object(
	{
		...channelProperties,
		host: Type.String({ minLength: 1 }),
		port: Type.Integer({ default: 7890, minimum: 1, maximum: 65_535 }),
		version: Type.Union([Type.Literal('2.0'), Type.Literal('3.0')], { default: '2.0' }),
		/** SP_Id: six characters, the account. */
		source_addr: Type.String({ minLength: 1, maxLength: 6 }),
		secret: SecretRefSchema,
		/** The service number that people see and reply to. */
		src_id: Type.String({ pattern: '^[0-9]{1,20}$' }),
		service_id: Type.String({ default: '', maxLength: 10 }),
		phones: Type.Array(phoneNumber, { minItems: 1, maxItems: 100 }),
		/** The provider's 【signature】, counted and put in front; empty when the gateway adds it. */
		signature: Type.String({ default: '' }),
		signature_reserve: Type.Integer({ default: 0, minimum: 0, maximum: 60 }),
		max_parts: Type.Integer({ default: 2, minimum: 1, maximum: 7 }),
		/** Submits that may be unanswered at a time; 16 by the protocol. */
		window: Type.Integer({ default: 16, minimum: 1, maximum: 64 }),
		active_test: Type.String({ default: '60s', pattern: DURATION_PATTERN }),
		receipt_timeout: Type.Optional(Type.String({ pattern: DURATION_PATTERN })),
		timeout: Type.String({ default: DEFAULT_TIMEOUT, pattern: DURATION_PATTERN }),
		rate_per_minute: Type.Integer({ default: 10, minimum: 1 }),
	},
	{ additionalProperties: false },
);
