import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';

export type Platform = 'linux-x64' | 'linux-arm64';
export const PLATFORMS: readonly Platform[] = ['linux-x64', 'linux-arm64'];

/**
 * Runtimes that the agent is tested on, by the npm registry's own digests; packages carry 24 and 16. The latter is end-of-life and there for one
 * reason: CentOS 7 has glibc 2.17, which no later Node accepts.
 */
const RUNTIMES = {
	24: {
		version: '24.21.0',
		integrity: {
			'linux-x64': 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
			'linux-arm64': 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
		},
	},
	20: {
		version: '20.20.2',
		integrity: {
			'linux-x64': 'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
			'linux-arm64': 'sha512-LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==',
		},
	},
	18: {
		version: '18.20.8',
		integrity: {
			'linux-x64': 'sha512-JWUTwZ9vMOjZXMtiBc74OZn12DXb4skKfY4Nlyc17Ss8BTaxjwkXAw6xZb0Ck5afUYU/neBbrHjo9O3baF34ww==',
			'linux-arm64': 'sha512-xTMJYtLdLjIimh8zRpgUDFsNknLP72AT/QWEQmeyDOM1/Gqj/GZn/MlbA+zWSjSMBxQscYvgFpq3qERMEcFEUA==',
		},
	},
	16: {
		version: '16.20.2',
		integrity: {
			'linux-x64': 'sha512-oxOhUQeRI8VP2S933KzppWoQTXE/bhs3rskxrAXQA0xfIoy+WqVx47oe6upUsCqORfvAHcbdf9k+1iFyZnceqQ==',
			'linux-arm64': 'sha512-MyXYLwR55kL8fh4+T/pnLFltiys/aQ0QYtT5PZuiiQBksWRCP28LWRACZhFHGPG+jlSxzZDKwRFAjdNY3DaB0Q==',
		},
	},
} as const;
export type RuntimeMajor = keyof typeof RUNTIMES;

export function runtimeVersion(major: RuntimeMajor): string {
	return RUNTIMES[major].version;
}

/** Puts the program of a runtime at `file`, from the npm registry. Throws `FN_PACKAGE_RUNTIME` when it cannot be had or is not the known one. */
export function fetchNodeRuntime(platform: Platform, major: RuntimeMajor, file: string): void {
	const { version, integrity } = RUNTIMES[major];
	const folder = mkdtempSync(join(tmpdir(), 'fournines-runtime-'));
	try {
		const packed = npm(['pack', `node-${platform}@${version}`, '--silent', '--pack-destination', folder], folder);
		const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'));
		if (packed.status !== 0 || archive === undefined) {
			throw new AppError('FN_PACKAGE_RUNTIME', `Node ${version} for ${platform} cannot be fetched by npm: ${packed.stderr.slice(0, 500)}`);
		}
		const digest = `sha512-${createHash('sha512')
			.update(readFileSync(join(folder, archive)))
			.digest('base64')}`;
		if (digest !== integrity[platform]) {
			throw new AppError('FN_PACKAGE_RUNTIME', `the fetched Node ${version} for ${platform} has the digest ${digest}, not the known one`);
		}
		run('tar', ['-xzf', archive, 'package/bin/node'], folder);
		copyFileSync(join(folder, 'package', 'bin', 'node'), file);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

/** npm by the Node that runs this, where it was started through npm. */
export function npm(args: readonly string[], cwd: string) {
	const script = process.env['npm_execpath'];
	const [command, first] = script?.endsWith('.js') === true ? [process.execPath, [script]] : ['npm', []];
	// Many megabytes come from a registry that may stumble; two more tries, npm's own number, are few.
	return spawnSync(command, [...first, ...args, '--fetch-retries=5'], { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}

/** Runs a program of the system. Throws `FN_PACKAGE_FAILED` with what it said. */
export function run(command: string, args: readonly string[], cwd: string): string {
	const result = spawnSync(command, [...args], { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
	if (result.status !== 0) {
		throw new AppError('FN_PACKAGE_FAILED', `${command} ${args[0] ?? ''} failed: ${result.error?.message ?? result.stderr.slice(0, 500)}`);
	}
	return result.stdout;
}
