import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AlertRuleListAnswer } from '../../protocol/rule-api.ts';
import { startTrialCollector, type TrialCollector } from '../harness/trial-collector.ts';

let collector: TrialCollector;

beforeAll(async () => {
	const files = resolve(import.meta.dirname, '../../rules/*.yml');
	collector = await startTrialCollector('runbooks', { config: `rules: { files: ['${files}'] }\n` });
});
afterAll(() => collector.remove());

test('the runbook of every shipped rule is a page that opens without a log-in', async () => {
	const { text } = await collector.call('GET', '/api/fournines/v1/alert-rules', { token: 'local-read' });
	const { rules } = JSON.parse(text) as AlertRuleListAnswer;
	const links = new Set(rules.map(({ annotations }) => annotations['runbook_url'] ?? ''));
	expect(links.size).toBeGreaterThan(15);
	for (const link of links) {
		const page = await collector.call('GET', `/${link}`);
		expect([link, page.status, page.headers['content-type']]).toEqual([link, 200, 'text/html; charset=utf-8']);
		expect(page.text).toContain('<h1>');
	}
});

test.each(['none.md', '..%2F..%2Fpackage.json', 'host-cpu', 'Host-Cpu.md'])('there is no runbook %s', async (name) => {
	const { status, text } = await collector.call('GET', `/docs/runbooks/${name}`);
	expect([status, JSON.parse(text).error.code]).toEqual([404, 'FN_RUNBOOK_UNKNOWN']);
});
