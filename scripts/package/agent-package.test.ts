import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { available, onOwnMachine } from '../../tests/harness/own-machine.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { buildAgentPackage } from './build-agent-packages.ts';
import { runtimeVersion } from './node-runtime.ts';

let folder: TemporaryFolder;
let unpacked: string;
const at = (...parts: string[]) => join(folder.path, ...parts);
const sh = (command: string, args: readonly string[], cwd = folder.path, env = process.env) =>
	spawnSync(command, [...args], { cwd, env, encoding: 'utf8' });
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

test('paths are those of the place where it is called', () => {
	mkdirSync(at('elsewhere'));
	writeFileSync(at('elsewhere/ca.pem'), 'PEM');
	const args = ['--root', 'below', '--enrol-token-file', '../token', '--ca-file', 'ca.pem', '--public-key', '../release.pem'];
	const result = sh(join(unpacked, 'install.sh'), args, at('elsewhere'));
	expect(result.stderr).toBe('');
	expect(result.status).toBe(0);
	expect(readFileSync(at('elsewhere/below/etc/fournines/enrol.token'), 'utf8')).toBe('fne_x');
	expect(readFileSync(at('elsewhere/below/etc/fournines/ca.pem'), 'utf8')).toBe('PEM');
});

test('what an administrator has written stays when it is installed again, and what would have been written is said', () => {
	install();
	writeFileSync(at('root/etc/fournines/agent.yml'), '# mine\n');
	const again = install('--collector', 'https://elsewhere:9999', '--enrol-token-file', at('token'));
	expect(again.status).toBe(0);
	expect(again.stderr).toContain('does not name https://elsewhere:9999');
	expect(again.stderr).toContain('  enrol_token: { file: /etc/fournines/enrol.token }');
	expect(again.stdout).toContain('it sends nowhere yet');
	writeFileSync(at('root/etc/fournines/agent.yml'), 'collector: { url: "https://elsewhere:9999" }\n');
	const upgrade = install();
	expect(upgrade.stderr).toBe('');
	expect(upgrade.stdout).not.toContain('it sends nowhere yet');
	writeFileSync(at('root/etc/fournines/agent.yml'), '# mine\n');
	install('--collector', 'https://elsewhere:9999');
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

test('an openssl that knows no such signatures is not called a wrong signature', () => {
	mkdirSync(at('old'));
	writeFileSync(at('old/openssl'), '#!/bin/sh\n[ "$1" != version ] || echo OpenSSL 1.1.1f\nexit 1\n');
	chmodSync(at('old/openssl'), 0o755);
	const env = { ...process.env, PATH: `${at('old')}:${process.env['PATH'] ?? ''}` };
	const result = sh('./install.sh', ['--root', at('root'), '--public-key', at('release.pem')], unpacked, env);
	expect(result.status).toBe(1);
	expect(result.stderr).toContain('needs openssl 3, here is OpenSSL 1.1.1f');
});

test('systemd of CentOS 7 gets a unit without what it does not know', () => {
	const unit = readFileSync(join(unpacked, 'fournines-agent.service'), 'utf8');
	expect(unit).not.toMatch(/^(StateDirectory|ReadWritePaths|MemoryMax|MemorySwapMax)|strict/m);
	expect(unit).toContain('ExecReload=');
});

test.skipIf(!available())(
	'beside a collector: a folder for its data, its own user by hand, and hands off the files of the collector',
	() => {
		mkdirSync(at('machine'));
		chmodSync(folder.path, 0o755);
		const script = `
useradd --system fournines
mkdir -p /etc/fournines/secrets
echo '# mine' >/etc/fournines/collector.yml
echo secret >/etc/fournines/secrets/sms
chgrp -R fournines /etc/fournines && chmod 750 /etc/fournines/secrets && chmod 640 /etc/fournines/collector.yml /etc/fournines/secrets/sms
./install.sh --collector https://10.0.0.5:9999 --enrol-token-file ../token >/dev/null
fournines-agent --public-key | head -n 1
stat -c '%n %U:%G %a' /etc/fournines/* /etc/fournines/secrets/* /var/lib/fournines-agent /var/lib/fournines-agent/*
/opt/fournines/uninstall-agent.sh --purge >/dev/null
find /etc/fournines /opt/fournines /usr/local/bin /var/lib/fournines-agent -type f 2>/dev/null | sort
id fournines-agent 2>&1
`;
		const { lines, stderr } = onOwnMachine(script, { folder: at('machine'), cwd: unpacked, systemctl: 'exit 0' });
		expect(lines, stderr).toEqual([
			'-----BEGIN PUBLIC KEY-----',
			'/etc/fournines/agent.yml root:fournines-agent 640',
			'/etc/fournines/collector.yml root:fournines 640',
			'/etc/fournines/enrol.token root:fournines-agent 640',
			'/etc/fournines/secrets root:fournines 750',
			'/etc/fournines/secrets/sms root:fournines 640',
			'/var/lib/fournines-agent fournines-agent:fournines-agent 700',
			'/var/lib/fournines-agent/outbox.key fournines-agent:fournines-agent 600',
			'/etc/fournines/collector.yml',
			'/etc/fournines/secrets/sms',
			expect.stringContaining('no such user'),
		]);
	},
);

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
