import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import { httpExchange } from '../../core/http-client.ts';
import type { Logger } from '../../core/log.ts';
import { resolveSecret, type SecretRef } from '../../core/secret.ts';
import { readCaFile } from '../ca-file.ts';
import { IDENTITY_FILE } from '../central/identity.ts';
import type { AgentConfig } from '../config.ts';
import type { Input, MetricFamily } from '../inputs/input.ts';
import { createInputs } from '../inputs/registry.ts';
import { type Advice, AGENT_USER, adviceFor } from './advice.ts';
import { type Flow, firewallRequest } from './firewall.ts';
import { type Language, type Words, words } from './words.ts';

export interface DoctorOptions {
	readonly config: AgentConfig;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly clock: Clock;
	readonly log: Logger;
	readonly userAgent: string;
	readonly dataDir: string;
	readonly platform?: NodeJS.Platform;
}

/** One thing that was looked at. */
export interface Finding {
	/** `mysql 127.0.0.1:3306`, `collector https://…`, `data /var/lib/…` */
	readonly what: string;
	readonly state: 'ok' | 'partly' | 'failed';
	/** What is wrong; `''` when nothing is. */
	readonly problem: string;
	readonly advice: readonly Advice[];
}

export interface Diagnosis {
	readonly findings: readonly Finding[];
	readonly flows: readonly Flow[];
	/** Whether nothing failed; a source that is read in part does not count as failed. */
	readonly ok: boolean;
}

/** Reads every source once, one after another, and looks at the way to the collector and at the folders. Changes nothing and sends nothing. */
export async function diagnose(options: DoctorOptions): Promise<Diagnosis> {
	const { config } = options;
	const host = config.host.name === '' ? hostname() : config.host.name;
	const findings: Finding[] = [dataFinding(options.dataDir)];
	findings.push(...secretFindings(options));
	if (config.collector !== undefined) findings.push(await collectorFinding(options, config.collector));
	for (const log of config.inputs.logs) findings.push(logFinding(log.path));
	let inputs: readonly Input[] = [];
	try {
		inputs = createInputs(readingOnly(config), {
			hostName: host,
			clock: options.clock,
			log: options.log,
			env: options.env,
			userAgent: options.userAgent,
			readFacts: null,
		});
	} catch (error) {
		findings.push({ what: 'inputs', state: 'failed', problem: errorText(error), advice: [] });
	}
	for (const input of inputs) findings.push(await inputFinding(input, options));
	return { findings, flows: firewallRequest(config, host), ok: findings.every(({ state }) => state !== 'failed') };
}

/** The configuration without what writes: a diagnosis must not put a heartbeat into anybody's database. */
function readingOnly(config: AgentConfig): AgentConfig {
	const mysql = config.inputs.mysql.map((entry) =>
		entry.heartbeat === undefined ? entry : { ...entry, heartbeat: { ...entry.heartbeat, write: false } },
	);
	return { ...config, inputs: { ...config.inputs, mysql } };
}

async function inputFinding(input: Input, options: DoctorOptions): Promise<Finding> {
	const instance = input.target['instance'] ?? '';
	const what = `${input.name} ${instance}`;
	const deadline = new AbortController();
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => {
			deadline.abort();
			reject(new Error(`no result within ${input.timeoutMs} ms`));
		}, input.timeoutMs);
	});
	let families: readonly MetricFamily[] = [];
	let error: unknown = null;
	try {
		families = await Promise.race([input.collect(deadline.signal, options.clock.now()), late]);
	} catch (reason) {
		error = reason;
	} finally {
		clearTimeout(timer);
		await input.close().catch(() => undefined);
	}
	const failedParts = partsThatFailed(families);
	const unread = error === null && (isZero(families, 'fournines_access_log_up') || isZero(families, `${input.name}_up`));
	const symptom = {
		input: input.name,
		instance,
		error,
		failedParts,
		...accountOf(options.config, input),
		serverVersion: labelOf(families, 'mysql_version_info', 'version'),
		platform: options.platform ?? process.platform,
	};
	if (error !== null) return { what, state: 'failed', problem: errorText(error), advice: adviceFor(symptom) };
	if (unread) return { what, state: 'failed', problem: '', advice: adviceFor(symptom) };
	if (failedParts.length > 0) return { what, state: 'partly', problem: failedParts.join(', '), advice: adviceFor(symptom) };
	const mounts = deviceErrors(families);
	if (mounts.length > 0) {
		const text = words(
			'以下挂载点读不到容量：无权限，或设备不响应。',
			'The size of these mounts cannot be read: no permission, or the device does not answer.',
		);
		return { what, state: 'partly', problem: mounts.join(', '), advice: [{ text, lines: [] }] };
	}
	return { what, state: 'ok', problem: '', advice: [] };
}

