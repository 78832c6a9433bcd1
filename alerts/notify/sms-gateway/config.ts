import { Type } from 'typebox';
import { SecretRefSchema } from '../../../core/secret.ts';
import { PROVIDER_MANNERS } from '../../../protocol/provider-callbacks.ts';
import { httpChannelProperties, phoneNumber, receiptProperties } from '../channel-frame.ts';

/** Paths are dotted, into a JSON body, a form or the query; a body that is a list is read entry by entry. */
export const GatewayCallbackSchema = Type.Object(
	{
		/** List of entries inside of the body; absent when the body is the list, or one entry. */
		items: Type.Optional(Type.String()),
		/** Of a receipt: the platform's id of the message, the recipient, the state and the values that mean arrived. */
		message_id: Type.Optional(Type.String()),
		phone: Type.String({ default: 'mobile' }),
		state: Type.Optional(Type.String()),
		delivered: Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean()]), { default: ['DELIVRD'] }),
		/** Of a reply: its text. An entry that has it is a reply, any other a receipt. */
		content: Type.Optional(Type.String()),
		/** What the platform wants to hear. */
		answer: Type.String({ default: PROVIDER_MANNERS.sms_gateway.taken }),
	},
	{ additionalProperties: false },
);

const Texts = Type.Record(Type.String(), Type.String());

/**
 * Any SMS platform that takes one HTTP request. Texts under `form`, `json`, `text`, `headers` and `digest.input` may hold
 * placeholders: `{content}`, `{phones}`, `{phone}`, `{id}`, `{number}`, `{unix}`, `{unix_ms}`, `{datetime}` (yyyyMMddHHmmss,
 * Beijing time), `{digest}`, and `{secret.NAME}` from `secrets`.
 */
export const SmsGatewayConfigSchema = Type.Object(
	{
		...httpChannelProperties,
		...receiptProperties,
		url: Type.Union([Type.String({ pattern: '^https?://' }), SecretRefSchema]),
		method: Type.Union([Type.Literal('GET'), Type.Literal('POST'), Type.Literal('PUT')], { default: 'POST' }),
		headers: Type.Record(Type.String(), Type.String(), { default: {} }),
		/** Exactly one of the three. With `GET`, `form` becomes the query. */
		form: Type.Optional(Texts),
		json: Type.Optional(Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]))),
		text: Type.Optional(Type.String()),
		/** Send the body as base64, as China Mobile's MAS asks. */
		base64: Type.Boolean({ default: false }),
		charset: Type.Union([Type.Literal('utf8'), Type.Literal('gbk')], { default: 'utf8' }),
		secrets: Type.Record(Type.String(), SecretRefSchema, { default: {} }),
		digest: Type.Optional(
			Type.Object(
				{
					algorithm: Type.Union([
						Type.Literal('md5'),
						Type.Literal('sha1'),
						Type.Literal('sha256'),
						Type.Literal('sm3'),
						Type.Literal('hmac-md5'),
						Type.Literal('hmac-sha1'),
						Type.Literal('hmac-sha256'),
						Type.Literal('hmac-sm3'),
					]),
					input: Type.String(),
					/** Name of an entry of `secrets`, for the hmac ones. */
					key: Type.Optional(Type.String()),
					encoding: Type.Union([Type.Literal('hex'), Type.Literal('HEX'), Type.Literal('base64')], { default: 'hex' }),
				},
				{ additionalProperties: false },
			),
		),
		phones: Type.Array(phoneNumber, { minItems: 1 }),
		phone_separator: Type.String({ default: ',' }),
		/** More recipients than this make several requests, each with its own record. */
		max_phones: Type.Integer({ default: 100, minimum: 1, maximum: 1000 }),
		/** What makes an answer a success; all that is given must hold. Never the status alone unless nothing else is given. */
		success: Type.Object(
			{
				status: Type.Array(Type.Integer(), { default: [200] }),
				/** Dotted path into a JSON answer and the values that mean success. */
				json_path: Type.Optional(Type.String()),
				equals: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean()]))),
				/** RE2 expression that the text of the answer must contain. */
				matches: Type.Optional(Type.String()),
			},
			{ additionalProperties: false, default: {} },
		),
		/** Values at `success.json_path` that no repetition will change: a blocked number, a refused text. */
		refused_codes: Type.Array(Type.Union([Type.String(), Type.Number()]), { default: [] }),
		/** The provider's 【signature】, counted and put in front; empty when the platform adds it itself, then see `signature_reserve`. */
		signature: Type.String({ default: '' }),
		/** Characters that the platform adds. */
		signature_reserve: Type.Integer({ default: 0, minimum: 0, maximum: 60 }),
		/** Parts a text may be split into: one is 70 characters, more are 67 each. */
		max_parts: Type.Integer({ default: 2, minimum: 1, maximum: 7 }),
		rate_per_minute: Type.Integer({ default: 10, minimum: 1 }),
		/** Dotted path in the answer to the platform's own id of the message, by which its receipts name it. */
		message_id_path: Type.Optional(Type.String()),
		/** How the platform's callbacks are read: receipts, and what people reply. */
		callback: Type.Optional(GatewayCallbackSchema),
	},
	{ additionalProperties: false },
);
