import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type AgentOptions, type RunningAgent, startAgent } from '../../agent/app.ts';
import { parseAgentConfig } from '../../agent/config.ts';
import { provideOutboxKey, publicKeyPem } from '../../agent/outbox/key.ts';
import type { RunningCollector } from '../../collector/app.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import { configOrThrow } from '../../core/config-file.ts';
import { httpExchange } from '../../core/http-client.ts';
import { silentLogger } from '../../core/log.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../harness/process.ts';
import { startCollectorHere } from '../harness/trial-collector.ts';

let folder: TemporaryFolder;
let collector: RunningCollector;
const agents: RunningAgent[] = [];
const at = (...parts: string[]) => join(folder.path, ...parts);

beforeAll(async () => {
	folder = temporaryFolder('relay');
	writeFileSync(at('key.pem'), publicKeyPem(provideOutboxKey(at('data-far'))));
	// The inbox of the collector itself stays empty: it is there for the key.
	const inbox = [{ name: 'far', folder: at('unused'), senders: [{ name: 'far', public_key_file: at('key.pem') }] }];
	writeFileSync(at('collector.yml'), JSON.stringify({ server: { inbox } }));
	collector = await startCollectorHere({
		configFile: at('collector.yml'),
		dataDir: at('data'),
	});
});
afterEach(async () => {
	for (const agent of agents.splice(0)) await agent.stop();
});
afterAll(async () => {
	await collector.stop();
	folder.remove();
});

async function start(name: string, config: Record<string, unknown>, extra: Partial<AgentOptions> = {}): Promise<RunningAgent> {
	const text = JSON.stringify({ host: { name }, interval: '500ms', listen: '', inputs: { host: { enabled: false } }, ...config });
	const agent = await startAgent({
		config: configOrThrow(parseAgentConfig(text, 'agent.yml')),
		log: silentLogger,
		clock: systemClock,
		env: {},
		dataDir: at(`data-${name}`),
		version: '1.0.0',
		flushMs: 1000,
		...extra,
	});
	agents.push(agent);
	return agent;
}

const token = (name: string) => readFileSync(at('data', 'keys', `${name}.token`), 'utf8').trim();
const toCollector = () => ({ url: collector.address, token: { file: at('data', 'keys', 'local-agent.token') } });

async function query(expression: string): Promise<readonly { readonly value: readonly [number, string] }[]> {
	const response = await httpExchange(`${collector.address}/api/v1/query?query=${encodeURIComponent(expression)}`, {
		timeoutMs: 30_000,
		headers: { authorization: `Bearer ${token('local-read')}` },
	});
	return (JSON.parse(response.body.toString('utf8')) as { data: { result: { value: [number, string] }[] } }).data.result;
}

test('an agent behind a relay enrols, sends and is answered as if it reached the collector', async () => {
	const relay = await start('relay', { collector: toCollector(), relay: { listen: '127.0.0.1:0' } });
	const made = await httpExchange(`${collector.address}/api/fournines/v1/agents/enrolment-tokens`, {
		method: 'POST',
		timeoutMs: 30_000,
		headers: { authorization: `Bearer ${token('local-enrol')}`, 'content-type': 'application/json' },
		body: JSON.stringify({ host: 'behind', validSeconds: 600 }),
	});
	writeFileSync(at('enrol.token'), (JSON.parse(made.body.toString('utf8')) as { token: string }).token);
	writeFileSync(at('behind.log'), 'a line from behind\n');
	await start('behind', {
		collector: { url: `http://${relay.relayAddress}`, enrol_token: { file: at('enrol.token') } },
		inputs: { host: { enabled: false }, logs: [{ path: at('behind.log'), kind: 'plain', name: 'behind' }] },
	});
	await waitFor('samples from behind the relay', async () => (await query('fournines_agent_enrolled{host="behind"} == 1')).length === 1);
	await waitFor('its log', async () => (await query('sum(fournines_agent_log_records_total{host="behind"}) == 1')).length === 1);
	await waitFor(
		'what the relay says of itself',
		async () => (await query('fournines_agent_relayed_total{what="request", result="204"} > 0')).length === 1,
	);
});

