import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compressSync } from 'snappy';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { httpExchange } from '../core/http-client.ts';
import { encodeRemoteWriteV1 } from '../protocol/remote-write/encode-v1.ts';
import { type CollectorProcess, startCollectorProcess } from '../tests/harness/collector.ts';
import { freePort, type TemporaryFolder, temporaryFolder } from '../tests/harness/process.ts';

let folder: TemporaryFolder;
beforeAll(() => {
	folder = temporaryFolder('rules-command');
});
afterAll(() => folder.remove());

function run(...args: readonly string[]): { readonly code: number | null; readonly out: string; readonly err: string } {
	const result = spawnSync(process.execPath, [join(import.meta.dirname, 'main.ts'), 'rules', ...args], {
		encoding: 'utf8',
		cwd: folder.path,
	});
	return { code: result.status, out: result.stdout, err: result.stderr };
}

function write(name: string, text: string): string {
	const path = join(folder.path, name);
	writeFileSync(path, text);
	return path;
}

function alertFile(name: string, expr: string, more = ''): string {
	return write(
		name,
		`groups:\n  - name: g\n    interval: 1m\n    rules:\n      - {alert: Down, expr: '${expr}', labels: {severity: critical}${more}}\n`,
	);
}

describe('check', () => {
	test('warnings fail only when they are to', () => {
		const file = alertFile('warn.yml', 'bench_up == 0');
		const { code, out } = run('check', file);
		expect(code).toBe(0);
		expect(out).toContain(`${file}:5: warning: group "g", rule "Down": the alert has no annotation "runbook_url"`);
		expect(run('check', file, '--strict').code).toBe(1);
	});

	test('a threshold that can never be reached fails', () => {
		const { code, out } = run('check', alertFile('never.yml', 'bench_up > 1'));
		expect(code).toBe(1);
		expect(out).toContain('(impossible-threshold)');
	});

	test('a file that does not parse is told as everywhere', () => {
		expect(run('check', alertFile('broken.yml', 'sum(')).out).toContain('could not parse expression');
	});
});

test('test tells what differs and fails', () => {
	alertFile('rules.yml', 'bench_up == 0');
	const body = (value: number) =>
		`rule_files: [rules.yml]\ntests:\n  - input_series: [{series: up, values: '1x5'}]\n    promql_expr_test: [{expr: up, eval_time: 2m, exp_samples: [{labels: up, value: ${value}}]}]\n`;
	const good = run('test', write('good.test.yml', body(1)));
	expect(good).toMatchObject({ code: 0, out: expect.stringContaining('1 passed') });
	const bad = run('test', write('bad.test.yml', body(2)));
	expect(bad.code).toBe(1);
	expect(bad.out).toContain('1 of 1 FAILED');
	expect(bad.out).toContain('wanted:');
});