/** Account and heartbeat table of the entry that the input came from, found by what its label `instance` says. */
function accountOf(config: AgentConfig, input: Input): { readonly username: string; readonly heartbeatTable: string } {
	const { inputs } = config;
	const instance = input.target['instance'] ?? '';
	const fits = (entry: { readonly instance?: string; readonly address?: string; readonly url?: string }) =>
		entry.instance === instance || (entry.address ?? entry.url ?? '').includes(instance) || instance.startsWith(entry.address ?? '\n');
	if (input.name === 'mysql') {
		const entry = inputs.mysql.find(fits);
		return { username: entry?.username ?? '', heartbeatTable: entry?.heartbeat?.table ?? '' };
	}
	const entry = input.name === 'redis' ? inputs.redis.find(fits) : input.name === 'tomcat' ? inputs.tomcat.find(fits) : undefined;
	return { username: entry?.username ?? '', heartbeatTable: '' };
}

function partsThatFailed(families: readonly MetricFamily[]): readonly string[] {
	const names = families.filter(({ name }) => /^(fournines_[a-z]+_(part|daily)_success|node_scrape_collector_success)$/.test(name));
	return names.flatMap(({ measurements }) => measurements.filter(({ value }) => value === 0).map(({ labels }) => labels[1] ?? ''));
}

function deviceErrors(families: readonly MetricFamily[]): readonly string[] {
	const family = families.find(({ name }) => name === 'node_filesystem_device_error');
	return (family?.measurements ?? [])
		.filter(({ value }) => value === 1)
		.map(({ labels }) => labels[labels.indexOf('mountpoint') + 1] ?? '');
}

function isZero(families: readonly MetricFamily[], name: string): boolean {
	return families.find((family) => family.name === name)?.measurements[0]?.value === 0;
}

function labelOf(families: readonly MetricFamily[], name: string, label: string): string {
	const labels = families.find((family) => family.name === name)?.measurements[0]?.labels ?? [];
	const at = labels.indexOf(label);
	return at < 0 ? '' : (labels[at + 1] ?? '');
}

function dataFinding(folder: string): Finding {
	const what = `data ${folder}`;
	try {
		if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
		accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
		return { what, state: 'ok', problem: '', advice: [] };
	} catch (error) {
		const text = words('缓存目录不可写：', 'The folder of the spool cannot be written:');
		return {
			what,
			state: 'failed',
			problem: errorText(error),
			advice: [{ text, lines: [`install -d -o ${AGENT_USER} -m 700 ${folder}`] }],
		};
	}
}

function logFinding(path: string): Finding {
	const what = `log ${path}`;
	try {
		accessSync(path, constants.R_OK);
		return { what, state: 'ok', problem: '', advice: [] };
	} catch (error) {
		const symptom = {
			input: 'log',
			instance: path,
			error: null,
			failedParts: [],
			username: '',
			serverVersion: '',
			heartbeatTable: '',
			platform: process.platform,
		};
		return { what, state: 'failed', problem: errorText(error), advice: adviceFor(symptom) };
	}
}

