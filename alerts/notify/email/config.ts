import { type Static, Type } from 'typebox';
import { DURATION_PATTERN } from '../../../core/duration.ts';
import { SecretRefSchema } from '../../../core/secret.ts';
import type { AuthoredText } from '../authored.ts';
import { channelProperties } from '../channel-frame.ts';
import { checkTls, secretOf, TlsConfigSchema } from '../tls.ts';

const Address = Type.String({ minLength: 3 });
/** Host and port of the server; port 465 speaks TLS from the first byte. */
const Smarthost = Type.String({ pattern: '^[^:]+:[0-9]{1,5}$', description: 'host and port, for example mail.example.cn:25' });
const File = Type.String({ minLength: 1 });

/** Keys of `alerts.global`, with Alertmanager's names: what a mail channel does not say itself. */
export const mailDefaultProperties = {
	smtp_smarthost: Type.Optional(Smarthost),
	smtp_from: Type.Optional(Address),
	smtp_hello: Type.Optional(Type.String()),
	smtp_auth_username: Type.Optional(Type.String()),
	smtp_auth_password: Type.Optional(SecretRefSchema),
	smtp_auth_password_file: Type.Optional(File),
	smtp_auth_identity: Type.Optional(Type.String()),
	smtp_auth_secret: Type.Optional(SecretRefSchema),
	smtp_auth_secret_file: Type.Optional(File),
	smtp_require_tls: Type.Optional(Type.Boolean()),
	smtp_tls_config: Type.Optional(TlsConfigSchema),
};

/** Mail, keys as in Alertmanager where it has them. What is absent is taken from `alerts.global`. */
export const EmailConfigSchema = Type.Object(
	{
		/** `send_resolved` is true here, and false in Alertmanager: people who were woken want to know that it is over. */
		...channelProperties,
		/** Addresses, separated by commas; like `from`, `html`, `text` and `headers` a template in Alertmanager's language. */
		to: Type.String({ minLength: 3, description: 'one text, with several addresses separated by commas' }),
		from: Type.Optional(Address),
		smarthost: Type.Optional(Smarthost),
		hello: Type.Optional(Type.String()),
		auth_username: Type.Optional(Type.String()),
		auth_password: Type.Optional(SecretRefSchema),
		auth_password_file: Type.Optional(File),
		/** Whom to act for (RFC 4616, authzid), where that is not who logs in; PLAIN only. */
		auth_identity: Type.Optional(Type.String()),
		/** CRAM-MD5 instead of PLAIN or LOGIN. */
		auth_secret: Type.Optional(SecretRefSchema),
		auth_secret_file: Type.Optional(File),
		/** Refuse to send where the server offers no STARTTLS; true unless said otherwise. */
		require_tls: Type.Optional(Type.Boolean()),
		tls_config: Type.Optional(TlsConfigSchema),
		/** `Subject`, `From`, `To` and others; as templates. */
		headers: Type.Record(Type.String(), Type.String(), { default: {} }),
		/** With one of these, or a template file that replaces a default of Alertmanager's, the mail is as Alertmanager writes it. */
		html: Type.Optional(Type.String()),
		text: Type.Optional(Type.String()),
		rate_per_minute: Type.Integer({ default: 20, minimum: 1, maximum: 600 }),
		timeout: Type.String({ default: '30s', pattern: DURATION_PATTERN }),
	},
	{ additionalProperties: false },
);
type WrittenConfig = Static<typeof EmailConfigSchema>;

const MailDefaultsSchema = Type.Object(mailDefaultProperties);
export type MailDefaults = Static<typeof MailDefaultsSchema>;

/** A mail channel with everything that it needs. */
export interface EmailConfig extends Omit<WrittenConfig, 'auth_password_file' | 'auth_secret_file'> {
	readonly from: string;
	readonly smarthost: string;
	readonly require_tls: boolean;
	readonly tls_config: NonNullable<WrittenConfig['tls_config']>;
}

/** What the schema cannot say. */
export function checkEmail(config: WrittenConfig, report: (path: readonly (string | number)[], message: string) => void): void {
	const names = Object.keys(config.headers).map((name) => name.toLowerCase());
	const twice = names.find((name, i) => names.indexOf(name) !== i);
	if (twice !== undefined) report(['headers'], `the header "${twice}" is given twice`);
	if (config.tls_config !== undefined) checkTls(config.tls_config, (path, message) => report(['tls_config', ...path], message));
}

/** Every text of a mail channel that is a template. */
export function mailTexts({ to, from = '', html = '', text = '', headers }: WrittenConfig): readonly AuthoredText[] {
	const own = Object.entries({ to, from, html, text }).map(([key, template]) => ({ path: [key], text: template }));
	return [...own, ...Object.entries(headers).map(([name, template]) => ({ path: ['headers', name], text: template }))];
}

/** What is missing of a mail channel and its defaults, by the key; `null` when nothing is. */
export function missingMailKey(config: WrittenConfig, defaults: MailDefaults): { readonly key: string; readonly global: string } | null {
	if ((config.smarthost ?? defaults.smtp_smarthost) === undefined) return { key: 'smarthost', global: 'smtp_smarthost' };
	return (config.from ?? defaults.smtp_from) === undefined ? { key: 'from', global: 'smtp_from' } : null;
}

/** Nothing may be missing (`missingMailKey`). */
export function withMailDefaults(config: WrittenConfig, defaults: MailDefaults): EmailConfig {
	const { auth_password_file: passwordFile, auth_secret_file: secretFile, ...own } = config;
	const hello = own.hello ?? defaults.smtp_hello;
	const username = own.auth_username ?? defaults.smtp_auth_username;
	const identity = own.auth_identity ?? defaults.smtp_auth_identity;
	const password = secretOf(own.auth_password, passwordFile) ?? secretOf(defaults.smtp_auth_password, defaults.smtp_auth_password_file);
	const secret = secretOf(own.auth_secret, secretFile) ?? secretOf(defaults.smtp_auth_secret, defaults.smtp_auth_secret_file);
	return {
		...own,
		from: own.from ?? defaults.smtp_from ?? '',
		smarthost: own.smarthost ?? defaults.smtp_smarthost ?? '',
		require_tls: own.require_tls ?? defaults.smtp_require_tls ?? true,
		tls_config: own.tls_config ?? defaults.smtp_tls_config ?? {},
		...(hello === undefined ? {} : { hello }),
		...(username === undefined ? {} : { auth_username: username }),
		...(identity === undefined ? {} : { auth_identity: identity }),
		...(password === undefined ? {} : { auth_password: password }),
		...(secret === undefined ? {} : { auth_secret: secret }),
	};
}