test.each([
	{ path: '/api/v1/query?query=up', status: 404 },
	{ path: '/api/fournines/v1/agents', status: 404 },
	{ path: '/', status: 404 },
])('a relay does not let the zone to $path', async ({ path, status }) => {
	const relay = await start('relay', { collector: toCollector(), relay: { listen: '127.0.0.1:0' } });
	const response = await httpExchange(`http://${relay.relayAddress}${path}`, {
		timeoutMs: 30_000,
		headers: { authorization: `Bearer ${token('local-read')}` },
	});
	expect(response.status).toBe(status);
});

test('a relay without a collector says so, and what a stranger sends is refused by the collector', async () => {
	const away = await start('relay', { collector: { url: 'http://127.0.0.1:9' }, relay: { listen: '127.0.0.1:0' } });
	const send = (address: string) =>
		httpExchange(`http://${address}/api/v1/write`, {
			method: 'POST',
			timeoutMs: 30_000,
			headers: { authorization: 'Bearer nobody' },
			body: 'x',
		});
	expect((await send(away.relayAddress)).status).toBe(502);
	const relay = await start('relay-2', { collector: toCollector(), relay: { listen: '127.0.0.1:0' } });
	expect((await send(relay.relayAddress)).status).toBe(401);
});

test('transfer files pass two gap devices and a relay, unopened, and one that is missing is waited for', async () => {
	mkdirSync(at('between'));
	await start('far', { outbox: { folder: at('out-far'), interval: '1s' } });
	// Between the gap devices: an agent that only carries on.
	await start('between', {
		outbox: { folder: at('out-between'), interval: '1s' },
		relay: { inbox: [{ folder: at('between'), every: '1s' }] },
	});
	await start('relay', { collector: toCollector(), relay: { inbox: [{ folder: at('in'), every: '1s', delay: '2s' }] } });
	const waiting = (where: string) =>
		existsSync(where)
			? readdirSync(where)
					.filter((name) => name.startsWith('far-') && name.endsWith('.fnt'))
					.sort()
			: [];
	const carry = (from: string, to: string, names: readonly string[]) => {
		for (const name of names) {
			copyFileSync(join(from, name), join(to, name));
			rmSync(join(from, name));
		}
	};
	await waitFor('three files', () => waiting(at('out-far')).length >= 3);
	const [first = '', second = '', third = ''] = waiting(at('out-far'));
	carry(at('out-far'), at('between'), [first, second, third]);
	await waitFor('them behind the first device', () => waiting(at('out-between')).length === 3);
	carry(at('out-between'), at('in'), [first, third]);
	await waitFor('the first, and the third once the second is given up', () => waiting(at('in')).length === 0);
	await waitFor('the gap', async () => (await query('fournines_inbox_missing_files{sender="far"} == 1')).length === 1);
	carry(at('out-between'), at('in'), [second]);
	await waitFor('the second', () => waiting(at('in')).length === 0);
	expect((await query('fournines_agent_build_info{host="far"}')).length).toBe(1);
});

test('a clock that is set back an hour loses nothing, and neither does one that is set forward again', async () => {
	let offsetMs = 0;
	const clock: Clock = { ...systemClock, now: () => systemClock.now() + offsetMs };
	await start('shaky', { collector: toCollector(), interval: '200ms' }, { clock });
	const rounds = async (span: string) =>
		Number(
			(await query(`sum(count_over_time(fournines_agent_build_info{host="shaky"}[${span}] offset ${span === '30m' ? '45m' : '0s'}))`))[0]
				?.value[1] ?? 0,
		);
	await waitFor('some rounds now', async () => (await rounds('10m')) >= 3);
	offsetMs = -3_600_000;
	await waitFor('rounds of an hour ago', async () => (await rounds('30m')) >= 5);
	const before = await rounds('10m');
	offsetMs = 0;
	await waitFor('rounds of now again', async () => (await rounds('10m')) > before + 3);
	expect((await query('sum(fournines_agent_dropped_samples_total{host="shaky"}) > 0')).length).toBe(0);
	// Each round is one sample: none was refused, none was written twice.
	const pushed = await query('count_over_time(fournines_agent_build_info{host="shaky"}[2h])');
	expect(pushed).toHaveLength(1);
});
