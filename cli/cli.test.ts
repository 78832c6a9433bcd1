import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openArchive } from '../collector/audit/archive.ts';
import { systemClock } from '../core/clock.ts';
import { silentLogger } from '../core/log.ts';
import { type TemporaryFolder, temporaryFolder } from '../tests/harness/process.ts';
import { parseMoment } from './audit-command.ts';
import { formatData } from './query-command.ts';

let folder: TemporaryFolder;
beforeEach(() => {
	folder = temporaryFolder('cli');
});
afterEach(() => folder.remove());

function run(...args: readonly string[]): { readonly code: number | null; readonly out: string; readonly err: string } {
	const result = spawnSync(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], { encoding: 'utf8', cwd: folder.path });
	return { code: result.status, out: result.stdout, err: result.stderr };
}

function write(name: string, text: string): string {
	const path = join(folder.path, name);
	writeFileSync(path, text);
	return path;
}

describe('help teaches', () => {
	test('the command alone lists its parts', () => {
		const { code, out } = run();
		expect(code).toBe(2);
		for (const name of ['up', 'collector', 'agent', 'check', 'query', 'rules', 'contracts', 'report', 'audit', 'backup', 'restore'])
			expect(out).toMatch(new RegExp(`^  ${name} `, 'm'));
	});

	test.each([
		'up',
		'collector',
		'agent',
		'check',
		'query',
		'rules',
		'contracts',
		'report',
		'audit',
		'backup',
		'restore',
	])('%s --help shows an example', (name) => {
		const { code, out } = run(name, '--help');
		expect(code).toBe(0);
		expect(out).toMatch(name === 'up' ? /npm start/ : new RegExp(`^ {2}fournines ${name} `, 'm'));
	});

	test.each([
		{ name: 'an unknown command', args: ['chekc'], say: 'there is no command "chekc"' },
		{ name: 'an unknown option', args: ['query', 'up', '--since', '1h'], say: '--since' },
		{ name: 'a missing argument', args: ['query'], say: 'give one expression' },
		{ name: 'a month without a month', args: ['report', 'availability'], say: '--month is needed' },
	])('$name is refused with 2', ({ args, say }) => {
		const { code, err } = run(...args);
		expect(code).toBe(2);
		expect(err).toContain(say);
		expect(err).not.toContain('    at ');
	});
});

