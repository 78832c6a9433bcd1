import { expect, test } from 'vitest';
import { problemsOf } from './input.fixture.ts';

test('every mistake of these inputs is told at once, with its path', () => {
	const found = problemsOf({
		probes: [
			{ id: 'a', kind: 'icmp', target: 'h' },
			{
				id: 'a',
				kind: 'http',
				target: 'h:1',
				expect: { matches: ['(?<=a)b'], json: [{ path: '$..x' }], headers: { x: '(' }, final_url: '[' },
			},
			{ id: 'c', kind: 'dns', target: '10.0.0.2', resolver: 'dns.example', cert_file: '/c' },
			{
				id: 'd',
				kind: 'tcp',
				target: 'h',
				expect: { text: 'x' },
				dns: { name: 'x' },
				sql: { username: 'u' },
				interval: '5s',
				timeout: '6s',
			},
			{ id: 'e', kind: 'tls', target: '/socket', dialogue: [{ expect: '(' }, { starttls: true }] },
			{ id: 'f', kind: 'sql', target: 'h:1', dialogue: [{ send: 'x' }] },
			{ id: 'g', kind: 'sql', target: 'h:1', sql: { username: 'u', query: 'DELETE FROM t' } },
			{ id: 'h', kind: 'http', target: 'http://h/', http: { body: 'x', username: 'u', bearer: { env: 'T' }, proxy: 'http://' } },
			{ id: 'i', kind: 'http', target: 'http://h/', http: { password: { env: 'P' } }, expect: { min_bytes: 2, max_bytes: 1 } },
			{ id: 'j', kind: 'dns', target: '10.0.0.2', dns: { name: 'x', rcodes: ['MAYBE'] } },
		],
	}).map((line) => line.slice(0, line.indexOf(': ')));
	expect(found.sort()).toEqual(
		[
			'inputs.probes[0].icmp.allow_child_process',
			'inputs.probes[1].id',
			'inputs.probes[1].target',
			'inputs.probes[1].expect.matches[0]',
			'inputs.probes[1].expect.json[0].path',
			'inputs.probes[1].expect.headers.x',
			'inputs.probes[1].expect.final_url',
			'inputs.probes[2]',
			'inputs.probes[2].resolver',
			'inputs.probes[2].cert_file',
			'inputs.probes[3].expect',
			'inputs.probes[3].target',
			'inputs.probes[3].dns',
			'inputs.probes[3].sql',
			'inputs.probes[3].timeout',
			'inputs.probes[4].target',
			'inputs.probes[4].dialogue[0].expect',
			'inputs.probes[4].dialogue[1].starttls',
			'inputs.probes[5]',
			'inputs.probes[5].dialogue',
			'inputs.probes[6].sql.query',
			'inputs.probes[7].http.body',
			'inputs.probes[7].http.bearer',
			'inputs.probes[7].http.proxy',
			'inputs.probes[8].http.password',
			'inputs.probes[8].expect.min_bytes',
			'inputs.probes[9].dns.rcodes[0]',
		].sort(),
	);
});
