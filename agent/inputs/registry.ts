import type { Clock } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import type { Logger } from '../../core/log.ts';
import { resolveSecret, type Secret, type SecretRef } from '../../core/secret.ts';
import type { AgentConfig } from '../config.ts';
import { formatOf } from './access-log/config.ts';
import { createAccessLogInput } from './access-log/input.ts';
import { hostSelection } from './host/config.ts';
import { createHostInput } from './host/input.ts';
import type { HostFacts } from './host/inventory.ts';
import type { Input } from './input.ts';
import { createInterfaceInputs } from './interface-inputs.ts';
import type { JobDesk } from './jobs/job-desk.ts';
import { mysqlExtras } from './mysql/config.ts';
import { createMysqlInput } from './mysql/input.ts';
import { createNginxInput } from './nginx/input.ts';
import { createNtpInput } from './ntp/input.ts';
import { createRedisInput } from './redis/input.ts';
import { serviceInstance } from './service-address.ts';
import { addressOfUrl } from './service-http.ts';
import { createTomcatInput } from './tomcat/input.ts';

export interface InputDependencies {
	readonly hostName: string;
	readonly clock: Clock;
	readonly log: Logger;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly userAgent: string;
	readonly readFacts: (() => Promise<HostFacts>) | null;
	/** Where reports of scheduled tasks arrive; without it there are none. */
	readonly jobDesk?: JobDesk | null;
}

/** Every input that the configuration asks for. The explicit list of what there is: a new source is added here. */
export function createInputs(config: AgentConfig, deps: InputDependencies): readonly Input[] {
	const { inputs } = config;
	const place = { system: config.host.system, zone: config.host.zone };
	const timing = (entry: { readonly interval?: string; readonly timeout: string }) => ({
		intervalMs: parseDuration(entry.interval ?? config.interval),
		timeoutMs: parseDuration(entry.timeout),
	});
	const list: Input[] = [];
	const hostTarget = {
		job: process.platform === 'win32' ? 'windows' : 'node',
		instance: deps.hostName,
		host: deps.hostName,
		...place,
	};
	if (inputs.host.enabled) {
		list.push(
			createHostInput({
				target: hostTarget,
				...timing(inputs.host),
				...hostSelection(inputs.host),
				readFacts: deps.readFacts,
				clock: deps.clock,
				log: deps.log,
			}),
		);
	}
	for (const entry of inputs.ntp) {
		list.push(createNtpInput({ target: hostTarget, ...timing(entry), kind: entry.kind, server: entry.server }));
	}
	const service = (job: string, entry: { readonly labels: Readonly<Record<string, string>> }, instance: string) => ({
		job,
		instance,
		host: deps.hostName,
		...place,
		...entry.labels,
	});
	for (const entry of inputs.nginx) {
		list.push(
			createNginxInput({
				target: service('nginx', entry, entry.instance ?? addressOfUrl(entry.url)),
				...timing(entry),
				url: entry.url,
				userAgent: deps.userAgent,
			}),
		);
	}
	for (const entry of inputs.access_logs) {
		list.push(
			createAccessLogInput({
				target: service(entry.kind, entry, entry.instance ?? `${deps.hostName}:${entry.path}`),
				...timing(entry),
				path: entry.path,
				kind: entry.kind,
				format: formatOf(entry),
				durationUnit: entry.duration_unit,
				server: entry.server,
				routes: entry.routes.map((route) => ({ name: route.name, path: new RegExp(route.path) })),
			}),
		);
	}
	for (const entry of inputs.tomcat) {
		list.push(
			createTomcatInput({
				target: service('tomcat', entry, entry.instance ?? addressOfUrl(entry.url)),
				...timing(entry),
				url: entry.url,
				username: entry.username ?? null,
				password: secretReader(entry.password, deps.env),
				userAgent: deps.userAgent,
				way: entry.way,
				jmxproxy: entry.jmxproxy,
				log: deps.log,
			}),
		);
	}
	for (const entry of inputs.mysql) {
		list.push(
			createMysqlInput({
				target: service('mysql', entry, entry.instance ?? serviceInstance(entry.address, 3306)),
				...timing(entry),
				address: entry.address,
				username: entry.username,
				password: secretReader(entry.password, deps.env),
				log: deps.log,
				...mysqlExtras(entry),
			}),
		);
	}
	for (const entry of inputs.redis) {
		list.push(
			createRedisInput({
				target: service('redis', entry, entry.instance ?? serviceInstance(entry.address, 6379)),
				...timing(entry),
				address: entry.address,
				username: entry.username ?? null,
				password: secretReader(entry.password, deps.env),
			}),
		);
	}
	list.push(...createInterfaceInputs(config, deps));
	return list;
}

/** Reads a password at each use, so that its file can be replaced without a restart. */
function secretReader(ref: SecretRef | undefined, env: InputDependencies['env']): () => Secret | null {
	return ref === undefined ? () => null : () => resolveSecret(ref, env);
}
