import { type Static, Type } from 'typebox';
import { DURATION_PATTERN } from '../../../core/duration.ts';
import { SecretRefSchema } from '../../../core/secret.ts';
import { channelProperties } from '../channel-frame.ts';

const Address = Type.String({ minLength: 3 });
/** Host and port of the server; port 465 speaks TLS from the first byte. */
const Smarthost = Type.String({ pattern: '^[^:]+:[0-9]{1,5}$' });
const File = Type.String({ minLength: 1 });

/** Keys of `alerts.global`, with Alertmanager's names: what a mail channel does not say itself. */
export const mailDefaultProperties = {
	smtp_smarthost: Type.Optional(Smarthost),
	smtp_from: Type.Optional(Address),
	smtp_hello: Type.Optional(Type.String()),
	smtp_auth_username: Type.Optional(Type.String()),
	smtp_auth_password: Type.Optional(SecretRefSchema),
	smtp_auth_password_file: Type.Optional(File),
	smtp_require_tls: Type.Optional(Type.Boolean()),
};

/** Mail, keys as in Alertmanager where it has them. What is absent is taken from `alerts.global`. */
export const EmailConfigSchema = Type.Object(
	{
		/** `send_resolved` is true here, and false in Alertmanager: people who were woken want to know that it is over. */
		...channelProperties,
		/** Addresses, separated by commas. */
		to: Address,
		from: Type.Optional(Address),
		smarthost: Type.Optional(Smarthost),
		hello: Type.Optional(Type.String()),
		auth_username: Type.Optional(Type.String()),
		auth_password: Type.Optional(SecretRefSchema),
		auth_password_file: Type.Optional(File),
		/** Refuse to send where the server offers no STARTTLS; true unless said otherwise. */
		require_tls: Type.Optional(Type.Boolean()),
		tls_config: Type.Object({ ca_file: Type.Optional(Type.String({ minLength: 1 })) }, { additionalProperties: false, default: {} }),
		rate_per_minute: Type.Integer({ default: 20, minimum: 1, maximum: 600 }),
		timeout: Type.String({ default: '30s', pattern: DURATION_PATTERN }),
	},
	{ additionalProperties: false },
);
type WrittenConfig = Static<typeof EmailConfigSchema>;

const MailDefaultsSchema = Type.Object(mailDefaultProperties);
export type MailDefaults = Static<typeof MailDefaultsSchema>;

/** A mail channel with everything that it needs. */
export interface EmailConfig extends Omit<WrittenConfig, 'auth_password_file'> {
	readonly from: string;
	readonly smarthost: string;
	readonly require_tls: boolean;
}

/** What is missing of a mail channel and its defaults, by the key; `null` when nothing is. */
export function missingMailKey(config: WrittenConfig, defaults: MailDefaults): 'smarthost' | 'from' | null {
	if ((config.smarthost ?? defaults.smtp_smarthost) === undefined) return 'smarthost';
	return (config.from ?? defaults.smtp_from) === undefined ? 'from' : null;
}

/** Nothing may be missing (`missingMailKey`). */
export function withMailDefaults(config: WrittenConfig, defaults: MailDefaults): EmailConfig {
	const { auth_password_file: file, ...own } = config;
	const { smtp_auth_password_file: defaultFile } = defaults;
	const hello = own.hello ?? defaults.smtp_hello;
	const username = own.auth_username ?? defaults.smtp_auth_username;
	const password =
		own.auth_password ??
		(file === undefined ? defaults.smtp_auth_password : { file }) ??
		(defaultFile === undefined ? undefined : { file: defaultFile });
	return {
		...own,
		from: own.from ?? defaults.smtp_from ?? '',
		smarthost: own.smarthost ?? defaults.smtp_smarthost ?? '',
		require_tls: own.require_tls ?? defaults.smtp_require_tls ?? true,
		...(hello === undefined ? {} : { hello }),
		...(username === undefined ? {} : { auth_username: username }),
		...(password === undefined ? {} : { auth_password: password }),
	};
}
