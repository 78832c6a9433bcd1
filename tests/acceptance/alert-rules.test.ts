import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AlertRuleAnswer, AlertRuleListAnswer } from '../../protocol/rule-api.ts';
import { startTrialCollector, type TrialCollector } from '../harness/trial-collector.ts';

const CONFIG = `inventory:
  calendars: [{ id: open, seasons: [{ from: 01-01, to: 12-31, hours: '00:00-24:00' }] }]
rules:
  files: [own.yml]
  thresholds:
    - { rule: Busy, value: 0.5, host: a }
    - rule: Busy
      value: 0.99
      labels: { mode: user, disk: sda }
      outside: open
`;
const RULES = `groups:
  - name: own
    rules:
      - { alert: Busy, expr: '(busy > 0.9) or (busy offset 1m >= 0.9)', for: 5m, labels: { severity: warning }, annotations: { summary: 忙 } }
      - { alert: Gone, expr: 'absent(busy)' }
      - { record: twice, expr: 'busy * 2' }
`;
let collector: TrialCollector;

beforeAll(async () => {
	collector = await startTrialCollector('alert-rules', { people: { root: 'system', looker: 'viewer' } });
	writeFileSync(join(collector.folder, 'own.yml'), RULES);
	writeFileSync(join(collector.folder, 'collector.yml'), CONFIG);
	await collector.reload();
});
afterAll(() => collector.remove());

async function rules(): Promise<Readonly<Record<string, AlertRuleAnswer>>> {
	const { status, text } = await collector.call('GET', '/api/fournines/v1/alert-rules', { as: 'looker' });
	expect(status).toBe(200);
	return Object.fromEntries((JSON.parse(text) as AlertRuleListAnswer).rules.map((rule) => [rule.name, rule]));
}

test('each alerting rule is told with its threshold, what is set instead, where, and whether that counts now', async () => {
	const { Busy, Gone, twice } = await rules();
	expect(Busy).toMatchObject({
		group: 'own',
		forSeconds: 300,
		labels: { severity: 'warning' },
		state: 'inactive',
		lastError: '',
		threshold: { value: 0.9, parts: ['(busy > ', ') or (busy offset 1m >= ', ')'] },
		problem: '',
		overrides: [
			{ value: 0.5, host: 'a', system: '', labels: {}, during: '', holds: true, line: 6 },
			{ value: 0.99, host: '', labels: { mode: 'user', disk: 'sda' }, outside: 'open', holds: false, line: 7 },
		],
	});
	expect(Gone).toMatchObject({ threshold: null, problem: expect.stringContaining('no threshold to replace'), overrides: [] });
	expect(twice).toBeUndefined();
	expect((await collector.call('GET', '/api/fournines/v1/alert-rules')).status).toBe(401);
});

test('a line is told only while the file says what is in force', async () => {
	const file = join(collector.folder, 'collector.yml');
	const before = readFileSync(file, 'utf8');
	writeFileSync(file, `# one line more\n${before}`);
	const lines = async () => (await rules())['Busy']?.overrides.map(({ line }) => line);
	expect(await lines()).toEqual([7, 8]);
	writeFileSync(file, before.replace('0.5', '0.6'));
	expect(await lines()).toEqual([0, 0]);
	expect((await rules())['Busy']?.overrides[0]?.value).toBe(0.5);
	writeFileSync(file, 'rules: {');
	expect(await lines()).toEqual([0, 0]);
	writeFileSync(file, before);
	await collector.reload();
	expect(await lines()).toEqual([6, 7]);
});
