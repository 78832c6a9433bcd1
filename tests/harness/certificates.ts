import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand, runCommand, temporaryFolder } from './process.ts';

export interface IssuedCertificate {
	readonly certFile: string;
	readonly keyFile: string;
	readonly cert: string;
	readonly key: string;
}

export interface CertificateAuthority {
	readonly caFile: string;
	readonly ca: string;
	/** `days` may be negative: then the certificate has expired already. */
	issue(name: string, options?: { readonly names?: readonly string[]; readonly days?: number }): IssuedCertificate;
	/** A self-signed certificate with a key of the national algorithm SM2. */
	issueSm2(name: string): IssuedCertificate;
	remove(): void;
}

export function available(): boolean {
	return findCommand('openssl') !== null;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A certification authority of its own in a temporary folder. */
export function createAuthority(): CertificateAuthority {
	const openssl = findCommand('openssl') ?? 'openssl';
	const folder = temporaryFolder('certificates');
	const at = (name: string) => join(folder.path, name);
	const read = (certFile: string, keyFile: string): IssuedCertificate => ({
		certFile,
		keyFile,
		cert: readFileSync(certFile, 'utf8'),
		key: readFileSync(keyFile, 'utf8'),
	});
	const caFile = at('ca.pem');
	const subject = ['-subj', '/CN=Test CA', '-addext', 'basicConstraints=critical,CA:TRUE'];
	runCommand(openssl, ['req', '-x509', ...KEY, '-keyout', at('ca.key'), '-out', caFile, '-days', '30', ...subject]);
	return {
		caFile,
		ca: readFileSync(caFile, 'utf8'),
		issue: (name, { names = [`DNS:${name}`], days = 10 } = {}) => {
			const [key, request, cert, extensions] = [at(`${name}.key`), at(`${name}.csr`), at(`${name}.pem`), at(`${name}.ext`)];
			writeFileSync(extensions, `basicConstraints=critical,CA:FALSE\nsubjectAltName=${names.join(',')}\n`);
			runCommand(openssl, ['req', ...KEY, '-keyout', key, '-out', request, '-subj', `/CN=${name}`]);
			const signer = ['-CA', caFile, '-CAkey', at('ca.key'), '-CAcreateserial', '-days', String(days), '-extfile', extensions];
			runCommand(openssl, ['x509', '-req', '-in', request, ...signer, '-out', cert]);
			return read(cert, key);
		},
		issueSm2: (name) => {
			const [key, cert] = [at(`${name}.key`), at(`${name}.pem`)];
			runCommand(openssl, [
				'req',
				'-x509',
				'-newkey',
				'sm2',
				'-nodes',
				'-sm3',
				'-keyout',
				key,
				'-out',
				cert,
				'-days',
				'5',
				'-subj',
				`/CN=${name}`,
			]);
			return read(cert, key);
		},
		remove: () => folder.remove(),
	};
}
