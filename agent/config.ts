import { type Static, Type } from 'typebox';
import { type ConfigResult, loadConfigFile, parseConfig } from '../core/config-file.ts';
import { tryParseDuration } from '../core/duration.ts';
import { TRANSFER_SENDER } from '../protocol/transfer.ts';
import { CentralConfigSchema } from './central/config.ts';
import { AccessLogConfigSchema, checkAccessLogs } from './inputs/access-log/config.ts';
import { durationSchema } from './inputs/entry-schema.ts';
import { checkHostConfig, HostConfigSchema } from './inputs/host/config.ts';
import { checkInterfaceInputs, interfaceInputProperties } from './inputs/interface-config.ts';
import { MysqlConfigSchema } from './inputs/mysql/config.ts';
import { NginxConfigSchema } from './inputs/nginx/config.ts';
import { NtpConfigSchema } from './inputs/ntp/config.ts';
import { RedisConfigSchema } from './inputs/redis/config.ts';
import { TomcatConfigSchema } from './inputs/tomcat/config.ts';
import { LastResortConfigSchema } from './last-resort/config.ts';
import { OutboxConfigSchema } from './outbox/config.ts';
import { senderProblem } from './outbox/writer.ts';
import { checkCallbacks } from './relay/callbacks/check-config.ts';
import { RelayConfigSchema } from './relay/config.ts';
import { LogConfigSchema } from './tails/config.ts';
import { streamSuffix } from './tails/stream-name.ts';
import { CollectorConfigSchema, RemoteWriteConfigSchema, SpoolConfigSchema } from './uplink/config.ts';

/** `agent.yml`. Every key has a default; an empty file measures the host and serves it on `/metrics`. */
export const AgentConfigSchema = Type.Object(
	{
		host: Type.Object(
			{
				/** Name in the inventory, label `host`; the machine's host name unless given. */
				name: Type.String({ default: '' }),
				system: Type.String({ default: '' }),
				zone: Type.String({ default: '' }),
			},
			{ additionalProperties: false, default: {} },
		),
		interval: durationSchema('10s'),
		/** `host:port` of `/metrics`; `''` switches it off. */
		listen: Type.String({ default: '127.0.0.1:9998', pattern: '^(|.+:[0-9]{1,5})$' }),
		/** Folder of the spool and of positions in log files. */
		data: Type.String({ default: './data/agent', minLength: 1 }),
		/** Where to send. Without it and `remote_write` the agent only serves `/metrics`. */
		collector: Type.Optional(CollectorConfigSchema),
		/** Further receivers of the same samples. */
		remote_write: Type.Array(RemoteWriteConfigSchema, { default: [], maxItems: 8 }),
		spool: SpoolConfigSchema,
		central: CentralConfigSchema,
		outbox: OutboxConfigSchema,
		last_resort: LastResortConfigSchema,
		relay: RelayConfigSchema,
		/** Anonymous memory over which the agent ends in order and is started again by its supervisor; 0 is no limit. */
		max_memory_bytes: Type.Integer({ default: 160 * 1024 * 1024, minimum: 0 }),
		inputs: Type.Object(
			{
				host: HostConfigSchema,
				ntp: Type.Array(NtpConfigSchema, { default: [] }),
				nginx: Type.Array(NginxConfigSchema, { default: [] }),
				access_logs: Type.Array(AccessLogConfigSchema, { default: [] }),
				tomcat: Type.Array(TomcatConfigSchema, { default: [] }),
				mysql: Type.Array(MysqlConfigSchema, { default: [] }),
				redis: Type.Array(RedisConfigSchema, { default: [] }),
				...interfaceInputProperties(),
				logs: Type.Array(LogConfigSchema, { default: [] }),
			},
			{ additionalProperties: false, default: {} },
		),
	},
	{ additionalProperties: false, default: {} },
);
export type AgentConfig = Static<typeof AgentConfigSchema>;

type Report = (path: readonly (string | number)[], message: string) => void;

