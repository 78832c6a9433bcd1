import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AgentOptions, type RunningAgent, startAgent } from '../../agent/app.ts';
import { checkCentralDocument } from '../../agent/central/combine.ts';
import { parseAgentConfig } from '../../agent/config.ts';
import { systemClock } from '../../core/clock.ts';
import { configOrThrow } from '../../core/config-file.ts';
import { httpExchange } from '../../core/http-client.ts';
import { silentLogger } from '../../core/log.ts';
import type { AgentEntry, AgentListAnswer, EnrolmentTokenAnswer } from '../../protocol/agent-api.ts';
import { waitFor } from '../harness/process.ts';
import { startTrialCollector, type TrialCollector } from '../harness/trial-collector.ts';

let collector: TrialCollector;
const agents: RunningAgent[] = [];

beforeAll(async () => {
	collector = await startTrialCollector('enrol', {
		config: 'inventory:\n  hosts: [{ id: app-1, system: portal, zone: dmz, addresses: [10.0.0.1] }]\n',
		people: { 'root-of-it': 'system' },
		checkAgentDocument: checkCentralDocument,
	});
});
afterAll(async () => {
	for (const agent of agents) await agent.stop();
	await collector.remove();
});

const call = (method: string, path: string, body?: unknown) =>
	collector.call(method, path, { as: 'root-of-it', ...(body === undefined ? {} : { body }) });

async function oneTimeToken(host: string): Promise<string> {
	const response = await call('POST', '/api/fournines/v1/agents/enrolment-tokens', { host, validSeconds: 600 });
	expect(response.status).toBe(200);
	return (JSON.parse(response.text) as EnrolmentTokenAnswer).token;
}

async function startWith(host: string, tokenFile: string, extra: Partial<AgentOptions> = {}): Promise<RunningAgent> {
	const config = configOrThrow(
		parseAgentConfig(
			JSON.stringify({
				host: { name: host },
				interval: '1s',
				listen: '127.0.0.1:0',
				collector: { url: collector.address, enrol_token: { file: tokenFile } },
				central: { interval: '1s', secrets_dir: join(collector.folder, 'secrets') },
				inputs: { host: { enabled: false } },
			}),
			'agent.yml',
		),
	);
	const dataDir = join(collector.folder, `agent-${host}`);
	const agent = await startAgent({
		config,
		log: silentLogger,
		clock: systemClock,
		env: {},
		dataDir,
		version: '1.2.3',
		flushMs: 1000,
		...extra,
	});
	agents.push(agent);
	return agent;
}

async function entry(host: string): Promise<AgentEntry | undefined> {
	const response = await call('GET', '/api/fournines/v1/agents');
	return (JSON.parse(response.text) as AgentListAnswer).agents.find((agent) => agent.host === host);
}

const central = (target: string, text: string) => call('PUT', `/api/fournines/v1/agents/configs/${target}`, { text, note: 'test' });

test('an agent enrols with a one-time token, gets its labels, is configured centrally, and is revoked', async () => {
	const tokenFile = join(collector.folder, 'one.token');
	writeFileSync(tokenFile, await oneTimeToken('app-1'));
	const agent = await startWith('app-1', tokenFile);
	await waitFor(
		'samples with the labels of the inventory',
		async () => (await collector.query('fournines_agent_enrolled{host="app-1", system="portal", zone="dmz"} == 1')).length === 1,
	);
	const kept = readFileSync(join(collector.folder, 'agent-app-1', 'identity.json'), 'utf8');
	expect(JSON.parse(kept)).toMatchObject({ host: 'app-1', system: 'portal', zone: 'dmz' });

	expect(
		(
			await central(
				'system:portal',
				`interval: 2s\ninputs: { probes: [{ id: one, kind: tcp, target: "${hostPort()}", interval: 1s, timeout: 500ms }] }`,
			)
		).status,
	).toBe(204);
	expect(
		(await central('host:app-1', `inputs: { probes: [{ id: two, kind: tcp, target: "${hostPort()}", interval: 1s, timeout: 500ms }] }`))
			.status,
	).toBe(204);
	await waitFor('both probes', async () => (await collector.query('probe_success{check=~"one|two"}')).length === 2);
	await waitFor('the report', async () => (await entry('app-1'))?.state === 'applied');
	const applied = await entry('app-1');
	expect(applied).toMatchObject({ agentVersion: '1.2.3', revoked: false, configVersion: applied?.wantedVersion });

	// Two documents that are fine alone and not together: the agent says so and goes on with what it had.
	await central('host:app-1', `inputs: { probes: [{ id: one, kind: tcp, target: "${hostPort()}" }] }`);
	await waitFor('the failure', async () => (await entry('app-1'))?.state === 'failed');
	expect((await entry('app-1'))?.reason).toContain('"one" is already the id of inputs.probes[0]');
	await waitFor(
		'the metric',
		async () => (await collector.query('fournines_agent_central_config_failing{host="app-1"} == 1')).length === 1,
	);
	expect((await collector.query('probe_success{check=~"one|two"}')).length).toBe(2);

	// Taken away, the series end at once.
	await central('host:app-1', '');
	await waitFor('the end of one probe', async () => (await collector.query('probe_success{check=~"one|two"}')).length === 1);

	expect((await call('DELETE', '/api/fournines/v1/agents/app-1')).status).toBe(204);
	await waitFor('the hold', async () =>
		(await metricsOf(agent)).includes(
			'fournines_agent_uplink_held{host="app-1",instance="app-1",job="agent",reason="unauthorized",system="portal",zone="dmz"} 1',
		),
	);
	expect(await entry('app-1')).toMatchObject({ revoked: true });
});

