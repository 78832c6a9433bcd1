import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';

/** A Debian package that tests need, and how to see that it is there already. */
interface Requirement {
	readonly package: string;
	/** The file whose presence means that the package (or an equivalent) is installed. */
	readonly file: string;
	readonly suites: string;
}

const REQUIREMENTS: readonly Requirement[] = [
	{ package: 'mariadb-server', file: '/usr/sbin/mariadbd', suites: 'MySQL replication, acceptance' },
	{ package: 'nginx', file: '/usr/sbin/nginx', suites: 'Nginx, acceptance' },
	{ package: 'default-jre-headless', file: '/usr/bin/java', suites: 'Tomcat, acceptance' },
	{ package: 'tomcat10', file: '/usr/share/tomcat10/bin/catalina.sh', suites: 'Tomcat, acceptance' },
	{ package: 'tomcat10-admin', file: '/usr/share/tomcat10-admin/manager/WEB-INF/web.xml', suites: 'Tomcat, acceptance' },
	{ package: 'redis-server', file: '/usr/bin/redis-server', suites: 'Redis' },
	{ package: 'chromium', file: '/usr/bin/chromium', suites: 'browser' },
	{ package: 'fonts-noto-cjk', file: '/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc', suites: 'browser' },
	{ package: 'prometheus', file: '/usr/bin/promtool', suites: 'promtool, differential queries' },
	{ package: 'victoria-metrics', file: '/usr/bin/vmalert', suites: 'alerts of a real vmalert' },
	{ package: 'iproute2', file: '/bin/ip', suites: 'two vantage points in network namespaces' },
	{ package: 'prometheus-alertmanager', file: '/usr/bin/amtool', suites: 'amtool, routing comparison' },
	{ package: 'prometheus-node-exporter', file: '/usr/bin/prometheus-node-exporter', suites: 'host parity' },
	{ package: 'prometheus-mysqld-exporter', file: '/usr/bin/prometheus-mysqld-exporter', suites: 'MySQL parity' },
	{ package: 'prometheus-redis-exporter', file: '/usr/bin/prometheus-redis-exporter', suites: 'Redis parity' },
	{ package: 'prometheus-nginx-exporter', file: '/usr/bin/prometheus-nginx-exporter', suites: 'Nginx parity' },
	{ package: 'prometheus-blackbox-exporter', file: '/usr/bin/prometheus-blackbox-exporter', suites: 'probe parity' },
	{ package: 'chrony', file: '/usr/sbin/chronyd', suites: 'clock of the host' },
	{ package: 'iputils-ping', file: '/usr/bin/ping', suites: 'ICMP' },
	{ package: 'qemu-user', file: '/usr/bin/qemu-aarch64', suites: 'agent on arm64' },
	{ package: 'libc6-arm64-cross', file: '/usr/aarch64-linux-gnu/lib/libc.so.6', suites: 'agent on arm64' },
	{ package: 'libstdc++6-arm64-cross', file: '/usr/aarch64-linux-gnu/lib/libstdc++.so.6', suites: 'agent on arm64' },
	{ package: 'libgcc-s1-arm64-cross', file: '/usr/aarch64-linux-gnu/lib/libgcc_s.so.1', suites: 'agent on arm64' },
	{ package: 'rsyslog', file: '/usr/sbin/rsyslogd', suites: 'log audit with a real syslog' },
];

const POLICY = '/usr/sbin/policy-rc.d';

function say(text: string): void {
	process.stderr.write(`${text}\n`);
}

function missingRequirements(): readonly Requirement[] {
	return REQUIREMENTS.filter((requirement) => !existsSync(requirement.file));
}

/**
 * Makes the real servers available that the tests start for themselves. On Debian as root it installs what is missing;
 * elsewhere it prints what to install and which suites stay out. Nothing that it installs is started or enabled.
 */
export async function provideTestServers(): Promise<void> {
	const missing = missingRequirements();
	if (missing.length === 0) return;
	const names = missing.map((requirement) => requirement.package);
	const command = `apt-get install --no-install-recommends ${names.join(' ')}`;
	const leftOut = [...new Set(missing.flatMap((requirement) => requirement.suites.split(', ')))].join(', ');
	const debian = existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get');
	if (!debian || process.getuid?.() !== 0) {
		say(`Some tests need real servers that are not installed: ${names.join(', ')}.`);
		say(debian ? `Install them with: sudo ${command}` : 'Install the same programs with the package manager of this system.');
		say(`Left out until then: ${leftOut}.`);
		return;
	}
	if (process.stdin.isTTY && process.env['CI'] === undefined) {
		const terminal = createInterface({ input: process.stdin, output: process.stderr });
		const answer = await terminal.question(
			`The tests need ${names.join(', ')}. Install them now (nothing will be started or enabled)? [Y/n] `,
		);
		terminal.close();
		if (!/^(y|yes|)$/i.test(answer.trim())) {
			say(`Left out: ${leftOut}.`);
			return;
		}
	}
	say(`installing ${names.join(', ')} …`);
	installWithoutStarting(names);
	const still = missingRequirements();
	if (still.length > 0)
		say(`apt-get ended without an error, but these are still missing: ${still.map((requirement) => requirement.package).join(', ')}`);
}

function installWithoutStarting(names: readonly string[]): void {
	const ownPolicy = !existsSync(POLICY);
	// invoke-rc.d asks this script before it starts a service; 101 means "forbidden by policy".
	if (ownPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
	const before = enabledUnits();
	try {
		apt(['update', '-qq']);
		apt(['install', '-y', '-qq', '--no-install-recommends', ...names]);
	} finally {
		if (ownPolicy) rmSync(POLICY, { force: true });
		disableNew(before);
	}
}

function apt(args: readonly string[]): void {
	const result = spawnSync('apt-get', args, {
		env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'pipe'],
		maxBuffer: 64 * 1024 * 1024,
	});
	if (result.status !== 0) throw new Error(`apt-get ${args.join(' ')} failed:\n${result.stdout.slice(-4000)}${result.stderr.slice(-4000)}`);
}

/** Units that start at boot: the links in systemd's `*.wants` folders, and System V start links. */
function enabledUnits(): ReadonlySet<string> {
	const found = new Set<string>();
	const root = '/etc/systemd/system';
	for (const folder of list(root).filter((name) => name.endsWith('.wants'))) {
		for (const unit of list(join(root, folder))) found.add(`systemd ${unit}`);
	}
	for (const level of ['2', '3', '4', '5']) {
		for (const link of list(`/etc/rc${level}.d`)) if (/^S\d\d/.test(link)) found.add(`sysv ${link.slice(3)}`);
	}
	return found;
}

function disableNew(before: ReadonlySet<string>): void {
	for (const entry of enabledUnits()) {
		if (before.has(entry)) continue;
		const [kind, name] = entry.split(' ') as [string, string];
		if (kind === 'systemd') spawnSync('systemctl', ['disable', name], { stdio: 'ignore' });
		else spawnSync('update-rc.d', [name, 'disable'], { stdio: 'ignore' });
	}
}

function list(folder: string): readonly string[] {
	try {
		accessSync(folder, constants.R_OK);
		return readdirSync(folder);
	} catch {
		return [];
	}
}
