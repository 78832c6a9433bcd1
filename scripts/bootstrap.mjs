#!/usr/bin/env node
// First step of every npm script. Plain JavaScript for Node 18, built-in modules only, because nothing is installed yet.
// It finds or fetches a Node that can run the product, installs the dependencies with it, builds what is missing, and
// hands over. Progress goes to standard error: standard output belongs to the command.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
	accessSync,
	constants,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const RUNTIME = join(ROOT, '.runtime');

/** Exact version and the registry's own digest, so that what is run is what was tested. */
const NODE_VERSION = '24.21.0';
/** As in collector/node-flags.ts, which says why; this file must run where TypeScript does not. */
const COLLECTOR_NODE_FLAGS = ['--max-semi-space-size=16'];
const NODE_PACKAGES = {
	'linux-x64': 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
	'linux-arm64': 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
	'win-x64': 'sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==',
};
const OLDEST_NPM = 9;
/** What the collector's process loads. */
const SERVER_CODE = ['alerts', 'cli', 'collector', 'core', 'protocol'];

function say(text) {
	process.stderr.write(`${text}\n`);
}

/** Ends with a message for a person: what is wrong, and the way out. */
function fail(text) {
	say(`fournines: ${text}`);
	process.exit(1);
}

/** 24.21 and later of 24 (argon2, and an SQLite without its write-ahead-log bug), or a newer long-term release (even numbers). */
function nodeWillDo(version) {
	const [major = 0, minor = 0] = version.split('.').map(Number);
	return major === 24 ? minor >= 21 : major > 24 && major % 2 === 0;
}

