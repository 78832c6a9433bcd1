import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { AGENT_NODE_FLAGS } from '../../agent/node-flags.ts';
import { buildAgent } from '../build-agent.ts';
import { fetchNodeRuntime, PLATFORMS, type Platform, type RuntimeMajor, runtimeVersion } from './node-runtime.ts';
import { archiveFolder, sealFolder } from './package-folder.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface AgentPackageOptions {
	readonly outDir: string;
	/** `null`: for hosts that have a Node of their own, and then for every platform. */
	readonly runtime: { readonly platform: Platform; readonly major: RuntimeMajor } | null;
	/** PEM of an Ed25519 private key; `null` leaves the package unsigned. */
	readonly keyFile: string | null;
}

/** Builds one package of the agent and returns its path. */
export async function buildAgentPackage({ outDir, runtime, keyFile }: AgentPackageOptions): Promise<string> {
	const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
	const suffix = runtime === null ? 'any' : `${runtime.platform}${runtime.major === 16 ? '-centos7' : ''}`;
	const name = `fournines-agent-${version}-${suffix}`;
	const work = mkdtempSync(join(tmpdir(), 'fournines-package-'));
	try {
		const folder = join(work, name);
		mkdirSync(folder);
		await buildAgent({ outFile: join(folder, 'fournines-agent.cjs') });
		for (const [from, to] of [
			['deploy/install/agent-install.sh', 'install.sh'],
			['deploy/install/agent-uninstall.sh', 'uninstall.sh'],
			['deploy/install/package.sh', 'package.sh'],
			['deploy/install/fournines-agent', 'fournines-agent'],
		] as const) {
			copyFileSync(join(root, from), join(folder, to));
			chmodSync(join(folder, to), 0o755);
		}
		const unit = readFileSync(join(root, 'deploy/systemd/fournines-agent.service'), 'utf8');
		writeFileSync(join(folder, 'fournines-agent.service'), runtime === null ? unit : ownRuntime(unit, runtime.major));
		writeFileSync(join(folder, 'README'), readme(version, runtime));
		if (runtime !== null) {
			mkdirSync(join(folder, 'runtime'));
			fetchNodeRuntime(runtime.platform, runtime.major, join(folder, 'runtime', 'node'));
			chmodSync(join(folder, 'runtime', 'node'), 0o755);
		}
		sealFolder(folder, keyFile);
		mkdirSync(outDir, { recursive: true });
		const file = join(resolve(outDir), `${name}.tar.gz`);
		archiveFolder(folder, file);
		return file;
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
}

/** systemd of CentOS 7 (219) knows none of the settings that are taken out; the install script makes the folder, and /var may be written there. */
function ownRuntime(unit: string, major: RuntimeMajor): string {
	const own = unit.replace('/usr/bin/node', '/opt/fournines/runtime/node');
	if (!own.includes('/opt/fournines/runtime/node')) throw new Error('the unit does not start /usr/bin/node');
	if (major !== 16) return own;
	return own
		.replace(/^(MemorySwapMax|StateDirectory|StateDirectoryMode|ReadWritePaths)=.*\n/gm, '')
		.replace(/^MemoryMax=/m, 'MemoryLimit=')
		.replace('ProtectSystem=strict', 'ProtectSystem=full');
}

function readme(version: string, runtime: AgentPackageOptions['runtime']): string {
	const node =
		runtime === null
			? 'It needs Node 16 or later at /usr/bin/node.'
			: `It carries Node ${runtimeVersion(runtime.major)} for ${runtime.platform} and needs nothing else.`;
	const old =
		runtime?.major === 16
			? '\nNode 16 is end-of-life: it gets no security fixes any more. It is here because CentOS 7, end-of-life itself, runs nothing newer.\n'
			: '';
	return `Fournines agent ${version}\n\n${node}\n${old}\n  ./install.sh --collector https://10.0.0.5:9999 --enrol-token-file FILE\n\n./install.sh --help lists the rest. Started by hand: node ${AGENT_NODE_FLAGS.join(' ')} fournines-agent.cjs --once\n`;
}

async function main(): Promise<void> {
	const { values } = parseArgs({
		options: { out: { type: 'string', default: join(root, 'dist', 'packages') }, 'sign-key': { type: 'string' } },
	});
	const keyFile = values['sign-key'] ?? null;
	const wanted: AgentPackageOptions['runtime'][] = [
		null,
		...PLATFORMS.flatMap((platform) => [
			{ platform, major: 24 as const },
			{ platform, major: 16 as const },
		]),
	];
	process.stdout.write(`${await buildAgent()}\n`);
	for (const runtime of wanted) process.stdout.write(`${await buildAgentPackage({ outDir: values.out, runtime, keyFile })}\n`);
	if (keyFile === null) process.stderr.write('The packages are not signed: give --sign-key FILE (openssl genpkey -algorithm ed25519).\n');
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
