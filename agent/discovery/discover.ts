import { tryReadText } from '../inputs/host/proc-text.ts';
import { type ListeningSocket, ownersOfSockets, type ProcessFacts, parseListeningSockets } from './listening-sockets.ts';
import { type Surroundings, surroundingsOf } from './surroundings.ts';

export type ServiceKind = 'mysql' | 'nginx' | 'tomcat' | 'redis';

/** A service of this machine that the agent could watch. */
export interface DiscoveredService {
	readonly kind: ServiceKind;
	/** `host:port` to reach it from here. */
	readonly address: string;
	/** Name of the process; `''` when only the port is known, because the process belongs to another user. */
	readonly process: string;
	/** A complete `agent.yml` that watches this service and nothing else; merge its keys into the existing file. */
	readonly configLines: readonly string[];
	/** What must exist on the service's side first, for people. */
	readonly prerequisite: string;
}

/** Ports that a kind usually has: preferred when a process listens on several, and the only hint when the process is hidden. */
const USUAL_PORTS: Readonly<Record<ServiceKind, readonly number[]>> = {
	mysql: [3306],
	nginx: [80, 443, 8080],
	tomcat: [8080, 8081, 8443],
	redis: [6379],
};
/** Of these only the first usual port says enough: anything may listen on 80. */
const KNOWN_BY_PORT: readonly ServiceKind[] = ['mysql', 'redis'];
/** Tomcat's shutdown and AJP ports, and MySQL's X protocol: not what an agent talks to. */
const SIDE_PORTS: ReadonlySet<number> = new Set([8005, 8009, 33060, 33062]);

/** Looks at listening sockets and the names of their processes. Talks to no service and tries no credentials. Empty where there is no `/proc`. */
export function discoverServices(options: { readonly proc?: string } = {}): readonly DiscoveredService[] {
	const proc = options.proc ?? '/proc';
	const sockets = ['tcp', 'tcp6'].flatMap((file) => parseListeningSockets(tryReadText(`${proc}/net/${file}`) ?? ''));
	if (sockets.length === 0) return [];
	const owners = ownersOfSockets(proc, new Set(sockets.map((socket) => socket.inode)));
	/** By kind and process: a server with many ports is one service. */
	const groups = new Map<string, { kind: ServiceKind; process: string; pid: number | null; sockets: ListeningSocket[] }>();
	for (const socket of sockets) {
		const owner = owners.get(socket.inode);
		const kind = owner === undefined ? kindOfPort(socket.port) : kindOfProcess(owner);
		if (kind === null || (owner !== undefined && SIDE_PORTS.has(socket.port))) continue;
		const key = `${kind} ${owner?.pid ?? `port ${socket.port}`}`;
		const group = groups.get(key) ?? { kind, process: owner?.name ?? '', pid: owner?.pid ?? null, sockets: [] };
		groups.set(key, group);
		group.sockets.push(socket);
	}
	const found = [...groups.values()].map(({ kind, process, pid, sockets: own }) => {
		const service = describe(kind, process, preferred(kind, own));
		return pid === null ? service : withSurroundings(service, surroundingsOf(proc, pid));
	});
	return found.sort((a, b) => (a.kind === b.kind ? (a.address < b.address ? -1 : 1) : a.kind < b.kind ? -1 : 1));
}

/** Adds the service's systemd unit and, for web servers, their access logs. */
function withSurroundings(service: DiscoveredService, { unit, accessLogs, perfData }: Surroundings): DiscoveredService {
	const lines = [...service.configLines];
	let { prerequisite } = service;
	if (unit !== '') lines.push('  host:', `    units: ["${unit}"]`);
	if (service.kind === 'tomcat' && perfData)
		prerequisite += "; without the manager the agent reads the JVM's own counters, as root or as Tomcat's user";
	if (service.kind === 'nginx' || service.kind === 'tomcat') {
		if (accessLogs.length > 0) lines.push('  access_logs:');
		for (const path of accessLogs) {
			lines.push(`    - path: ${JSON.stringify(path)}`, ...(service.kind === 'tomcat' ? ['      kind: tomcat'] : []));
		}
		if (accessLogs.length > 0) prerequisite += '; for its access logs read access, and their "format" where it is not the usual one';
	}
	return { ...service, prerequisite, configLines: lines };
}

function kindOfProcess(owner: ProcessFacts): ServiceKind | null {
	switch (owner.name) {
		case 'mysqld':
		case 'mariadbd':
			return 'mysql';
		case 'nginx':
			return 'nginx';
		case 'redis-server':
		case 'valkey-server':
			return 'redis';
		case 'java':
		case 'jsvc':
			return owner.arguments.includes('org.apache.catalina.startup.Bootstrap') ? 'tomcat' : null;
		default:
			return null;
	}
}

function kindOfPort(port: number): ServiceKind | null {
	return KNOWN_BY_PORT.find((kind) => USUAL_PORTS[kind][0] === port) ?? null;
}

function preferred(kind: ServiceKind, sockets: readonly ListeningSocket[]): ListeningSocket {
	const rank = (socket: ListeningSocket) => {
		const usual = USUAL_PORTS[kind].indexOf(socket.port);
		return (usual < 0 ? 1000 + socket.port : usual) + (socket.host.includes(':') ? 0.5 : 0);
	};
	return [...sockets].sort((a, b) => rank(a) - rank(b))[0] as ListeningSocket;
}

function describe(kind: ServiceKind, process: string, socket: ListeningSocket): DiscoveredService {
	const host = socket.host === '0.0.0.0' || socket.host === '::' ? '127.0.0.1' : socket.host;
	const address = host.includes(':') ? `[${host}]:${socket.port}` : `${host}:${socket.port}`;
	const base = { kind, address, process };
	switch (kind) {
		case 'mysql':
			return {
				...base,
				prerequisite: 'an account as in agent/inputs/mysql/README.md, and its password in the file',
				configLines: [
					'inputs:',
					'  mysql:',
					`    - address: "${address}"`,
					'      username: fournines',
					'      password: { file: /etc/fournines/mysql.password }',
				],
			};
		case 'redis':
			return {
				...base,
				prerequisite: 'where a password is set: an account as in agent/inputs/redis/README.md ("username" and "password" below "address")',
				configLines: ['inputs:', '  redis:', `    - address: "${address}"`],
			};
		case 'nginx':
			return {
				...base,
				prerequisite: 'a location with "stub_status;" as in agent/inputs/nginx/README.md',
				configLines: ['inputs:', '  nginx:', `    - url: "http://${address}/nginx_status"`],
			};
		case 'tomcat':
			return {
				...base,
				prerequisite: 'the manager application, and an account as in agent/inputs/tomcat/README.md with its password in the file',
				configLines: [
					'inputs:',
					'  tomcat:',
					`    - url: "http://${address}"`,
					'      username: fournines',
					'      password: { file: /etc/fournines/tomcat.password }',
				],
			};
	}
}