describe('check', () => {
	test('lists every mistake of a configuration with its line and key', () => {
		const file = write(
			'collector.yml',
			`server:
  listen: nowhere
  listn: 127.0.0.1:1
alerts:
  receivers:
    - name: default
      wechat_robot_configs:
        - key: secret-in-the-open
inventory:
  services:
    - { id: a, name: A, target: "100.5", checks: [] }
colour: red
`,
		);
		const { code, out } = run('check', file);
		expect(code).toBe(1);
		const places = out.split('\n').map((line) => line.replace(`${file}:`, ''));
		for (const place of [
			'2: server.listen',
			'3: server.listn: unknown key; did you mean "listen"',
			'8: alerts.receivers[0].wechat_robot_configs[0].key',
			'11: inventory.services[0].target',
			'12: colour: unknown key',
		]) {
			expect(
				places.some((line) => line.startsWith(place)),
				`${place} in\n${out}`,
			).toBe(true);
		}
	});

	test('names the rule of a broken rule file', () => {
		const file = write(
			'rules.yml',
			'groups:\n  - name: g\n    rules:\n      - alert: Broken\n        expr: rate(up)\n      - alert: Fine\n        expr: up == 0\n',
		);
		const { code, out } = run('check', file);
		expect(code).toBe(1);
		expect(out).toContain('Broken');
		expect(out).not.toContain('Fine');
	});

	test('reads the rules that a collector would load, and the thresholds that it sets for them', () => {
		write(
			'own.yml',
			'groups:\n  - name: g\n    rules:\n      - { alert: Broken, expr: rate(up) }\n      - { alert: Busy, expr: busy > 1 }\n',
		);
		const file = write('checked.yml', 'rules:\n  files: [own.yml, gone.yml]\n  thresholds: [{ rule: Bsy, value: 2 }]\n');
		const { code, out } = run('check', file);
		expect(code).toBe(1);
		expect(out).toMatch(/own\.yml:4.*"Broken"/);
		expect(out).toMatch(/gone\.yml.*the rule file does not exist/);
		expect(out).toContain('rules.thresholds: there is no alert "Bsy" in the rule files');
		expect(run('check', write('fine.yml', 'rules:\n  thresholds: [{ rule: HostCpuBusy, value: 0.95, host: a }]\n'))).toMatchObject({
			code: 0,
		});
	});

	test('knows an agent file by its keys, and what is good', () => {
		expect(run('check', write('agent.yml', 'inputs:\n  nginx: [{ url: "http://127.0.0.1/status" }]\n'))).toMatchObject({
			code: 0,
			out: expect.stringContaining('good'),
		});
		expect(run('check', write('bad-agent.yml', 'inputs:\n  nginx: [{ uri: "http://127.0.0.1/status" }]\n')).out).toContain(
			'did you mean "url"',
		);
	});

	test('says which patterns of rule files find nothing', () => {
		const { code, out } = run('check', write('typo.yml', 'rules:\n  files:\n    - rules/*.yml\n    - ruels/*.yml\n'));
		expect([code, out]).toEqual([
			0,
			expect.stringMatching(/typo\.yml:4: rules\.files\[1\].*WARNING: no rule file is called "ruels\/\*\.yml"[\s\S]*good/),
		]);
		expect(out.match(/WARNING/g)).toHaveLength(1);
	});

	test('takes a certificate that nobody checks, and says so with its line each time', () => {
		const receivers = `receivers:
  - name: a
    webhook_configs:
      - url: https://h
        http_config:
          tls_config: { insecure_skip_verify: true }
`;
		const foreign = run('check', write('am.yml', `route: { receiver: a }\n${receivers}`));
		expect(foreign).toMatchObject({
			code: 0,
			out: expect.stringMatching(/am\.yml:7: receivers\[0\].*WARNING: the certificate is not checked/),
		});
		const own = run('check', write('own.yml', `alerts:\n  route: { receiver: a }\n${receivers.replace(/^/gm, '  ')}`));
		expect(own).toMatchObject({ code: 0, out: expect.stringMatching(/own\.yml:8: alerts\.receivers\[0\].*WARNING/) });
	});

	test('knows a contract by its keys, and the contracts that a collector would know', () => {
		const shipped = readFileSync(join(import.meta.dirname, '..', 'rules', 'contracts', 'zhaoqing-2025.yml'), 'utf8');
		const own = write('ours.yml', shipped.replace(/^id: .*$/m, 'id: ours'));
		expect(run('check', own)).toMatchObject({ code: 0, out: expect.stringContaining('ours.yml: good') });
		const file = write('contracts.yml', 'contracts: { profiles: [ours.yml], default: ours, terms: { theirs: {} } }\n');
		expect(run('check', file)).toMatchObject({
			code: 1,
			out: expect.stringMatching(/contracts\.terms\.theirs: .*"theirs"; known: .*ours/),
		});
		const broken = write('broken.yml', shipped.replace(/^period: .*$/m, 'period: { kind: fortnight }'));
		expect(run('check', broken)).toMatchObject({ code: 1, out: expect.stringMatching(/broken\.yml:\d+: period/) });
	});

	test('a file that is not there, and one that is not YAML', () => {
		const foreign = write(
			'alertmanager.yml',
			'route: { receiver: a, routes: [{ receiver: b, matchers: [team=db] }] }\nreceivers: [{ name: a }, { name: b }]\n',
		);
		expect(run('check', foreign, '--alert', 'team=db').out).toMatch(/good; put it under the key "alerts"[\s\S]*receiver b/);
		expect(
			run('check', write('slack.yml', 'route: { receiver: a }\nreceivers: [{ name: a, slack_configs: [{ channel: x }] }]\n')).out,
		).toContain('receivers[0].slack_configs: there is no channel for slack');
		expect(run('check', 'nowhere.yml').out).toContain('the file does not exist');
		expect(run('check', write('x.yml', 'a: [1\nb: }')).out).toContain('not valid YAML');
	});
});