/** What the schema cannot say: things that must be unique, fit together, or parse. */
export function checkAgentConfig(config: AgentConfig, report: Report): void {
	positive(config.interval, ['interval'], report);
	const { inputs } = config;
	pattern(inputs.host.mounts_exclude, ['inputs', 'host', 'mounts_exclude'], report);
	checkDurations(inputs.host, ['inputs', 'host'], report);
	checkHostConfig(inputs.host, report);
	checkAccessLogs(inputs.access_logs, report);
	inputs.ntp.forEach((entry, i) => {
		checkDurations(entry, ['inputs', 'ntp', i], report);
	});
	for (const kind of ['nginx', 'tomcat', 'mysql', 'redis'] as const) {
		const seen = new Map<string, number>();
		inputs[kind].forEach((entry, i) => {
			const path = ['inputs', kind, i] as const;
			checkDurations(entry, path, report);
			const address = 'url' in entry ? entry.url : entry.address;
			if ('url' in entry && !isUrl(entry.url))
				report([...path, 'url'], `"${entry.url}" is not an address; write for example http://127.0.0.1:8080`);
			const identity = entry.instance ?? address;
			const first = seen.get(identity);
			if (first === undefined) seen.set(identity, i);
			else report(path, `the same source as inputs.${kind}[${first}]; set "instance" when they are two`);
			if ('password' in entry && entry.password !== undefined && 'username' in entry && entry.username === undefined && kind === 'tomcat') {
				report([...path, 'password'], 'a password without a username');
			}
		});
	}
	checkInterfaceInputs(inputs, config.interval, report);
	const streams = new Map<string, number>();
	inputs.logs.forEach((log, i) => {
		const path = ['inputs', 'logs', i] as const;
		const stream = streamSuffix(log);
		const first = streams.get(stream);
		if (first === undefined) streams.set(stream, i);
		else report(path, `inputs.logs[${first}] has the stream name "${stream}" already; set "name"`);
		if (log.time_zone !== undefined && !isTimeZone(log.time_zone)) {
			report([...path, 'time_zone'], `"${log.time_zone}" is not a time zone; write for example Asia/Shanghai`);
		}
	});
	if (inputs.logs.length > 0 && config.collector === undefined && config.outbox === undefined)
		report(['inputs', 'logs'], 'log files are sent to a collector; set "collector.url" or "outbox.folder"');
	positive(config.spool.max_age, ['spool', 'max_age'], report);
	if (config.collector !== undefined) checkDurations(config.collector, ['collector'], report);
	if (config.last_resort !== undefined) {
		positive(config.last_resort.after, ['last_resort', 'after'], report);
		if (!config.last_resort.agents.includes(config.last_resort.self))
			report(['last_resort', 'self'], `"${config.last_resort.self}" is not one of last_resort.agents`);
		if (config.last_resort.agents.length > 1 && isUnreachable(config.listen))
			report(
				['last_resort', 'agents'],
				`the others ask this one at /-/last-resort, which "listen" (${config.listen === '' ? 'off' : config.listen}) does not let them reach; write for example listen: 0.0.0.0:9998`,
			);
		if (config.collector === undefined) report(['last_resort'], 'without a collector there is nothing to miss; set "collector.url"');
	}
	if (config.relay !== undefined) {
		if (config.relay.listen !== undefined && config.collector === undefined)
			report(['relay', 'listen'], 'a relay for agents passes on to a collector; set "collector.url"');
		if (config.relay.listen === undefined && config.relay.inbox.length === 0 && config.relay.callbacks === undefined)
			report(['relay'], 'has neither listen nor inbox nor callbacks, so it passes nothing on');
		checkCallbacks(config.relay.callbacks, (path, message) => report(['relay', 'callbacks', ...path], message));
		if (config.relay.inbox.length > 0 && config.collector === undefined && config.outbox === undefined)
			report(['relay', 'inbox'], 'files go on to a collector or an outbox; set "collector.url" or "outbox.folder"');
		config.relay.inbox.forEach((entry, i) => {
			positive(entry.every, ['relay', 'inbox', i, 'every'], report);
			if (entry.folder === config.outbox?.folder)
				report(['relay', 'inbox', i, 'folder'], "is this agent's own outbox; its files would go in a circle");
		});
	}
	if (config.outbox !== undefined) {
		checkDurations(config.outbox, ['outbox'], report);
		const { name } = config.host;
		if (name !== '' && !TRANSFER_SENDER.test(name)) report(['host', 'name'], senderProblem(name));
		if (config.collector !== undefined)
			report(['outbox'], 'a host sends to a collector or by files, not both; keep one of collector and outbox');
	}
	checkDurations(config.central, ['central'], report);
	if (config.collector?.token !== undefined && config.collector.enrol_token !== undefined)
		report(['collector'], 'has both a token and an enrol_token; keep one');
	checkRemoteWrite(config.remote_write, report);
	if (config.collector !== undefined && !isUrl(config.collector.url))
		report(['collector', 'url'], 'not an address; write for example http://10.0.0.5:9999');
}

