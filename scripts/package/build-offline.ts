import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { AppError } from '../../core/errors.ts';
import { buildAgentPackage } from './build-agent-packages.ts';
import { fetchNodeRuntime, npm, PLATFORMS, type Platform, run } from './node-runtime.ts';
import { archiveFolder, sealFolder } from './package-folder.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** What the running product reads. */
const SOURCES = ['agent', 'alerts', 'cli', 'collector', 'core', 'protocol', 'rules', 'dashboards', 'docs', 'examples'];
const FILES = ['package.json', 'LICENSE', 'README.md', 'README.zh-CN.md', 'CHANGELOG.md'];

export interface OfflinePackageOptions {
	readonly outDir: string;
	readonly platform: Platform;
	/** PEM of an Ed25519 private key; `null` leaves the package unsigned. */
	readonly keyFile: string | null;
}

/**
 * Builds one archive with Node, modules, console, collector and the agent's packages, for a network without a route. Needs what `npm start`
 * has built (`dist/console`, `dist/agent`). Throws `FN_PACKAGE_NOT_BUILT` where that is missing.
 */
export async function buildOfflinePackage({ outDir, platform, keyFile }: OfflinePackageOptions): Promise<string> {
	for (const built of ['dist/console/index.html', 'dist/agent/fournines-agent.cjs']) {
		if (!existsSync(join(root, built))) throw new AppError('FN_PACKAGE_NOT_BUILT', `${built} is missing; run "npm run build:offline"`);
	}
	const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
	const name = `fournines-${version}-${platform}`;
	const work = mkdtempSync(join(tmpdir(), 'fournines-offline-'));
	try {
		const folder = join(work, name);
		const app = join(folder, 'app');
		mkdirSync(app, { recursive: true });
		for (const source of SOURCES) {
			cpSync(join(root, source), join(app, source), { recursive: true, filter: (file) => !/\.test\.(ts|yml)$/.test(file) });
		}
		cpSync(join(root, 'dist/console'), join(app, 'dist/console'), { recursive: true });
		cpSync(join(root, 'dist/agent'), join(app, 'dist/agent'), { recursive: true });
		for (const file of FILES) copyFileSync(join(root, file), join(app, file));
		installModules(app, platform);
		mkdirSync(join(folder, 'runtime'));
		fetchNodeRuntime(platform, 24, join(folder, 'runtime', 'node'));
		chmodSync(join(folder, 'runtime', 'node'), 0o755);
		for (const major of [24, 16] as const) {
			await buildAgentPackage({ outDir: join(folder, 'agents'), runtime: { platform, major }, keyFile });
		}
		for (const [from, to] of [
			['collector-install.sh', 'install.sh'],
			['collector-uninstall.sh', 'uninstall.sh'],
			['package.sh', 'package.sh'],
			['fournines', 'fournines'],
		] as const) {
			copyFileSync(join(root, 'deploy/install', from), join(folder, to));
			chmodSync(join(folder, to), 0o755);
		}
		const unit = readFileSync(join(root, 'deploy/systemd/fournines-collector.service'), 'utf8');
		writeFileSync(
			join(folder, 'fournines-collector.service'),
			unit.replace('/opt/fournines/bin/fournines.mjs', '/usr/local/bin/fournines'),
		);
		sealFolder(folder, keyFile);
		mkdirSync(outDir, { recursive: true });
		const file = join(resolve(outDir), `${name}.tar.gz`);
		archiveFolder(folder, file);
		return file;
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
}

/** The production modules by the lock file, with the prebuilt parts of that platform. No script of any package runs. */
function installModules(app: string, platform: Platform): void {
	copyFileSync(join(root, 'package-lock.json'), join(app, 'package-lock.json'));
	const cpu = platform === 'linux-arm64' ? 'arm64' : 'x64';
	const args = ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--os=linux', `--cpu=${cpu}`, '--libc=glibc'];
	const result = npm(args, app);
	if (result.status !== 0) throw new AppError('FN_PACKAGE_FAILED', `npm ci for ${platform} failed: ${result.stderr.slice(0, 1000)}`);
	// What is not read at run time doubles the size.
	run('find', ['node_modules', '-name', '*.map', '-delete'], app);
}

async function main(): Promise<void> {
	const { values } = parseArgs({
		options: {
			out: { type: 'string', default: join(root, 'dist', 'packages') },
			platform: { type: 'string', multiple: true, default: [...PLATFORMS] },
			'sign-key': { type: 'string' },
		},
	});
	const keyFile = values['sign-key'] ?? null;
	for (const wanted of values.platform) {
		const platform = PLATFORMS.find((known) => known === wanted);
		if (platform === undefined) throw new AppError('FN_CLI_USAGE', `--platform ${wanted}: write ${PLATFORMS.join(' or ')}`);
		process.stdout.write(`${await buildOfflinePackage({ outDir: values.out, platform, keyFile })}\n`);
	}
	if (keyFile === null) process.stderr.write('The packages are not signed: give --sign-key FILE (openssl genpkey -algorithm ed25519).\n');
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
