import { type Static, Type } from 'typebox';
import { SecretRefSchema } from '../../../core/secret.ts';
import type { AuthoredText } from '../authored.ts';
import { httpChannelProperties } from '../channel-frame.ts';
import { secretOf } from '../tls.ts';

const Key = Type.Optional(Type.String({ minLength: 1 }));
/** What the id of an application is, written or by a template. */
export const AGENT_ID = /^[0-9]+$/;
const ApiUrl = Type.Optional(Type.String({ pattern: '^https?://' }));
/** Alertmanager's own; everything behind it is `gettoken` and `message/send`. */
const API_URL = 'https://qyapi.weixin.qq.com/cgi-bin/';

/** Keys of `alerts.global`, with Alertmanager's names. */
export const wechatDefaultProperties = {
	wechat_api_url: ApiUrl,
	wechat_api_corp_id: Key,
	wechat_api_secret: Type.Optional(SecretRefSchema),
	wechat_api_secret_file: Key,
};

/**
 * Alertmanager's `wechat_configs`: an application of WeChat Work without buttons. Recipients, ids and `message` are templates.
 * `wechat_app` is the same interface with buttons and receipts.
 */
export const WechatConfigSchema = Type.Object(
	{
		...httpChannelProperties,
		api_url: ApiUrl,
		corp_id: Key,
		api_secret: Type.Optional(SecretRefSchema),
		api_secret_file: Key,
		agent_id: Type.Optional(Type.Union([Type.String(), Type.Integer({ minimum: 0 })])),
		/** Separated by `|`; `@all` for everybody who sees the application. */
		to_user: Type.Optional(Type.String()),
		to_party: Type.Optional(Type.String()),
		to_tag: Type.Optional(Type.String()),
		message: Type.Optional(Type.String()),
		message_type: Type.Union([Type.Literal('text'), Type.Literal('markdown')], { default: 'text' }),
		/** A member gets 30 a minute; the excess is dropped without a word. */
		rate_per_minute: Type.Integer({ default: 25, minimum: 1, maximum: 30 }),
	},
	{ additionalProperties: false },
);
type WrittenConfig = Static<typeof WechatConfigSchema>;

const WechatDefaultsSchema = Type.Object(wechatDefaultProperties);
type WechatDefaults = Static<typeof WechatDefaultsSchema>;

/** With everything that it needs. */
export interface WechatConfig extends Omit<WrittenConfig, 'api_secret_file' | 'api_url' | 'corp_id' | 'api_secret' | 'agent_id'> {
	/** Scheme and host, as the account's other interfaces name it. */
	readonly base_url: string;
	readonly corp_id: string;
	readonly secret: NonNullable<WrittenConfig['api_secret']>;
	readonly agent_id: string;
}

/** What the schema cannot say. */
export function checkWechat(config: WrittenConfig, report: (path: readonly (string | number)[], message: string) => void): void {
	const agent = String(config.agent_id ?? '');
	if (!agent.includes('{{') && !AGENT_ID.test(agent))
		report(['agent_id'], `the id of an application is a number, but it is ${JSON.stringify(config.agent_id ?? 'missing')}`);
	checkApiUrl(config.api_url, (message) => report(['api_url'], message));
}

function checkApiUrl(url: string | undefined, report: (message: string) => void): void {
	if (url !== undefined && !/\/cgi-bin\/?$/.test(url)) report(`"${url}" must end in /cgi-bin/, as ${API_URL} does`);
}

/** Every text that is a template. */
export function wechatTexts(config: WrittenConfig): readonly AuthoredText[] {
	return (['message', 'corp_id', 'agent_id', 'to_user', 'to_party', 'to_tag'] as const).map((key) => ({
		path: [key],
		text: String(config[key] ?? ''),
	}));
}

/** What is missing of a channel and its defaults; `null` when nothing is. */
export function missingWechatKey(
	config: WrittenConfig,
	defaults: WechatDefaults,
): { readonly key: string; readonly global: string } | null {
	if ((config.corp_id ?? defaults.wechat_api_corp_id) === undefined) return { key: 'corp_id', global: 'wechat_api_corp_id' };
	return secretRef(config, defaults) === undefined ? { key: 'api_secret_file', global: 'wechat_api_secret_file' } : null;
}

/** Nothing may be missing (`missingWechatKey`). */
export function withWechatDefaults(config: WrittenConfig, defaults: WechatDefaults): WechatConfig {
	const { api_secret: _secret, api_secret_file: _file, api_url: url = defaults.wechat_api_url ?? API_URL, ...own } = config;
	return {
		...own,
		base_url: url.replace(/\/cgi-bin\/?$/, ''),
		corp_id: own.corp_id ?? defaults.wechat_api_corp_id ?? '',
		agent_id: String(own.agent_id ?? ''),
		secret: secretRef(config, defaults) ?? { file: '' },
	};
}

function secretRef(config: WrittenConfig, defaults: WechatDefaults): WrittenConfig['api_secret'] {
	return secretOf(config.api_secret, config.api_secret_file) ?? secretOf(defaults.wechat_api_secret, defaults.wechat_api_secret_file);
}
