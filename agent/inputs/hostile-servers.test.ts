import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import { type HostileServer, type Misbehaviour, PREFACE, startHostileServer } from '../../tests/harness/hostile-server.ts';
import { waitFor } from '../../tests/harness/process.ts';
import { Rounds } from '../rounds/rounds.ts';
import { type Input, singleGauge } from './input.ts';
import { createMysqlInput } from './mysql/input.ts';
import { createNginxInput } from './nginx/input.ts';
import { createRedisInput } from './redis/input.ts';
import { createTomcatInput } from './tomcat/input.ts';

const servers: HostileServer[] = [];
const opened: Input[] = [];
afterEach(async () => {
	for (const input of opened.splice(0)) await input.close();
	for (const server of servers.splice(0)) await server.stop();
});

const TIMEOUT_MS = 600;

const SOURCES: Readonly<Record<string, { readonly preface: string | Buffer; readonly create: (port: number) => Input }>> = {
	nginx: {
		preface: PREFACE.http,
		create: (port) => createNginxInput({ ...base('nginx'), url: `http://127.0.0.1:${port}/nginx_status`, userAgent: 'test' }),
	},
	tomcat: {
		preface: PREFACE.http,
		create: (port) =>
			createTomcatInput({
				...base('tomcat'),
				url: `http://127.0.0.1:${port}`,
				username: 'a',
				password: () => null,
				userAgent: 'test',
				way: 'manager',
			}),
	},
	mysql: {
		preface: PREFACE.mysql,
		create: (port) =>
			createMysqlInput({ ...base('mysql'), address: `127.0.0.1:${port}`, username: 'a', password: () => null, log: silentLogger }),
	},
	redis: {
		preface: PREFACE.redis,
		create: (port) => createRedisInput({ ...base('redis'), address: `127.0.0.1:${port}`, username: null, password: () => null }),
	},
};

function base(job: string) {
	return { target: { job, instance: job }, intervalMs: 1000, timeoutMs: TIMEOUT_MS };
}

/** A source that is well, to be read beside the one that is not. */
const healthy: Input = {
	name: 'healthy',
	target: { job: 'healthy', instance: 'healthy' },
	intervalMs: 1000,
	timeoutMs: TIMEOUT_MS,
	onFailure: [],
	collect: async () => [singleGauge('healthy', '', 1)],
	close: async () => {},
};

describe.each(Object.keys(SOURCES))('%s', (kind) => {
	test.each<Misbehaviour>([
		'hung',
		'slow',
		'endless',
		'malformed',
	])('a server that is %s costs this source only, and little memory', async (behaviour) => {
		const source = SOURCES[kind] as (typeof SOURCES)[string];
		const server = await startHostileServer(behaviour, source.preface);
		servers.push(server);
		const input = source.create(server.port);
		opened.push(input);
		const batches: string[] = [];
		const rounds = new Rounds({
			inputs: [input, healthy],
			agentTarget: { job: 'agent' },
			sink: (batch) => {
				for (const series of batch) batches.push(`${series.labels.join(' ')} = ${series.samples[0]?.value}`);
			},
			onMissed: () => undefined,
			clock: systemClock,
			log: silentLogger,
			phase: 0,
		});
		const before = process.memoryUsage();
		let most = 0;
		const watch = setInterval(() => {
			const now = process.memoryUsage();
			most = Math.max(most, now.heapUsed - before.heapUsed + (now.external - before.external));
		}, 20);
		// A second round shows that the first has left the input able to go on.
		await rounds.once();
		await rounds.once();
		clearInterval(watch);
		const down = `__name__ ${kind}_up instance ${kind} job ${kind} = 0`;
		expect(batches.filter((line) => line === down)).toHaveLength(2);
		expect(batches.filter((line) => line === '__name__ healthy instance healthy job healthy = 1')).toHaveLength(2);
		expect(
			batches.filter((line) => line.startsWith('__name__ fournines_agent_input_up input healthy') && line.endsWith('= 1')),
		).toHaveLength(2);
		expect(most).toBeLessThan(120 * 1024 * 1024);
		expect(server.sentBytes()).toBeLessThan(100 * 1024 * 1024);
		await waitFor('the connection to be given up', () => server.connections() === 0);
	}, 20_000);
});