describe('replay', () => {
	const MINUTE = 60_000;
	const endMs = Math.floor(Date.now() / MINUTE) * MINUTE - MINUTE;
	const until = ['--until', String(endMs / 1000)];
	let collector: CollectorProcess;

	beforeAll(async () => {
		// Down for ten minutes, and for two.
		const down = (minute: number) => (minute >= 20 && minute < 30) || (minute >= 40 && minute < 42);
		const samples = Array.from({ length: 61 }, (_, i) => ({ timestampMs: endMs - (60 - i) * MINUTE, value: down(i) ? 0 : 1 }));
		const present = alertFile('present.yml', 'bench_up == 0', ', for: 5m');
		const configFile = write('collector.yml', `rules:\n  files: ['${present}']\n`);
		collector = await startCollectorProcess({ dataDir: join(folder.path, 'data'), port: await freePort(), configFile });
		const body = compressSync(Buffer.from(encodeRemoteWriteV1([{ labels: ['__name__', 'bench_up', 'instance', 'a'], samples }])));
		const { status } = await httpExchange(`${collector.url}/api/v1/write`, {
			method: 'POST',
			timeoutMs: 10_000,
			headers: {
				authorization: `Bearer ${readFileSync(collector.pushTokenFile, 'utf8').trim()}`,
				'content-type': 'application/x-protobuf',
				'content-encoding': 'snappy',
			},
			body,
		});
		expect(status).toBe(204);
	});
	afterAll(async () => {
		await collector.stop();
	});

	interface Answer {
		readonly summary: object;
		readonly firings: readonly { readonly from: string; readonly to: string | null }[];
		readonly difference: { readonly added: readonly { readonly from: string }[]; readonly removed: readonly object[] } | null;
	}
	const at = (minute: number) => new Date(endMs - (60 - minute) * MINUTE).toISOString();

	test('tells when the proposed rule would have fired, and what is new', () => {
		const proposed = alertFile('proposed.yml', 'bench_up == 0', ', for: 1m');
		const args = ['replay', proposed, '--since', '1h', ...until, '--url', collector.url];
		const { code, out, err } = run(...args, '--json');
		expect(err).toBe('');
		expect(code).toBe(0);
		const [answer] = JSON.parse(out) as readonly Answer[];
		expect(answer?.summary).toEqual({ count: 2, totalMs: 10 * MINUTE, longestMs: 9 * MINUTE });
		expect(answer?.firings.map(({ from, to }) => [from, to])).toEqual([
			[at(21), at(30)],
			[at(41), at(42)],
		]);
		expect(answer?.difference?.added.map(({ from }) => from)).toEqual([at(41)]);
		expect(answer?.difference?.removed).toEqual([]);
		const text = run(...args).out;
		expect(text).toContain('Down: 2 times, 10m in all, longest 9m');
		expect(text).toContain('now: once, 5m in all');
		expect(text).toContain('more than now: once, 1m in all');
	});

	test('evaluates what the proposed file records before its alerts, whether a collector runs or not', async () => {
		const proposed = write(
			'recorded.yml',
			`groups:
  - name: g
    interval: 1m
    rules:
      - {record: bench:down, expr: 1 - bench_up, labels: {kind: recorded}}
      - {record: 'bench:down:max3m', expr: 'max_over_time(bench:down{kind="recorded"}[3m])'}
      - {alert: DownLately, expr: 'bench:down:max3m == 1', for: 1m, labels: {severity: critical}}
      - {alert: Down, expr: bench_up == 0, for: 1m, labels: {severity: critical}}
`,
		);
		const args = ['replay', proposed, '--since', '1h', ...until, '--json'];
		const want = [
			[
				[at(21), at(32)],
				[at(41), at(44)],
			],
			[
				[at(21), at(30)],
				[at(41), at(42)],
			],
		];
		const firings = (out: string) =>
			(JSON.parse(out) as readonly Answer[]).map((answer) => answer.firings.map(({ from, to }) => [from, to]));
		const online = run(...args, '--url', collector.url);
		expect(online.err).toBe('');
		expect(firings(online.out)).toEqual(want);
		await collector.stop();
		const offline = run(...args, '--offline');
		await collector.start();
		expect(offline.err).toBe('');
		expect(firings(offline.out)).toEqual(want);
	});

	test('looks metrics up in the collector', () => {
		const { code, out } = run('check', alertFile('unknown.yml', 'bench_upp == 0'), '--url', collector.url);
		expect(code).toBe(1);
		expect(out).toContain('no metric "bench_upp"');
	});

	test('reads a store that no collector uses, and refuses one that is used', async () => {
		const proposed = alertFile('offline.yml', 'bench_up == 0');
		const args = ['replay', proposed, '--since', '1h', ...until, '--offline', '--json'];
		expect(run(...args).code).toBe(1);
		await collector.stop();
		const { code, out, err } = run(...args);
		await collector.start();
		expect(err).toBe('');
		expect(code).toBe(0);
		expect((JSON.parse(out) as readonly Answer[])[0]).toMatchObject({ summary: { count: 2, totalMs: 12 * MINUTE }, difference: null });
	});
});