/** What the agent reads before it starts to send; those of sources fail with their source. Only what cannot be read is told. */
function secretFindings({ config, env, dataDir }: DoctorOptions): readonly Finding[] {
	const { collector, remote_write: others, last_resort: lastResort } = config;
	const enrolled = existsSync(join(dataDir, IDENTITY_FILE));
	const named: readonly (readonly [string, SecretRef | undefined])[] = [
		['collector.token', collector?.token],
		// Usually removed once it was exchanged.
		['collector.enrol_token', enrolled ? undefined : collector?.enrol_token],
		...others.flatMap(({ name, token, password }) => [
			[`remote_write ${name}`, token] as const,
			[`remote_write ${name}`, password] as const,
		]),
		['last_resort.url', lastResort?.url],
		['relay.callbacks.token', config.relay?.callbacks?.token],
	];
	return named.flatMap(([what, ref]): readonly Finding[] => {
		if (ref === undefined) return [];
		try {
			resolveSecret(ref, env);
			return [];
		} catch (error) {
			const text = words(
				'采集程序的用户读不到这个密钥，程序无法启动：',
				"The agent's user cannot read this secret, so the agent does not start:",
			);
			const lines = 'file' in ref ? [`chgrp ${AGENT_USER} ${ref.file}`, `chmod 640 ${ref.file}`] : [];
			return [{ what: `secret ${what}`, state: 'failed', problem: errorText(error), advice: [{ text, lines }] }];
		}
	});
}

async function collectorFinding(options: DoctorOptions, collector: NonNullable<AgentConfig['collector']>): Promise<Finding> {
	const what = `collector ${collector.url}`;
	try {
		const { status, headers } = await httpExchange(`${collector.url.replace(/\/+$/, '')}/-/ready`, {
			timeoutMs: 5000,
			headers: { 'user-agent': options.userAgent },
			...(collector.ca_file === undefined ? {} : { ca: readCaFile(collector.ca_file) }),
		});
		const date = Date.parse(String(headers['date'] ?? ''));
		const aheadSeconds = Number.isNaN(date) ? 0 : Math.round((options.clock.now() - date) / 1000);
		if (Math.abs(aheadSeconds) > 30) {
			const text = words(
				`本机时钟与采集端相差 ${aheadSeconds} 秒，请校时。`,
				`The clocks differ by ${aheadSeconds} s; set the clock of this host.`,
			);
			return { what, state: 'partly', problem: `clock ${aheadSeconds} s`, advice: [{ text, lines: ['chronyc makestep'] }] };
		}
		if (status < 400 || status === 503)
			return { what, state: status === 503 ? 'partly' : 'ok', problem: status === 503 ? 'not ready' : '', advice: [] };
		return { what, state: 'failed', problem: `answered ${status}`, advice: [] };
	} catch (error) {
		const network = words(
			'到采集端的网络不通：见下方的防火墙申请；私有证书请设置 collector.ca_file。',
			'The collector cannot be reached: see the firewall request below; for a private certificate set collector.ca_file.',
		);
		return { what, state: 'failed', problem: errorText(error), advice: [{ text: network, lines: [] }] };
	}
}

const STATES: Readonly<Record<Finding['state'], Words>> = {
	ok: words('正常', 'ok'),
	partly: words('部分', 'partly'),
	failed: words('失败', 'failed'),
};

/** The diagnosis as text for a terminal. */
export function formatDiagnosis(diagnosis: Diagnosis, language: Language): string {
	const say = (text: Words) => text[language];
	const lines: string[] = [];
	for (const { what, state, problem, advice } of diagnosis.findings) {
		lines.push(`[${say(STATES[state])}] ${what}${problem === '' ? '' : `: ${problem}`}`);
		for (const { text, lines: typed } of advice) {
			lines.push(`    ${say(text)}`);
			for (const line of typed) lines.push(`        ${line}`);
		}
	}
	lines.push('', say(words('防火墙申请（来源 → 目的 协议/端口：用途）', 'Firewall request (from → to protocol/port: why)')));
	for (const { from, to, protocol, port, why } of diagnosis.flows)
		lines.push(`    ${from} → ${to} ${protocol}${port === 0 ? '' : `/${port}`}: ${say(why)}`);
	if (diagnosis.flows.length === 0) lines.push(`    ${say(words('无：所有来源都在本机。', 'none: everything is on this host.'))}`);
	return `${lines.join('\n')}\n`;
}