/** npm's own script. It is run with the chosen Node: under an old one npm silently skips prebuilt binaries. */
function findNpm() {
	const candidates = [process.env.npm_execpath];
	const names = process.platform === 'win32' ? ['npm.cmd'] : ['npm'];
	for (const folder of (process.env.PATH ?? '').split(process.platform === 'win32' ? ';' : ':')) {
		for (const name of names) {
			const file = join(folder, name);
			if (!existsSync(file)) continue;
			candidates.push(join(dirname(file), 'node_modules', 'npm', 'bin', 'npm-cli.js'));
			candidates.push(join(dirname(file), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'));
		}
	}
	for (const file of candidates) if (file?.endsWith('npm-cli.js') && existsSync(file)) return file;
	return fail('npm was not found; install Node.js with npm (any version from 18 on) and call npm start again');
}

function npmVersion(npm) {
	try {
		return JSON.parse(readFileSync(join(dirname(npm), '..', 'package.json'), 'utf8')).version;
	} catch {
		return '0';
	}
}

function checkNpm(npm) {
	const version = npmVersion(npm);
	if (Number(version.split('.')[0]) < OLDEST_NPM) {
		fail(
			`npm ${version} is too old to read the lock file safely (needed: ${OLDEST_NPM} or later); run "npm install -g npm@10", or install Node.js 18 or later, which brings a newer one`,
		);
	}
}

function checkWritable() {
	try {
		accessSync(ROOT, constants.W_OK);
	} catch {
		fail(`the folder ${ROOT} is not writable for you; clone the repository into a folder of your own, or correct its owner`);
	}
}

/** The path of a Node that can run the product; fetches one into `.runtime` when the running one cannot. */
function provideNode(npm) {
	if (nodeWillDo(process.versions.node)) return process.execPath;
	const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
	const folder = join(RUNTIME, `node-${NODE_VERSION}`);
	const binary = process.platform === 'win32' ? join(folder, 'bin', 'node.exe') : join(folder, 'bin', 'node');
	if (runs(binary)) return binary;
	const integrity = NODE_PACKAGES[platform];
	if (integrity === undefined) {
		return fail(
			`there is no prebuilt Node ${NODE_VERSION} for ${platform} in the npm registry; install Node 24.21 or later yourself and call again with it`,
		);
	}
	say(`fetching Node ${NODE_VERSION} (this machine runs ${process.versions.node}) …`);
	mkdirSync(RUNTIME, { recursive: true });
	const temporary = mkdtempSync(join(RUNTIME, 'fetch-'));
	try {
		const packed = spawnSync(
			process.execPath,
			[npm, 'pack', `node-${platform}@${NODE_VERSION}`, '--silent', '--pack-destination', temporary],
			{
				cwd: temporary,
				encoding: 'utf8',
				env: cleanEnv(),
			},
		);
		const archive = readdirSync(temporary).find((name) => name.endsWith('.tgz'));
		if (packed.status !== 0 || archive === undefined) {
			fail(
				`Node ${NODE_VERSION} could not be fetched from the npm registry; check that npm reaches its registry ("npm ping"), or install Node 24.21 or later yourself\n${packed.stderr}`,
			);
		}
		const digest = `sha512-${createHash('sha512')
			.update(readFileSync(join(temporary, archive)))
			.digest('base64')}`;
		if (digest !== integrity)
			fail(`the fetched Node package has the digest ${digest}, expected ${integrity}; the registry or the way to it is not to be trusted`);
		const installed = spawnSync(
			process.execPath,
			[
				npm,
				'install',
				'--prefix',
				temporary,
				'--ignore-scripts',
				'--no-save',
				'--no-package-lock',
				'--offline',
				'--loglevel=error',
				join(temporary, archive),
			],
			{ cwd: temporary, encoding: 'utf8', env: cleanEnv() },
		);
		if (installed.status !== 0) fail(`the fetched Node package could not be unpacked:\n${installed.stderr}`);
		rmSync(folder, { recursive: true, force: true });
		renameSync(join(temporary, 'node_modules', `node-${platform}`), folder);
	} finally {
		rmSync(temporary, { recursive: true, force: true });
	}
	if (!runs(binary))
		fail(
			`the fetched Node ${NODE_VERSION} does not run here (it needs glibc 2.28 or later); run the collector on a newer system, older ones can carry the agent`,
		);
	return binary;
}

function runs(binary) {
	if (!existsSync(binary)) return false;
	const result = spawnSync(binary, ['--version'], { encoding: 'utf8' });
	return result.status === 0 && nodeWillDo(result.stdout.trim().slice(1));
}

/** npm hands its own settings down as variables; a nested npm must not take them for the user's. */
function cleanEnv() {
	const env = {};
	for (const [name, value] of Object.entries(process.env)) {
		if (
			!/^npm_(package_|lifecycle_|config_(prefix|global_prefix|local_prefix|noproxy|node_gyp|init_module|globalconfig)$|command|node_execpath|execpath)/i.test(
				name,
			)
		)
			env[name] = value;
	}
	return env;
}

function hashOf(paths, extra = '') {
	const hash = createHash('sha256').update(extra);
	const visit = (path) => {
		if (!existsSync(path)) return;
		if (statSync(path).isDirectory()) {
			for (const name of readdirSync(path).sort()) if (name !== 'node_modules') visit(join(path, name));
			return;
		}
		hash.update(path.slice(ROOT.length)).update('\0').update(readFileSync(path)).update('\0');
	};
	for (const path of paths) visit(join(ROOT, path));
	return hash.digest('hex');
}

/** Runs `work` unless the stamp beside its result says that it was done for the same input. */
function once(stampFile, digest, work) {
	const file = join(ROOT, stampFile);
	if (existsSync(file) && readFileSync(file, 'utf8') === digest) return;
	work();
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, digest);
}

function run(node, args, what) {
	const result = spawnSync(node, args, { cwd: ROOT, encoding: 'utf8', env: childEnv(node), maxBuffer: 256 * 1024 * 1024 });
	if (result.status !== 0)
		fail(`${what} failed (${result.status ?? result.signal ?? result.error?.message}):\n${result.stdout ?? ''}${result.stderr ?? ''}`);
}

/** The chosen Node first in PATH, so that every script that says "node" gets it. */
function childEnv(node) {
	return { ...cleanEnv(), PATH: `${dirname(node)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH ?? ''}` };
}

function install(node, npm) {
	const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
	once(
		'node_modules/.fournines-installed',
		hashOf(['package-lock.json', 'package.json'], `${version} ${process.platform} ${process.arch}`),
		() => {
			say('installing dependencies …');
			run(node, [npm, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], 'npm ci');
		},
	);
}

function build(node) {
	once('dist/console/.fournines-built', hashOf(['console', 'protocol', 'package-lock.json']), () => {
		say('building the console …');
		run(node, [join('node_modules', 'vite', 'bin', 'vite.js'), 'build', 'console', '--logLevel', 'warn'], 'building the console');
	});
	once('dist/agent/.fournines-built', hashOf(['agent', 'core', 'protocol', 'scripts/build-agent.ts', 'package-lock.json']), () => {
		say('building the agent …');
		run(node, ['scripts/build-agent.ts'], 'building the agent');
	});
	const user = String(process.getuid?.() ?? 0);
	once(
		`dist/compiled/${user}/.fournines-built`,
		hashOf([...SERVER_CODE, 'package-lock.json'], `${NODE_VERSION} ${COLLECTOR_NODE_FLAGS.join(' ')}`),
		() => {
			say('compiling the collector …');
			run(node, ['scripts/compile-ahead.ts'], 'compiling the collector');
		},
	);
}

/**
 * Our parent, and under npm its parent too: npm starts a shell that starts us, and when npm is killed the shell stays. The
 * second step needs /proc; elsewhere a killed npm is noticed when its shell goes.
 */
function ancestors() {
	if (process.env.npm_lifecycle_event === undefined || !existsSync('/proc/self/stat')) return String(process.ppid);
	try {
		// The command's name stands in parentheses and may hold anything, so the fields are counted from its end.
		const stat = readFileSync(`/proc/${process.ppid}/stat`, 'utf8');
		return `${process.ppid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]}`;
	} catch {
		return String(process.ppid);
	}
}

/**
 * Runs the command in a process group of its own and stops it when we are told to, or when our parent is gone: npm does
 * not pass SIGTERM on, and a terminal's Ctrl-C must arrive once, not once per process of the group.
 */
function handOver(node, args, { cwd = ROOT, ownsInput = false } = {}) {
	const child = spawn(node, args, {
		cwd,
		// A command that lives on sees its standard input close when this process dies, however it dies, and stops in order.
		env: { ...childEnv(node), ...(ownsInput ? { FOURNINES_STOP_WITH_STDIN: '1' } : {}) },
		stdio: [ownsInput ? 'pipe' : 'inherit', 'inherit', 'inherit'],
		detached: process.platform !== 'win32',
	});
	const ancestry = ancestors();
	let signalled = 0;
	const stop = (signal) => {
		signalled++;
		// A second Ctrl-C means that the person does not want to wait any longer.
		child.kill(signalled > 1 ? 'SIGKILL' : signal);
	};
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(signal === 'SIGHUP' ? 'SIGTERM' : signal));
	const watch = setInterval(() => {
		if (ancestors() === ancestry) return;
		clearInterval(watch);
		if (signalled === 0) stop('SIGTERM');
	}, 500);
	child.on('error', (error) => fail(`${args.join(' ')} could not be started: ${error.message}`));
	child.on('exit', (code, signal) => {
		clearInterval(watch);
		process.exit(code ?? (signal === 'SIGINT' ? 130 : 1));
	});
}