test('a host that moves to another system is labelled so, also where nothing is configured centrally', async () => {
	const inventory = (system: string) =>
		writeFileSync(
			join(collector.folder, 'collector.yml'),
			`inventory:\n  hosts: [{ id: app-1, system: portal, zone: dmz, addresses: [10.0.0.1] }, { id: mover, system: ${system}, zone: dmz }]\n`,
		);
	inventory('before');
	await collector.reload();
	const tokenFile = join(collector.folder, 'mover.token');
	writeFileSync(tokenFile, await oneTimeToken('mover'));
	const agent = await startWith('mover', tokenFile);
	await waitFor('the first labels', async () => (await metricsOf(agent)).includes('system="before"'));
	await waitFor('the first question', async () => (await entry('mover'))?.state === 'none');
	inventory('after');
	await collector.reload();
	await waitFor('the new labels', async () => (await metricsOf(agent)).includes('system="after"'));
	await agent.stop();
	const away = configOrThrow(
		parseAgentConfig(
			JSON.stringify({
				host: { name: 'mover' },
				interval: '1s',
				listen: '127.0.0.1:0',
				collector: { url: 'http://127.0.0.1:9', enrol_token: { file: tokenFile } },
				inputs: { host: { enabled: false } },
			}),
			'agent.yml',
		),
	);
	const again = await startWith('mover', tokenFile, { config: away });
	await waitFor('the new labels after a restart without a collector', async () => (await metricsOf(again)).includes('system="after"'));
});

test('without a collector the last good configuration stays in force, also after a restart', async () => {
	const tokenFile = join(collector.folder, 'two.token');
	writeFileSync(tokenFile, await oneTimeToken(''));
	await central('host:app-2', `inputs: { probes: [{ id: kept, kind: tcp, target: "${hostPort()}", interval: 1s, timeout: 500ms }] }`);
	const agent = await startWith('app-2', tokenFile);
	await waitFor('the probe', async () => (await collector.query('probe_success{check="kept"}')).length === 1);
	await agent.stop();
	writeFileSync(tokenFile, '');
	const away = configOrThrow(
		parseAgentConfig(
			JSON.stringify({
				host: { name: 'app-2' },
				interval: '1s',
				listen: '127.0.0.1:0',
				collector: { url: 'http://127.0.0.1:9', enrol_token: { file: tokenFile } },
				inputs: { host: { enabled: false } },
			}),
			'agent.yml',
		),
	);
	const again = await startWith('app-2', tokenFile, { config: away });
	await waitFor('the probe without a collector', async () => (await metricsOf(again)).includes('check="kept"'));
});

test('a one-time token is good for one agent, for its host, and only with the key that it was used with', async () => {
	const token = await oneTimeToken('app-3');
	const tokenFile = join(collector.folder, 'three.token');
	writeFileSync(tokenFile, token);
	const wrong = await startWith('app-4', tokenFile);
	await startWith('app-3', tokenFile);
	await waitFor('the right host', async () => (await entry('app-3')) !== undefined);
	await wrong.stop();
	expect(await entry('app-4')).toBeUndefined();
	// Another agent on the same host, which has another key.
	const stolen = await startWith('app-3', tokenFile, { dataDir: join(collector.folder, 'stolen') });
	const before = await entry('app-3');
	await stolen.stop();
	expect((await entry('app-3'))?.enrolledAtMs).toBe(before?.enrolledAtMs);
	expect(() => readFileSync(join(collector.folder, 'stolen', 'identity.json'))).toThrow('ENOENT');
});

test.each([
	{ text: 'inputs: { nonsense: [] }', says: 'nonsense' },
	{ text: 'spool: { max_bytes: 1 }', says: 'only interval and inputs can' },
	{ text: 'inputs: [', says: 'not valid YAML' },
	{ text: 'inputs: { mysql: [{ address: "10.0.0.1:3306", username: x, password: { file: /etc/shadow } }] }', says: 'leave folders out' },
	{ text: 'inputs: { mysql: [{ address: "10.0.0.1:3306", username: x, password: { env: HOME } }] }', says: 'environment variable' },
])('a central configuration with a mistake is refused: $text', async ({ text, says }) => {
	const response = await central('all', text);
	expect(response.status).toBe(400);
	expect(response.text).toContain(says);
});

test('whoever may only push cannot make one-time tokens or configure agents', async () => {
	for (const [method, path, body] of [
		['POST', '/api/fournines/v1/agents/enrolment-tokens', { host: '', validSeconds: 600 }],
		['PUT', '/api/fournines/v1/agents/configs/all', { text: '', note: '' }],
		['DELETE', '/api/fournines/v1/agents/app-1', undefined],
	] as const) {
		const response = await collector.call(method, path, { token: 'local-agent', ...(body === undefined ? {} : { body }) });
		expect(response.status).toBe(403);
	}
});

function hostPort(): string {
	return new URL(collector.address).host;
}

async function metricsOf(agent: RunningAgent): Promise<string> {
	return (await httpExchange(`http://${agent.address}/metrics`, { timeoutMs: 30_000 })).body.toString('utf8');
}
