import { readFileSync } from 'node:fs';
import { AppError, systemErrorCode } from '../core/errors.ts';

/** Reads the file at each use, so that it can be replaced; the first read happens at once, so that a wrong path is an error of the start. */
export function caReader(file: string): () => string {
	readCaFile(file);
	return () => readCaFile(file);
}

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