function main() {
	const [command = 'start', ...rest] = process.argv.slice(2);
	checkWritable();
	const npm = findNpm();
	checkNpm(npm);
	const node = provideNode(npm);
	install(node, npm);
	switch (command) {
		case 'start':
			build(node);
			return handOver(node, [...COLLECTOR_NODE_FLAGS, join(ROOT, 'cli', 'main.ts'), 'up', ...rest], { ownsInput: true });
		case 'cli':
			build(node);
			return handOver(node, [...COLLECTOR_NODE_FLAGS, join(ROOT, 'cli', 'main.ts'), ...rest], {
				cwd: process.cwd(),
				ownsInput: ['up', 'collector', 'agent'].includes(rest[0] ?? '') && !rest.includes('--once'),
			});
		case 'test':
		case 'test-long':
			build(node);
			return handOver(node, ['scripts/run-tests.ts', command, ...rest]);
		case 'check':
			return handOver(node, ['scripts/run-checks.ts', ...rest]);
		case 'bench':
			build(node);
			return handOver(node, ['bench/main.ts', ...rest]);
		case 'run': {
			const [tool = '', ...args] = rest;
			if (tool === 'node') return handOver(node, args);
			const local = join('node_modules', '.bin', tool);
			if (!existsSync(join(ROOT, local))) return fail(`there is no tool called ${tool} in node_modules/.bin`);
			return handOver(node, [toolScript(tool), ...args]);
		}
		default:
			return fail(`unknown step "${command}"; known: start, cli, test, test-long, check, bench, run`);
	}
}

/** The script behind a name in `node_modules/.bin`. */
function toolScript(tool) {
	const packages = { biome: '@biomejs/biome', tsc: 'typescript', vite: 'vite', vitest: 'vitest' };
	const folder = join('node_modules', packages[tool] ?? tool);
	const { bin } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
	return join(folder, typeof bin === 'string' ? bin : bin[tool]);
}

main();
