import { isAbsolute, join, normalize } from 'node:path';
import type { ConfigProblem, ConfigResult } from '../../core/config-file.ts';
import { type AgentConfig, checkAgentConfig, parseAgentConfig } from '../config.ts';

export type CentralDocument = Readonly<Record<string, unknown>>;

/**
 * The host's own file with what the collector says added: lists are joined, `interval` and `host` come from the collector where it says
 * them. The collector names secrets, log files and programs only as far as `central` lets it: whoever gets hold of the collector must not
 * be able to read every file of every host.
 */
export function combineConfig(local: AgentConfig, version: string, document: CentralDocument): ConfigResult<AgentConfig> {
	const file = `central configuration ${version}`;
	const problems: ConfigProblem[] = [];
	const report = (path: readonly (string | number)[], message: string) => {
		problems.push({ file, line: 0, path: path.join('.'), message });
	};
	for (const key of Object.keys(document)) {
		if (key !== 'interval' && key !== 'inputs') report([key], 'this is not configured centrally; only interval and inputs are');
	}
	const confined = confine(document, [], { secretsDir: local.central.secrets_dir, report });
	if (problems.length > 0) return { kind: 'bad', problems };
	const parsed = parseAgentConfig(JSON.stringify({ ...(confined as CentralDocument), collector: local.collector }), file);
	if (parsed.kind === 'bad') return parsed;
	const said = isRecord(document['inputs']) ? document['inputs'] : {};
	const inputs: Record<string, unknown> = { ...local.inputs };
	for (const [name, value] of Object.entries(parsed.config.inputs)) {
		if (!(name in said)) continue;
		const own = inputs[name];
		inputs[name] = Array.isArray(own) && Array.isArray(value) ? [...own, ...value] : value;
	}
	const config: AgentConfig = {
		...local,
		interval: 'interval' in document ? parsed.config.interval : local.interval,
		inputs: inputs as AgentConfig['inputs'],
	};
	checkAllowed(said, local, report);
	checkAgentConfig(config, report);
	return problems.length > 0 ? { kind: 'bad', problems } : { kind: 'ok', config };
}

/** Problems that any agent would have with the document, for whoever writes it. */
export function checkCentralDocument(document: CentralDocument): readonly string[] {
	const base = parseAgentConfig('collector: { url: "http://collector.invalid" }', 'agent.yml');
	if (base.kind === 'bad') return base.problems.map(({ message }) => message);
	const central = { ...base.config.central, allow_exec: true, log_folders: ['/'] };
	const result = combineConfig({ ...base.config, central }, 'to be checked', document);
	return result.kind === 'ok' ? [] : result.problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
}

type Report = (path: readonly (string | number)[], message: string) => void;

/** A copy in which every `{ file: NAME }` lies in the folder of secrets. */
function confine(
	value: unknown,
	path: readonly (string | number)[],
	options: { readonly secretsDir: string; readonly report: Report },
): unknown {
	if (Array.isArray(value)) return value.map((entry, i) => confine(entry, [...path, i], options));
	if (!isRecord(value) || isTextMap(path)) return value;
	const keys = Object.keys(value);
	if (keys.length === 1 && typeof value['env'] === 'string') {
		options.report(
			path,
			'a central configuration cannot name an environment variable; write { file: NAME } of a file in central.secrets_dir',
		);
		return value;
	}
	if (keys.length === 1 && typeof value['file'] === 'string') {
		const name = value['file'];
		if (!/^[A-Za-z0-9._-]+$/.test(name) || name === '.' || name === '..') {
			options.report(path, `"${name}" is not the name of a file in central.secrets_dir; leave folders out`);
			return value;
		}
		return { file: join(options.secretsDir, name) };
	}
	return Object.fromEntries(keys.map((key) => [key, confine(value[key], [...path, key], options)]));
}

/** Keys whose values are texts whatever the names in them are: a label may be called `env`. */
const TEXT_MAPS = ['labels', 'headers', 'environment', 'form', 'variables'];
/** Keys whose values are secrets whatever the names in them are: a secret may be called `labels`. */
const SECRET_MAPS = ['secrets', 'secret_headers'];

function isTextMap(path: readonly (string | number)[]): boolean {
	const [map, key] = path.slice(-2);
	return TEXT_MAPS.includes(String(key)) && !SECRET_MAPS.includes(String(map));
}

function checkAllowed(said: Readonly<Record<string, unknown>>, local: AgentConfig, report: Report): void {
	const { central } = local;
	const each = (name: string, look: (entry: Readonly<Record<string, unknown>>, at: readonly (string | number)[]) => void) => {
		const entries: unknown = said[name];
		for (const [i, entry] of Array.isArray(entries) ? entries.entries() : []) if (isRecord(entry)) look(entry, ['inputs', name, i]);
	};
	const logFile = (path: unknown, at: readonly (string | number)[]) => {
		if (typeof path === 'string' && !isBelow(path, central.log_folders))
			report([...at, 'path'], `${path} is not below central.log_folders of this host (${central.log_folders.join(', ')})`);
	};
	each('logs', ({ path }, at) => logFile(path, at));
	each('access_logs', ({ path }, at) => logFile(path, at));
	each('push', ({ log }, at) => isRecord(log) && logFile(log['path'], [...at, 'log']));
	if (central.allow_exec) return;
	const refused = 'this host does not let the collector have programs run; central.allow_exec would';
	const exec = said['exec'];
	if (Array.isArray(exec) && exec.length > 0) report(['inputs', 'exec'], refused);
	// The system's own ping is no program of the collector's.
	each('probes', ({ icmp }, at) => isRecord(icmp) && 'command' in icmp && report([...at, 'icmp', 'command'], refused));
}

function isBelow(path: string, folders: readonly string[]): boolean {
	if (!isAbsolute(path) || normalize(path) !== path) return false;
	return folders.some((folder) => path.startsWith(folder.endsWith('/') ? folder : `${folder}/`));
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
