import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { available, onOwnMachine } from '../../tests/harness/own-machine.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { sealFolder } from './package-folder.ts';

const ROOT = join(import.meta.dirname, '../..');
let folder: TemporaryFolder;
const at = (...parts: string[]) => join(folder.path, ...parts);

/** The install script with files that stand for what it copies; offline-package.test.ts has the real ones. */
beforeAll(() => {
	folder = temporaryFolder('collector-install');
	for (const part of ['app', 'agents', 'runtime']) mkdirSync(at('package', part), { recursive: true });
	for (const part of ['app/one', 'agents/one', 'fournines-collector.service']) writeFileSync(at('package', part), 'x');
	writeFileSync(at('package/runtime/node'), '#!/bin/sh\n');
	for (const [from, to] of [
		['collector-install.sh', 'install.sh'],
		['collector-uninstall.sh', 'uninstall.sh'],
		['package.sh', 'package.sh'],
		['fournines', 'fournines'],
	] as const)
		copyFileSync(join(ROOT, 'deploy/install', from), at('package', to));
	for (const program of ['install.sh', 'uninstall.sh', 'runtime/node']) chmodSync(at('package', program), 0o755);
	sealFolder(at('package'), null);
});
afterAll(() => folder.remove());

test('a relative --root lies where it is called, and an address that is not taken over is said', () => {
	const install = (...args: string[]) =>
		spawnSync('package/install.sh', ['--root', 'below', ...args], { cwd: folder.path, encoding: 'utf8' });
	expect(install('--listen', '10.0.0.5:9999')).toMatchObject({ status: 0, stderr: '' });
	expect(readFileSync(at('below/etc/fournines/collector.yml'), 'utf8')).toContain('listen: 10.0.0.5:9999');
	expect(install('--listen', '10.0.0.5:9999')).toMatchObject({ status: 0, stderr: '' });
	expect(install()).toMatchObject({ status: 0, stderr: '' });
	expect(install('--listen', '10.0.0.6:9999').stderr).toContain('does not name 10.0.0.6:9999');
});

test.skipIf(!available())('whoever upgrades a collector that runs is told to restart it', () => {
	mkdirSync(at('machine'));
	const script = './install.sh\ntouch "$1/active"\n./install.sh\nstat -c "%U:%G %a" /etc/fournines/collector.yml\n';
	const systemctl = `[ "$1" != is-active ] || [ -e ${at('machine/active')} ]`;
	const { lines, stderr } = onOwnMachine(script, { folder: at('machine'), cwd: at('package'), systemctl });
	expect(lines, stderr).toEqual([
		expect.stringContaining('the collector is installed and running'),
		expect.stringContaining('still the version before: systemctl restart fournines-collector'),
		'root:fournines 640',
	]);
});
