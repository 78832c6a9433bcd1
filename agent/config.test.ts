import { describe, expect, test } from 'vitest';
import { parseAgentConfig } from './config.ts';

const problems = (text: string) => {
	const result = parseAgentConfig(text, 'agent.yml');
	return result.kind === 'ok' ? [] : result.problems.map(({ line, path, message }) => `${line} ${path}: ${message}`);
};

test('an empty file is a working configuration', () => {
	const result = parseAgentConfig('', 'agent.yml');
	expect(result).toMatchObject({
		kind: 'ok',
		config: {
			host: { name: '', system: '', zone: '' },
			interval: '10s',
			listen: '127.0.0.1:9998',
			data: './data/agent',
			spool: { max_bytes: 536870912, max_age: '7d' },
			inputs: { host: { enabled: true, timeout: '5s', mounts_exclude: '', remote_mounts: false, containers: true, units: [] } },
		},
	});
	const inputs = result.kind === 'ok' ? result.config.inputs : {};
	// Nothing is watched that was not asked for, besides the host itself.
	expect(Object.entries(inputs).filter(([name, value]) => name !== 'host' && Array.isArray(value) && value.length > 0)).toEqual([]);
});

test('defaults reach the entries of lists, each with its own objects', () => {
	const result = parseAgentConfig('inputs:\n  nginx:\n    - url: http://a/\n    - url: http://b/\n', 'agent.yml');
	expect(result).toMatchObject({
		kind: 'ok',
		config: {
			inputs: {
				nginx: [
					{ timeout: '5s', labels: {} },
					{ timeout: '5s', labels: {} },
				],
			},
		},
	});
});

const lastResort = (more: string, listen: string) =>
	`collector: { url: "http://c" }\nlisten: "${listen}"\nlast_resort: { channel: webhook, url: { env: URL }, agents: ["10.0.0.1:9998", "10.0.0.2:9998"], self: "10.0.0.1:9998", ${more} }\n`;

test('a last resort whose agents can ask each other is good, and so is one of an agent alone', () => {
	expect(problems(lastResort('after: 15m', '0.0.0.0:9998'))).toEqual([]);
	expect(problems(lastResort('after: 15m', '').replace('"10.0.0.2:9998"', ''))).toEqual([]);
});

describe('mistakes', () => {
	test.each([
		['an unknown key', 'colector: {}', '1 colector: unknown key; did you mean "collector"?'],
		['a wrong type', 'interval: 10', '1 interval: '],
		[
			'a group of processes that takes all',
			'inputs:\n  host:\n    processes: [{ name: a }]\n',
			'3 inputs.host.processes[0]: needs "comm" or "command"',
		],
		[
			'a pattern that is none',
			'inputs:\n  host:\n    processes: [{ name: a, command: "(" }]\n',
			'3 inputs.host.processes[0].command: "(" is not a regular expression',
		],
		[
			'a port that is expected and ignored',
			'inputs:\n  host:\n    ports: { expected: [80], ignored: [80] }\n',
			'3 inputs.host.ports.ignored: 80 is expected as well',
		],
		['no interval', 'interval: 0s', '1 interval: must be longer than zero'],
		['a secret inline', 'inputs:\n  mysql:\n    - address: a\n      username: u\n      password: plain\n', '5 inputs.mysql[0].password: '],
		['an address that is none', 'collector: { url: "ftp://x" }', '1 collector.url: '],
		[
			'two checks of one name',
			'inputs:\n  probes:\n    - { id: a, kind: tcp, target: "h:1" }\n    - { id: a, kind: tcp, target: "h:2" }\n',
			'4 inputs.probes[1].id: "a" is already the id of inputs.probes[0]',
		],
		[
			'a tcp target without a port',
			'inputs:\n  probes:\n    - { id: a, kind: tcp, target: h }\n',
			'3 inputs.probes[0].target: a tcp probe needs host:port',
		],
		['an http target that is none', 'inputs:\n  probes:\n    - { id: a, kind: http, target: "h:1" }\n', '3 inputs.probes[0].target: '],
		[
			'a check slower than its interval',
			'inputs:\n  probes:\n    - { id: a, kind: tcp, target: "h:1", interval: 5s, timeout: 6s }\n',
			'3 inputs.probes[0].timeout: longer than the interval (5s)',
		],
		[
			'one source twice',
			'inputs:\n  redis:\n    - address: 127.0.0.1:6379\n    - address: 127.0.0.1:6379\n',
			'4 inputs.redis[1]: the same source as inputs.redis[0]',
		],
		['logs without a collector', 'inputs:\n  logs:\n    - { path: /a, kind: sshd }\n', '2 inputs.logs: log files are sent to a collector'],
		[
			'two logs of one name',
			'collector: { url: "http://c" }\ninputs:\n  logs:\n    - { path: /a/x.log, kind: plain }\n    - { path: /b/x.log, kind: plain }\n',
			'5 inputs.logs[1]: inputs.logs[0] has the stream name "x" already',
		],
		[
			'a zone that is none',
			'collector: { url: "http://c" }\ninputs:\n  logs:\n    - { path: /a, kind: sshd, time_zone: Mars/Base }\n',
			'4 inputs.logs[0].time_zone: "Mars/Base" is not a time zone',
		],
		['a spool that keeps nothing', 'spool: { max_age: 0s }', '1 spool.max_age: must be longer than zero'],
		['no time to send in', 'collector: { url: "http://c", timeout: 0s }', '1 collector.timeout: must be longer than zero'],
		[
			'an inbox that is looked at without a pause',
			'collector: { url: "http://c" }\nrelay: { inbox: [{ folder: /in, every: 0s }] }\n',
			'2 relay.inbox[0].every: ',
		],
		['a last resort at once', lastResort('after: 0s', '0.0.0.0:9998'), '3 last_resort.after: must be longer than zero'],
		[
			'a last resort that no other agent can ask',
			lastResort('after: 15m', '127.0.0.1:9998'),
			'3 last_resort.agents: the others ask this one',
		],
		['a last resort without an answer to others', lastResort('after: 15m', ''), '3 last_resort.agents: the others ask this one'],
		['an expression that is none', 'inputs: { host: { mounts_exclude: "(" } }', '1 inputs.host.mounts_exclude: '],
	])('%s', (_name, text, expected) => {
		const found = problems(text);
		expect(found).toHaveLength(1);
		expect(found[0]?.startsWith(expected), found[0]).toBe(true);
	});

	test('all are reported at once', () => {
		expect(problems('interval: 0s\nlisten: nowhere\nspool: { max_bytes: 1 }\n').length).toBeGreaterThanOrEqual(2);
	});
});
