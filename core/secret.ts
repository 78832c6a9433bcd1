import { readFileSync } from 'node:fs';
import { type Static, Type } from 'typebox';
import { AppError, systemErrorCode } from './errors.ts';

/** Where a secret is read from. It is never written inline, so that a configuration file can be shown to anybody. */
export const SecretRefSchema = Type.Union([
	Type.Object({ file: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
	Type.Object({ env: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
]);
export type SecretRef = Static<typeof SecretRefSchema>;

/** A secret that can be carried around but not printed: text, JSON and inspection all show `[redacted]`. */
export class Secret {
	readonly #value: string;

	constructor(value: string) {
		this.#value = value;
	}

	/** The value itself. Call it as late as possible and never keep the result. */
	reveal(): string {
		return this.#value;
	}

	toString(): string {
		return '[redacted]';
	}

	toJSON(): string {
		return '[redacted]';
	}

	[Symbol.for('nodejs.util.inspect.custom')](): string {
		return '[redacted]';
	}
}

/** Reads the secret, without the line break that editors append. Throws `FN_SECRET_UNREADABLE`, which names the place and never the content. */
export function resolveSecret(ref: SecretRef, env: Readonly<Record<string, string | undefined>>): Secret {
	if ('env' in ref) {
		const value = env[ref.env];
		if (value === undefined || value === '') {
			throw new AppError(
				'FN_SECRET_UNREADABLE',
				`environment variable ${ref.env}, which should hold a secret, is not set; set it in the service's environment`,
			);
		}
		return new Secret(value);
	}
	let text: string;
	try {
		text = readFileSync(ref.file, 'utf8');
	} catch (error) {
		throw new AppError(
			'FN_SECRET_UNREADABLE',
			`secret file ${ref.file} cannot be read (${systemErrorCode(error)}); create it, readable only by the service's user`,
			{ cause: error },
		);
	}
	const value = text.replace(/\r?\n$/, '');
	if (value === '') throw new AppError('FN_SECRET_UNREADABLE', `secret file ${ref.file} is empty; write the secret into it`);
	return new Secret(value);
}