function checkRemoteWrite(entries: AgentConfig['remote_write'], report: Report): void {
	const names = new Map<string, number>();
	entries.forEach((entry, i) => {
		const path = ['remote_write', i] as const;
		const first = names.get(entry.name);
		if (first === undefined) names.set(entry.name, i);
		else report([...path, 'name'], `"${entry.name}" is already the name of remote_write[${first}]`);
		if (!isUrl(entry.url)) report([...path, 'url'], 'not an address; write for example https://prometheus.example.cn/api/v1/write');
		if (entry.username !== undefined && entry.token !== undefined) report(path, 'has both a token and a username; keep one');
		if ((entry.username === undefined) !== (entry.password === undefined)) report(path, 'a username and a password belong together');
		for (const header of Object.keys(entry.headers)) {
			if (/^(authorization|content-|host$|user-agent$|x-prometheus-)/i.test(header)) {
				report([...path, 'headers', header], 'this header is set by the agent; write credentials as token or password');
			}
		}
		checkDurations(entry, path, report);
	});
}

/** Reads and checks `file`, and reports every problem with its line. */
export function loadAgentConfig(file: string): ConfigResult<AgentConfig> {
	return loadConfigFile(file, AgentConfigSchema, checkAgentConfig);
}

/** The same for text that is not in a file. */
export function parseAgentConfig(text: string, file: string): ConfigResult<AgentConfig> {
	return parseConfig(text, { file, schema: AgentConfigSchema, check: checkAgentConfig });
}

function checkDurations(entry: object, path: readonly (string | number)[], report: Report): void {
	for (const key of ['interval', 'timeout', 'degraded_after'] as const) {
		const text = (entry as Readonly<Record<string, unknown>>)[key];
		if (typeof text === 'string') positive(text, [...path, key], report);
	}
}

function positive(text: string, path: readonly (string | number)[], report: Report): void {
	if ((tryParseDuration(text) ?? 0) <= 0) report(path, 'must be longer than zero');
}

function pattern(text: string, path: readonly (string | number)[], report: Report): void {
	try {
		new RegExp(text);
	} catch {
		report(path, `"${text}" is not a regular expression`);
	}
}

/** Whether nobody but this machine gets an answer at `listen`. */
function isUnreachable(listen: string): boolean {
	return listen === '' || /^(127\.[0-9.]+|localhost|\[::1\]|::1):[0-9]+$/.test(listen);
}

function isUrl(text: string): boolean {
	try {
		const { protocol } = new URL(text);
		return protocol === 'http:' || protocol === 'https:';
	} catch {
		return false;
	}
}

function isTimeZone(zone: string): boolean {
	try {
		new Intl.DateTimeFormat('en', { timeZone: zone });
		return true;
	} catch {
		return false;
	}
}
