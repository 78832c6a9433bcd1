import { isIP } from 'node:net';
import type { AgentConfig } from '../config.ts';
import { type Words, words } from './words.ts';

/** One line of a request to whoever runs the firewall. */
export interface Flow {
	readonly from: string;
	/** Host name or address. */
	readonly to: string;
	readonly protocol: 'TCP' | 'UDP' | 'ICMP';
	/** 0 for ICMP. */
	readonly port: number;
	readonly why: Words;
}

const REASONS: Readonly<Record<string, Words>> = {
	collector: words('上报监控数据和日志，领取配置', 'sends measurements and logs, fetches configuration'),
	last_resort: words('采集端失联时互相询问', 'asks the other agents when the collector is away'),
	channel: words('采集端失联时发出一条消息', 'sends one message when the collector is away'),
	relay: words('代转本区采集程序的上报', 'passes on what the agents of the zone send'),
	callbacks: words('接收短信、企业微信等平台的回执与确认', 'takes receipts and acknowledgements of providers and telephones'),
	fetches: words('采集中心（由内向外）取回回执与确认', 'the collector fetches them, outwards'),
	remote_write: words('上报监控数据', 'sends measurements'),
	nginx: words('读取 Nginx 状态页', 'reads the status page of Nginx'),
	tomcat: words('读取 Tomcat 状态', 'reads the status of Tomcat'),
	mysql: words('读取 MySQL 状态', 'reads the status of MySQL'),
	redis: words('读取 Redis 状态', 'reads the status of Redis'),
	ntp: words('校对时钟', 'checks the clock'),
	probes: words('服务可用性检测', 'checks that the service answers'),
	journeys: words('业务流程检测', 'walks through the portal'),
	scrape: words('读取指标页', 'reads a page of metrics'),
	pushes: words('检查数据推送是否按时', 'checks that data was pushed in time'),
	reconciliations: words('核对两端数据量', 'compares counts of both ends'),
	sql: words('执行业务统计查询', 'runs business queries'),
};

const SQL_KEYS: ReadonlySet<string> = new Set(['mysql', 'sql', 'reconciliations', 'pushes']);
/** Keys whose text is an address. */
const ADDRESS_KEYS: ReadonlySet<string> = new Set(['url', 'target', 'address', 'server', 'proxy']);

/** Every connection that the configuration makes to another machine, each once, and those that a relay waits for. Nothing else connects to the agent unless `listen` is open to others. */
export function firewallRequest(config: AgentConfig, host: string): readonly Flow[] {
	const flows = new Map<string, Flow>();
	const add = (section: string, place: { readonly to: string; readonly port: number; readonly protocol: Flow['protocol'] } | null) => {
		if (place === null || isLocal(place.to)) return;
		const key = `${place.protocol} ${place.to} ${place.port}`;
		if (!flows.has(key)) flows.set(key, { from: host, ...place, why: REASONS[section] ?? words('监控采集', 'reads a source') });
	};
	if (config.collector !== undefined) add('collector', place(config.collector.url, 'collector', ''));
	for (const entry of config.remote_write) add('remote_write', place(entry.url, 'remote_write', ''));
	for (const [section, entries] of Object.entries(config.inputs)) {
		if (!Array.isArray(entries)) continue;
		for (const entry of entries as readonly unknown[]) {
			const kind = typeof entry === 'object' && entry !== null && 'kind' in entry && typeof entry.kind === 'string' ? entry.kind : '';
			walk(entry, (key, text) => {
				if (ADDRESS_KEYS.has(key)) add(section, place(text, section, kind));
			});
		}
	}
	const waits = (from: string, listen: string, section: string) =>
		flows.set(section, { from, to: host, protocol: 'TCP', port: Number(listen.split(':').at(-1)), why: REASONS[section] as Words });
	const { last_resort: lastResort } = config;
	for (const agent of lastResort?.agents ?? []) if (agent !== lastResort?.self) add('last_resort', place(agent, 'last_resort', ''));
	// The address of a webhook is a secret.
	if (lastResort?.channel === 'wechat_robot') add('channel', { to: 'qyapi.weixin.qq.com', port: 443, protocol: 'TCP' });
	const { callbacks, listen } = config.relay ?? {};
	if (listen !== undefined) waits('zone', listen, 'relay');
	if (callbacks !== undefined) {
		waits('0.0.0.0/0', callbacks.listen, 'callbacks');
		waits('collector', callbacks.collector_listen, 'fetches');
	}
	return [...flows.values()];
}

function walk(value: unknown, visit: (key: string, text: string) => void): void {
	if (typeof value !== 'object' || value === null) return;
	for (const [key, inner] of Object.entries(value)) {
		if (typeof inner === 'string') visit(key, inner);
		else walk(inner, visit);
	}
}

function place(
	text: string,
	section: string,
	kind: string,
): { readonly to: string; readonly port: number; readonly protocol: Flow['protocol'] } | null {
	if (/^[a-z]+:\/\//.test(text)) {
		let url: URL;
		try {
			url = new URL(text);
		} catch {
			return null;
		}
		return {
			to: url.hostname.replace(/^\[|\]$/g, ''),
			port: Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port),
			protocol: 'TCP',
		};
	}
	if (section === 'access_logs' || section === 'logs' || section === 'textfile') return null;
	const match = /^(?:\[([^\]]+)\]|([^:/\s]+))(?::([0-9]{1,5}))?$/.exec(text);
	const to = match?.[1] ?? match?.[2];
	if (to === undefined || to === '') return null;
	if (kind === 'icmp') return { to, port: 0, protocol: 'ICMP' };
	const udp = section === 'ntp' || kind === 'dns';
	const usual =
		section === 'ntp'
			? kind === 'chrony'
				? 323
				: 123
			: kind === 'dns'
				? 53
				: section === 'redis'
					? 6379
					: SQL_KEYS.has(section)
						? 3306
						: 0;
	const port = match?.[3] === undefined ? usual : Number(match[3]);
	return port === 0 ? null : { to, port, protocol: udp ? 'UDP' : 'TCP' };
}

function isLocal(host: string): boolean {
	return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
