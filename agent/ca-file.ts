import { readFileSync } from 'node:fs';
import { AppError, systemErrorCode } from '../core/errors.ts';

/** PEM text of a private CA. Throws `FN_AGENT_CA_UNREADABLE`. */
export function readCaFile(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		throw new AppError('FN_AGENT_CA_UNREADABLE', `the CA file ${file} cannot be read (${systemErrorCode(error)}); check ca_file`, {
			cause: error,
		});
	}
}
