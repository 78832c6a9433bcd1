import { describe, expect, test } from 'vitest';
import { configOrThrow } from '../../core/config-file.ts';
import { type AgentConfig, parseAgentConfig } from '../config.ts';
import { checkCentralDocument, combineConfig } from './combine.ts';

const local = (central: Record<string, unknown> = {}): AgentConfig =>
	configOrThrow(parseAgentConfig(JSON.stringify({ collector: { url: 'http://c' }, central }), 'agent.yml'));
const probe = (more: Record<string, unknown>) => ({ probes: [{ id: 'a', kind: 'http', target: 'http://h/', ...more }] });
const journey = (more: Record<string, unknown>) => ({
	journeys: [{ id: 'j', base: 'http://h', steps: [{ name: 's', url: '/' }], ...more }],
});

function problems(inputs: Record<string, unknown>, config = local()): readonly string[] {
	const result = combineConfig(config, '1', { inputs });
	return result.kind === 'ok' ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('what a collector that was taken over can ask of a host', () => {
	test.each([
		[
			'a followed file',
			{ logs: [{ path: '/etc/shadow', kind: 'plain' }] },
			'inputs.logs.0.path: /etc/shadow is not below central.log_folders',
		],
		['a way around', { logs: [{ path: '/var/log/../../etc/shadow', kind: 'plain' }] }, 'inputs.logs.0.path: '],
		['a folder that begins alike', { logs: [{ path: '/var/logs/x', kind: 'plain' }] }, 'inputs.logs.0.path: '],
		['a relative file', { logs: [{ path: 'var/log/x', kind: 'plain' }] }, 'inputs.logs.0.path: '],
		['a counted file', { access_logs: [{ path: '/etc/shadow' }] }, 'inputs.access_logs.0.path: '],
		[
			'a file that is searched',
			{ push: [{ id: 'p', peer: 'x', schedule: { every: '1h' }, log: { path: '/etc/shadow', success: '(x)' } }] },
			'inputs.push.0.log.path: ',
		],
		['a program', { exec: [{ id: 'e', command: ['/bin/true'] }] }, 'inputs.exec: this host does not let the collector have programs run'],
		[
			'a program that is called ping',
			{ probes: [{ id: 'i', kind: 'icmp', target: 'h', icmp: { allow_child_process: true, command: '/tmp/evil' } }] },
			'inputs.probes.0.icmp.command: this host does not let',
		],
		['a file as a password', probe({ http: { username: 'u', password: { file: '/etc/shadow' } } }), 'inputs.probes.0.http.password: '],
		[
			'a file as a secret header',
			probe({ http: { secret_headers: { X: { file: '../shadow' } } } }),
			'inputs.probes.0.http.secret_headers.X: ',
		],
		['a secret that is called labels', journey({ secrets: { labels: { file: '/etc/shadow' } } }), 'inputs.journeys.0.secrets.labels: '],
		[
			'a header that is called headers',
			probe({ http: { secret_headers: { headers: { file: '/etc/shadow' } } } }),
			'inputs.probes.0.http.secret_headers.headers: ',
		],
		[
			'the environment',
			journey({ secrets: { a: { env: 'HOME' } } }),
			'inputs.journeys.0.secrets.a: a central configuration cannot name an environment variable',
		],
	])('not %s', (_name, inputs, expected) => {
		const found = problems(inputs);
		expect(found).toHaveLength(1);
		expect(found[0]?.startsWith(expected), found[0]).toBe(true);
	});

	test('what the host allows', () => {
		const inputs = {
			logs: [{ path: '/srv/app/x.log', kind: 'plain' }],
			access_logs: [{ path: '/srv/app/access.log' }],
			exec: [{ id: 'e', command: ['/bin/true'] }],
			probes: [{ id: 'i', kind: 'icmp', target: 'h', icmp: { allow_child_process: true, command: '/opt/ping' } }],
		};
		expect(problems(inputs, local({ log_folders: ['/srv/app'], allow_exec: true }))).toEqual([]);
		expect(checkCentralDocument({ inputs })).toEqual([]);
	});

	test('the ping of the system', () => {
		expect(problems({ probes: [{ id: 'i', kind: 'icmp', target: 'h', icmp: { allow_child_process: true } }] })).toEqual([]);
	});
});

test('texts stay what they are whatever they are called, and secrets come from the folder', () => {
	const config = configOrThrow(
		combineConfig(local({ secrets_dir: '/secrets' }), '1', {
			inputs: {
				...probe({ labels: { env: 'prod' }, http: { headers: { file: 'x' }, username: 'u', password: { file: 'portal' } } }),
				...journey({ variables: { env: 'prod' }, steps: [{ name: 's', url: '/', form: { file: 'a' }, headers: { env: 'b' } }] }),
			},
		}),
	);
	const [probed] = config.inputs.probes;
	expect(probed?.labels).toEqual({ env: 'prod' });
	expect(probed?.http).toMatchObject({ headers: { file: 'x' }, password: { file: '/secrets/portal' } });
	const [walked] = config.inputs.journeys;
	expect([walked?.variables, walked?.steps[0]?.form, walked?.steps[0]?.headers]).toEqual([{ env: 'prod' }, { file: 'a' }, { env: 'b' }]);
});
