import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { temporaryFolder } from '../tests/harness/process.ts';

const root = resolve(import.meta.dirname, '..');
const SHIPPED = join(root, 'rules', 'contracts');
const folder = temporaryFolder('contracts-cli');
afterAll(() => folder.remove());

const OURS = readFileSync(join(SHIPPED, 'zhaoqing-2025.yml'), 'utf8').replace(/^id: .*$/m, 'id: ours');
const FAULT =
	"{ id: F1, level: major, service: node, point: db, start: '2025-03-02T10:00:00+08:00', onset: 0s, declared: 0s, acknowledged: 61m, resolved: 1h, report: {} }";
const scenario = (expectation: string, { fault = FAULT, more = '', profile = 'ours' } = {}) =>
	`profile: ${profile}\nperiod: 2025-03\nnow: '2025-04-10T00:00:00+08:00'\nfaults: [${fault}]\n${more}expect: ${expectation}\n`;
const RIGHT = "{ items: { 'late-response:F1:': -1 }, score: 99 }";

let written = 0;
function run(text: string, args: readonly string[] = []) {
	written += 1;
	const at = join(folder.path, String(written));
	mkdirSync(at);
	writeFileSync(join(at, 'ours.yml'), OURS);
	writeFileSync(join(at, 'ours.scenario.yml'), text);
	const command = [join(root, 'cli', 'main.ts'), 'contracts', 'test', 'ours.scenario.yml', ...args];
	const { status, stdout } = spawnSync(process.execPath, command, { cwd: at, encoding: 'utf8', timeout: 60_000 });
	return { status, out: stdout };
}

test('cases that come out as they were worked out pass; profiles are those beside the file and those of the product', () => {
	expect(run(`---\n${scenario(RIGHT)}---\n${scenario(RIGHT, { profile: 'zhaoqing-2025' })}`)).toEqual({
		status: 0,
		out: 'ours.scenario.yml: 2 passed\n',
	});
});

test('says which case differs and where, and prints what counts', () => {
	const { status, out } = run(
		`${scenario(RIGHT)}---\n${scenario("{ items: { 'late-response:F1:': -3, 'late-repair:F1:': -1 }, score: 99.5 }")}`,
		['--items'],
	);
	expect(status).toBe(1);
	expect(out).toContain(`ours.scenario.yml: 1 of 2 FAILED
  case 2, ours 2025-03
    items "late-response:F1:": worked out -3, the profile makes it -1
    items "late-repair:F1:": worked out -1, the profile makes it nothing
    score: worked out 99.5, the profile makes it 99
`);
	expect(out).toMatch(/late-response:F1:: -1 points {2}\(Service level \/ response within 60 min\) 响应：.*\n {2}score 99, 0 yuan/);
});

test('a wrong name or a wrong key is told, and proves nothing', () => {
	const named = (text: string) => run(text).out;
	expect(named(scenario(RIGHT, { fault: FAULT.replace('major', 'mjor') }))).toContain(
		'faults F1: ours has no level "mjor"; known: major, ordinary',
	);
	expect(named(scenario(RIGHT, { fault: FAULT.replace('report: {}', 'report: { final: 1h }') }))).toContain('has no report "final"');
	expect(named(scenario(RIGHT, { more: "records: [{ id: r, rule: prase, quantity: 1, at: '2025-03-20T10:00:00+08:00' }]\n" }))).toContain(
		'records r: ours has no rule that is entered by hand "prase"',
	);
	const outage = "outages: [{ id: o, from: '2025-03-02T10:00:00+08:00', seconds: 60, fault: F2 }]";
	expect(named(scenario(RIGHT, { more: `services: [{ service: node, core: true, agreed: 2678400, down: 60, ${outage} }]\n` }))).toContain(
		'services node: outage o: there is no fault "F2" in this case',
	);
	expect(named(scenario(RIGHT, { profile: 'theirs' }))).toContain('there is no contract profile "theirs"; known: ours, chengdu-2021');
	expect(named(scenario(RIGHT).replace('2025-03\n', 'march\n'))).toContain('"march" is not a period of ours');
	const bad = run(`${scenario(RIGHT)}---\n${scenario('{}')}---\n${scenario('{ score: 99 }').replace('now:', 'nwo:')}`);
	expect(bad.status).toBe(1);
	expect(bad.out).toMatch(/ours\.scenario\.yml:11: expect: nothing is worked out/);
	expect(bad.out).toMatch(/ours\.scenario\.yml:13: the key "now" is missing/);
	expect(bad.out).toMatch(/ours\.scenario\.yml:15: nwo: unknown key/);
});
