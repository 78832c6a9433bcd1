import { readFileSync } from 'node:fs';
import type { SecureVersion } from 'node:tls';
import { type Static, Type } from 'typebox';
import { AppError, systemErrorCode } from '../../core/errors.ts';
import { type Secret, type SecretRef, SecretRefSchema } from '../../core/secret.ts';

const File = Type.String({ minLength: 1 });
const TlsVersion = Type.Union((['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const).map((version) => Type.Literal(version)));

/** TLS with Alertmanager's names. */
export const TlsConfigSchema = Type.Object(
	{
		/** PEM, or a file of it. */
		ca: Type.Optional(Type.String({ minLength: 1 })),
		ca_file: Type.Optional(File),
		/** What we show to a service that asks for it. */
		cert: Type.Optional(Type.String({ minLength: 1 })),
		cert_file: Type.Optional(File),
		key: Type.Optional(SecretRefSchema),
		key_file: Type.Optional(File),
		/** The name in the service's certificate, where it is not that of the address. */
		server_name: Type.Optional(Type.String({ minLength: 1 })),
		min_version: Type.Optional(TlsVersion),
		max_version: Type.Optional(TlsVersion),
		/** Trusts any certificate; `configWarnings` speaks of it. */
		insecure_skip_verify: Type.Optional(Type.Boolean()),
	},
	{ additionalProperties: false, default: {} },
);
export type TlsConfig = Static<typeof TlsConfigSchema>;

type Report = (path: readonly (string | number)[], message: string) => void;

export function checkTls(config: TlsConfig, report: Report): void {
	for (const [inline, file] of [
		['ca', 'ca_file'],
		['cert', 'cert_file'],
		['key', 'key_file'],
	] as const)
		if (config[inline] !== undefined && config[file] !== undefined) report([file], `give "${inline}" or "${file}", not both`);
	const certificate = config.cert ?? config.cert_file;
	if ((certificate === undefined) !== ((config.key ?? config.key_file) === undefined))
		report([], 'a certificate and its key belong together: give cert_file and key_file, or neither');
}

/** A secret by either of the ways in which Alertmanager and we name it; `undefined` when neither is given. */
export function secretOf(inline: SecretRef | undefined, file: string | undefined): SecretRef | undefined {
	return inline ?? (file === undefined ? undefined : { file });
}

interface TlsOptions {
	readonly ca?: string;
	readonly cert?: string;
	readonly key?: string;
	readonly servername?: string;
	readonly minVersion?: SecureVersion;
	readonly maxVersion?: SecureVersion;
	readonly rejectUnauthorized?: false;
}

/** For `node:tls`. Throws `FN_ALERTS_CA_UNREADABLE` and `FN_SECRET_UNREADABLE`. */
export function tlsOptions(config: TlsConfig, secret: (ref: SecretRef) => Secret): TlsOptions {
	const ca = config.ca ?? readPem(config.ca_file, 'ca_file');
	const cert = config.cert ?? readPem(config.cert_file, 'cert_file');
	const key = secretOf(config.key, config.key_file);
	return {
		...(ca === undefined ? {} : { ca }),
		...(cert === undefined ? {} : { cert }),
		...(key === undefined ? {} : { key: secret(key).reveal() }),
		...(config.server_name === undefined ? {} : { servername: config.server_name }),
		...(config.min_version === undefined ? {} : { minVersion: nodeVersion(config.min_version) }),
		...(config.max_version === undefined ? {} : { maxVersion: nodeVersion(config.max_version) }),
		...(config.insecure_skip_verify === true ? { rejectUnauthorized: false } : {}),
	};
}

function nodeVersion(version: NonNullable<TlsConfig['min_version']>): SecureVersion {
	return ({ TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const)[version];
}

function readPem(file: string | undefined, key: string): string | undefined {
	if (file === undefined) return undefined;
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		throw new AppError(
			'FN_ALERTS_CA_UNREADABLE',
			`the file ${file} cannot be read (${systemErrorCode(error)}); correct tls_config.${key}`,
			{ cause: error },
		);
	}
}