describe('audit', () => {
	test('exports, verifies, and names what was changed', () => {
		const dataDir = join(folder.path, 'data');
		const archive = openArchive({ dataDir, clock: systemClock, log: silentLogger, host: 'collector' });
		for (const raw of ['first', 'second', 'third'])
			archive.appendOwn({
				source: 'operations',
				kind: 'command',
				actor: 'ops',
				action: 'x',
				object: '',
				result: 'success',
				srcAddr: '',
				raw,
			});
		archive.seal();
		archive.stop();
		const range = ['--from', '2020-01-01', '--to', '2100-01-01'];
		expect(run('audit', 'export', ...range, '--out', 'bundle', '--data', dataDir)).toMatchObject({
			code: 0,
			out: expect.stringContaining('3 records (3 sealed'),
		});
		for (const name of ['data.jsonl', 'data.csv', 'manifest.json']) expect(existsSync(join(folder.path, 'bundle', name))).toBe(true);
		expect(run('audit', 'verify', 'bundle')).toMatchObject({ code: 0, out: expect.stringContaining('intact: 3 records') });
		expect(run('audit', 'verify', '--data', dataDir)).toMatchObject({ code: 0, out: expect.stringContaining('unanchored') });
		const log = join(dataDir, 'audit/00000001.log');
		writeFileSync(log, readFileSync(log, 'utf8').replace('"raw":"second"', '"raw":"nothing"'));
		expect(run('audit', 'verify', '--data', dataDir)).toMatchObject({
			code: 1,
			out: expect.stringContaining('modified: segment 1: record 2'),
		});
		expect(run('audit', 'export', ...range, '--out', 'bundle', '--data', dataDir)).toMatchObject({
			code: 1,
			err: expect.stringContaining('exists already'),
		});
		const keys = join(dataDir, 'keys/audit.json');
		rmSync(keys);
		expect(run('audit', 'verify', '--data', dataDir)).toMatchObject({ code: 1, err: expect.stringContaining('cannot be used') });
		// Whoever only looks leaves nothing behind that the collector could not read.
		expect(existsSync(keys)).toBe(false);
	});

	test('a folder without an archive, and a time that is none', () => {
		expect(run('audit', 'verify', '--data', 'nowhere').err).toContain('no log archive');
		expect(() => parseMoment('yesterday', 'UTC')).toThrow(/is not a time/);
		expect(parseMoment('2026-11-01', 'Asia/Shanghai')).toBe(Date.parse('2026-11-01T00:00:00+08:00'));
	});
});

describe('query', () => {
	test('no collector is explained', () => {
		const { code, err } = run('query', 'up', '--url', 'http://127.0.0.1:9');
		expect(code).toBe(1);
		expect(err).toContain('no collector answers at http://127.0.0.1:9');
		expect(err).toContain('npm start');
	});

	test.each([
		{
			name: 'a vector',
			data: { resultType: 'vector' as const, result: [{ metric: { __name__: 'up', job: 'node' }, value: [1, '1'] as const }] },
			lines: ['up{job="node"} 1'],
		},
		{ name: 'a scalar', data: { resultType: 'scalar' as const, result: [1, '2.5'] as const }, lines: ['2.5'] },
		{ name: 'nothing', data: { resultType: 'vector' as const, result: [] }, lines: ['(no data)'] },
	])('prints $name', ({ data, lines }) => {
		expect(formatData(data)).toEqual(lines);
	});
});
