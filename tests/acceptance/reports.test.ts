import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { monthOf, monthRange } from '../../core/zone-time.ts';
import type { ReportVersionAnswer, ReportVersionsAnswer } from '../../protocol/availability-api.ts';
import { waitFor } from '../harness/process.ts';
import { startTrialCollector, type TrialCollector } from '../harness/trial-collector.ts';

let collector: TrialCollector;
beforeAll(async () => {
	collector = await startTrialCollector('reports', {
		config:
			'store: { retention: 100d }\ninventory:\n  checks: [{ id: k, interval: 1m }]\n  services: [{ id: portal, name: 门户, checks: [k] }]\n',
		people: { 'the-system': 'system', 'the-operator': 'operator', 'the-viewer': 'viewer' },
	});
});
afterAll(() => collector.remove());

const REPORTS = '/api/fournines/v1/reports/availability';
const call = (role: string, path: string, body?: unknown) =>
	collector.call(body === undefined ? 'GET' : 'POST', REPORTS + path, { as: `the-${role}`, ...(body === undefined ? {} : { body }) });

test('a month is issued by a person, and checks that come late lead to its version 2; both stay, also over a restart', async () => {
	const thisMonth = monthRange(monthOf(Date.now(), 'Asia/Shanghai'), 'Asia/Shanghai')?.fromMs ?? 0;
	const month = monthOf(thisMonth - 1, 'Asia/Shanghai');
	const { fromMs } = monthRange(month, 'Asia/Shanghai') ?? { fromMs: 0 };
	const note = { month, note: '报采购人' };
	expect((await call('viewer', '', note)).status).toBe(403);
	expect((await collector.call('POST', REPORTS, { token: 'local-read', body: note })).status).toBe(403);
	expect((await call('operator', '', { ...note, month: monthOf(Date.now(), 'Asia/Shanghai') })).status).toBe(409);
	expect((await call('operator', '', note)).status).toBe(201);
	expect((await call('operator', '', note)).status).toBe(409);
	const minutes = Array.from(
		{ length: 600 },
		(_, i) => `probe_success{check="k",vantage="a",instance="x"} ${i < 5 ? 0 : 1} ${fromMs + i * 60_000}`,
	);
	await collector.push(`# TYPE probe_success gauge\n${minutes.join('\n')}\n`);
	const versions = async () => JSON.parse((await call('viewer', `/versions?month=${month}`)).text) as ReportVersionsAnswer;
	await waitFor('the late checks to show', async () => ((await versions()).pending?.intervals.length ?? 0) > 0);
	const issued = await call('operator', '', note);
	expect(issued.status).toBe(201);
	const second = JSON.parse(issued.text) as ReportVersionAnswer;
	expect(second).toMatchObject({ version: 2, issuedBy: 'the-operator', note: '报采购人' });
	expect(second.changes.intervals[0]).toMatchObject({
		service: 'portal',
		fromSeconds: fromMs / 1000,
		toSeconds: fromMs / 1000 + 300,
		was: { state: 'unknown' },
		is: { state: 'down' },
		why: 'late',
	});
	const stored = async () => ({
		first: (await call('viewer', `?month=${month}&version=1`)).text,
		second: (await call('viewer', `?month=${month}&version=2`)).text,
	});
	const before = await stored();
	expect(before.first).not.toContain('与上一版的差异');
	expect(before.second).toContain('签发之后才收到');
	await collector.restart();
	expect(await stored()).toEqual(before);
	expect((await versions()).versions.map(({ version }) => version)).toEqual([1, 2]);
	expect((await call('viewer', `?month=${month}&version=3`)).status).toBe(404);
	expect(readdirSync(join(collector.folder, 'data', 'reports')).sort()).toEqual(
		['-v2.html', '-v2.xlsx', '.html', '.xlsx'].map((ending) => `availability-${month}${ending}`),
	);
});

test('a report that was due while the collector did not run is issued at its start, once', async () => {
	const thisMonth = monthRange(monthOf(Date.now(), 'Asia/Shanghai'), 'Asia/Shanghai')?.fromMs ?? 0;
	const month = monthOf(thisMonth - 1, 'Asia/Shanghai');
	const late = await startTrialCollector('late-report', {
		// Due at the first moment of a month, so that it is past on any day.
		config:
			"reports: { monthly: '0 0 1 * *' }\nstore: { retention: 100d }\ninventory:\n  checks: [{ id: k }]\n  services: [{ id: portal, name: 门户, checks: [k] }]\n",
		people: { 'the-system': 'system' },
	});
	try {
		const versions = async () => {
			const { text } = await late.call('GET', `${REPORTS}/versions?month=${month}`, { as: 'the-system' });
			return (JSON.parse(text) as ReportVersionsAnswer).versions.map(({ version, issuedBy }) => `${version} ${issuedBy}`);
		};
		await late.push(`# TYPE fournines_collector_up gauge\nfournines_collector_up{job="fournines"} 1 ${thisMonth - 20 * 86_400_000}\n`);
		expect(await versions()).toEqual([]);
		await late.restart();
		await waitFor('the report', async () => (await versions()).length > 0);
		await late.restart();
		expect(await versions()).toEqual(['1 collector']);
		const files = readdirSync(join(late.folder, 'data', 'reports')).sort();
		expect(files).toEqual([`availability-${month}.html`, `availability-${month}.xlsx`]);
	} finally {
		await late.remove();
	}
});
