import type { AlertsConfig } from './config.ts';

/** What a configuration may say, and its operator should know every time that it is read. */
export interface ConfigWarning {
	readonly path: readonly (string | number)[];
	readonly message: string;
}

/** Ways out that trust any certificate: whoever stands in between reads the messages and answers for the service. */
export function configWarnings(config: AlertsConfig): readonly ConfigWarning[] {
	const found: ConfigWarning[] = [];
	const visit = (value: unknown, path: readonly (string | number)[]) => {
		if (typeof value !== 'object' || value === null) return;
		for (const [key, inner] of Object.entries(value)) {
			const at = [...path, Array.isArray(value) ? Number(key) : key];
			if (key === 'insecure_skip_verify' && inner === true) found.push({ path: at, message: UNVERIFIED });
			visit(inner, at);
		}
	};
	visit(config, []);
	return found;
}

const UNVERIFIED =
	'the certificate is not checked, so whoever stands in between can read the messages, the secrets beside them, and answer; give the authority as ca_file, and server_name where the name differs';
