import { Type } from 'typebox';
import type { Secret, SecretRef } from '../../../core/secret.ts';
import { SecretRefSchema } from '../../../core/secret.ts';
import { readCaFile } from '../../ca-file.ts';
import type { SqlServer } from './session.ts';

/** How a database is reached, in every input that reads one. */
export function sqlServerProperties() {
	return {
		/** `host:port` or the path of a socket. */
		address: Type.String({ minLength: 1 }),
		username: Type.String({ minLength: 1 }),
		password: Type.Optional(SecretRefSchema),
		database: Type.String({ default: '' }),
		/** PEM file of the CA of the server's certificate; without it the connection has no TLS. */
		ca_file: Type.Optional(Type.String({ minLength: 1 })),
	};
}

export function sqlServer(
	entry: {
		readonly address: string;
		readonly username: string;
		readonly password?: SecretRef;
		readonly database: string;
		readonly ca_file?: string;
	},
	secret: (ref: SecretRef | undefined) => () => Secret | null,
): SqlServer {
	return {
		address: entry.address,
		username: entry.username,
		password: secret(entry.password),
		database: entry.database,
		ca: entry.ca_file === undefined ? null : readCaFile(entry.ca_file),
	};
}
