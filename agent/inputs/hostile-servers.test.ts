import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { labelValue } from '../../core/labels.ts';
import { silentLogger } from '../../core/log.ts';
import { type HostileServer, type Misbehaviour, PREFACE, startHostileServer } from '../../tests/harness/hostile-server.ts';
import { waitFor } from '../../tests/harness/process.ts';
import { Rounds } from '../rounds/rounds.ts';
import { oneInput } from './input.fixture.ts';
import type { Input } from './input.ts';

const servers: HostileServer[] = [];
const opened: Input[] = [];
afterEach(async () => {
	for (const input of opened.splice(0)) await input.close();
	for (const server of servers.splice(0)) await server.stop();
});

const timing = { interval: '10s', timeout: '500ms' };
const account = { username: 'a', password: { env: 'P' } };
const daily = { at: ['23:00'] };

/** What reads the server, and the series that says that it is down. */
const SOURCES: Readonly<
	Record<string, { readonly preface: string | Buffer; readonly inputs: (port: number) => object; readonly down: string }>
> = {
	'an http check': {
		preface: PREFACE.http,
		inputs: (port) => ({ probes: [{ id: 'c', kind: 'http', target: `http://127.0.0.1:${port}/`, ...timing, expect: { text: 'up' } }] }),
		down: 'probe_success',
	},
	'a tls check': {
		preface: Buffer.from([0x16, 3, 3, 0x40, 0]),
		inputs: (port) => ({ probes: [{ id: 'c', kind: 'tls', target: `127.0.0.1:${port}`, ...timing }] }),
		down: 'probe_success',
	},
	'a tcp check': {
		preface: '',
		inputs: (port) => ({ probes: [{ id: 'c', kind: 'tcp', target: `127.0.0.1:${port}`, ...timing, dialogue: [{ expect: '^220 ' }] }] }),
		down: 'probe_success',
	},
	'a dns check': {
		preface: Buffer.from([0xff, 0xff]),
		inputs: (port) => ({
			probes: [{ id: 'c', kind: 'dns', target: `127.0.0.1:${port}`, ...timing, dns: { name: 'a.test', transport: 'tcp' } }],
		}),
		down: 'probe_success',
	},
	'a sql check': {
		preface: PREFACE.mysql,
		inputs: (port) => ({ probes: [{ id: 'c', kind: 'sql', target: `127.0.0.1:${port}`, ...timing, sql: account }] }),
		down: 'probe_success',
	},
	'a journey': {
		preface: PREFACE.http,
		inputs: (port) => ({
			journeys: [{ id: 'c', base: `http://127.0.0.1:${port}`, ...timing, steps: [{ name: 's', url: '/', expect: { text: 'up' } }] }],
		}),
		down: 'probe_success',
	},
	'a push by http': {
		preface: PREFACE.http,
		inputs: (port) => ({
			push: [{ id: 'p', schedule: daily, ...timing, http: { url: `http://127.0.0.1:${port}/`, fields: { last_success: '$.t' } } }],
		}),
		down: 'interface_up',
	},
	'a push by sql': {
		preface: PREFACE.mysql,
		inputs: (port) => ({
			push: [{ id: 'p', schedule: daily, ...timing, sql: { address: `127.0.0.1:${port}`, ...account, query: 'SELECT 1 AS last_success' } }],
		}),
		down: 'interface_up',
	},
	'a reconciliation': {
		preface: PREFACE.http,
		inputs: (port) => {
			const end = { http: { url: `http://127.0.0.1:${port}/`, dates: '$[*].d', counts: '$[*].n' } };
			return { reconcile: [{ id: 'r', ...timing, source: end, target: end }] };
		},
		down: 'interface_reconcile_up',
	},
	statements: {
		preface: PREFACE.mysql,
		inputs: (port) => ({
			sql: [{ address: `127.0.0.1:${port}`, ...account, ...timing, queries: [{ name: 'a', query: 'SELECT 1 AS v', values: ['v'] }] }],
		}),
		down: 'sql_up',
	},
	nginx: {
		preface: PREFACE.http,
		inputs: (port) => ({ nginx: [{ url: `http://127.0.0.1:${port}/nginx_status`, ...timing }] }),
		down: 'nginx_up',
	},
	tomcat: {
		preface: PREFACE.http,
		inputs: (port) => ({ tomcat: [{ url: `http://127.0.0.1:${port}`, ...account, way: 'manager', ...timing }] }),
		down: 'tomcat_up',
	},
	mysql: {
		preface: PREFACE.mysql,
		inputs: (port) => ({ mysql: [{ address: `127.0.0.1:${port}`, ...account, ...timing }] }),
		down: 'mysql_up',
	},
	redis: {
		preface: PREFACE.redis,
		inputs: (port) => ({ redis: [{ address: `127.0.0.1:${port}`, ...timing }] }),
		down: 'redis_up',
	},
	'an exporter': {
		preface: PREFACE.http,
		inputs: (port) => ({ scrape: [{ url: `http://127.0.0.1:${port}/metrics`, job: 'x', ...timing }] }),
		down: 'up',
	},
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
		const input = oneInput(source.inputs(server.port), { P: 'p' });
		const healthy = oneInput({ exec: [{ id: 'healthy', command: ['/bin/echo', 'healthy 1'] }] });
		opened.push(input, healthy);
		const lines: string[] = [];
		const rounds = new Rounds({
			inputs: [input, healthy],
			agentTarget: { job: 'agent' },
			sink: (batch) => {
				for (const { labels, samples } of batch) {
					const input = labelValue(labels, 'input');
					lines.push(`${labelValue(labels, '__name__')}${input === '' ? '' : ` ${input}`} ${samples[0]?.value}`);
				}
			},
			onMissed: () => {},
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
		// The second round shows that the first has left the input able to go on.
		await rounds.once();
		await rounds.once();
		clearInterval(watch);
		expect(lines.filter((line) => line === `${source.down} 0`)).toHaveLength(2);
		expect(lines.filter((line) => line === 'healthy 1')).toHaveLength(2);
		expect(lines.filter((line) => line === 'fournines_agent_input_up exec 1')).toHaveLength(2);
		expect(most).toBeLessThan(120 * 1024 * 1024);
		expect(server.sentBytes()).toBeLessThan(100 * 1024 * 1024);
		await waitFor('the connections to be given up', () => server.connections() === 0);
	});
});
