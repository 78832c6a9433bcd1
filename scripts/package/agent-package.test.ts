import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { buildAgentPackage } from './build-agent-packages.ts';
import { runtimeVersion } from './node-runtime.ts';

let folder: TemporaryFolder;
let unpacked: string;
const at = (...parts: string[]) => join(folder.path, ...parts);
const sh = (command: string, args: readonly string[], cwd = folder.path) => spawnSync(command, [...args], { cwd, encoding: 'utf8' });

beforeAll(async () => {
	folder = temporaryFolder('package');
	for (const name of ['release', 'other']) {
		const { privateKey, publicKey } = generateKeyPairSync('ed25519');
		writeFileSync(at(`${name}.key`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
		writeFileSync(at(`${name}.pem`), publicKey.export({ type: 'spki', format: 'pem' }));
	}
	const platform = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64';
	const file = await buildAgentPackage({ outDir: at('out'), runtime: { platform, major: 16 }, keyFile: at('release.key') });
	expect(file).toMatch(/fournines-agent-[0-9.]+-linux-(x64|arm64)-centos7\.tar\.gz$/);
	expect(sh('tar', ['-xzf', file]).status).toBe(0);
	unpacked = at(file.split('/').pop()?.replace('.tar.gz', '') ?? '');
	writeFileSync(at('token'), 'fne_x');
});
afterAll(() => folder.remove());

const install = (...args: string[]) => sh('./install.sh', ['--root', at('root'), ...args], unpacked);

test('the package installs itself, and its own runtime runs its own agent', () => {
	const result = install('--collector', 'https://10.0.0.5:9999', '--enrol-token-file', at('token'), '--public-key', at('release.pem'));
	expect(result.stderr).toBe('');
	expect(result.status).toBe(0);
	expect(readFileSync(at('root/etc/fournines/agent.yml'), 'utf8')).toContain('enrol_token: { file: /etc/fournines/enrol.token }');
	const unit = readFileSync(at('root/etc/systemd/system/fournines-agent.service'), 'utf8');
	expect(unit).toContain('ExecStart=/opt/fournines/runtime/node --max-semi-space-size=1');
	expect(unit).toContain('MemoryLimit=');
	const node = at('root/opt/fournines/runtime/node');
	expect(sh(node, ['--version']).stdout.trim()).toBe(`v${runtimeVersion(16)}`);
	const once = sh(node, [at('root/opt/fournines/fournines-agent.cjs'), '--once']);
	expect(once.stdout).toContain('node_load1{');
});

test('what an administrator has written stays when it is installed again', () => {
	install();
	writeFileSync(at('root/etc/fournines/agent.yml'), '# mine\n');
	expect(install('--collector', 'https://elsewhere:9999').status).toBe(0);
	expect(readFileSync(at('root/etc/fournines/agent.yml'), 'utf8')).toBe('# mine\n');
});

test('a changed file, a changed list and another key are refused', () => {
	expect(install('--public-key', at('other.pem')).stderr).toContain('the signature of this package is not of');
	const sums = readFileSync(join(unpacked, 'SHA256SUMS'));
	const bundle = readFileSync(join(unpacked, 'fournines-agent.cjs'));
	try {
		writeFileSync(join(unpacked, 'fournines-agent.cjs'), Buffer.concat([bundle, Buffer.from('\nevil();')]));
		expect(install().stderr).toContain('damaged or was changed');
		const changed = sh('sha256sum', ['fournines-agent.cjs'], unpacked).stdout;
		writeFileSync(join(unpacked, 'SHA256SUMS'), sums.toString().replace(/^[0-9a-f]+ {2}fournines-agent\.cjs\n/m, changed));
		expect(install('--public-key', at('release.pem')).stderr).toContain('the signature of this package is not of');
	} finally {
		writeFileSync(join(unpacked, 'SHA256SUMS'), sums);
		writeFileSync(join(unpacked, 'fournines-agent.cjs'), bundle);
	}
});

test('it uninstalls itself, and keeps the configuration unless told to purge', () => {
	install();
	const uninstall = (...args: string[]) => sh(at('root/opt/fournines/uninstall-agent.sh'), ['--root', at('root'), ...args]);
	expect(uninstall().status).toBe(0);
	expect(existsSync(at('root/opt/fournines'))).toBe(false);
	expect(existsSync(at('root/etc/fournines/agent.yml'))).toBe(true);
	install();
	expect(uninstall('--purge').status).toBe(0);
	expect(existsSync(at('root/etc/fournines/agent.yml'))).toBe(false);
});
