import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { labelsFromObject } from '../../core/labels.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { type Availability, createAvailability, type Exclusion } from '../availability/availability.ts';
import { inventoryOf } from '../availability/ledger.fixture.ts';
import { exportLedger, verifyLedger } from '../availability/ledger-export.ts';
import type { InventoryConfig } from '../inventory/config.ts';
import { openStateDatabase, type StateDatabase } from '../state/database.ts';
import { createMemoryStorage, type MemoryStorage } from '../storage/memory-storage.ts';
import { reportDraft } from './availability-report.ts';
import { renderHtml } from './html.ts';
import { createIssuedReports, type IssuedReport, type IssuedReports } from './issued-reports.ts';
import { renderXlsx } from './xlsx.ts';

const FROM = Date.parse('2026-09-01T00:00:00Z');
const TO = Date.parse('2026-10-01T00:00:00Z');
const TENTH = FROM + 9 * 86_400_000;
const YAML = `  checks: [{ id: k, interval: 1m }]
  services: [{ id: portal, name: 门户, checks: [k], contract: c, requests: { good: 'asked_total{code="200"}', total: asked_total } }]`;

let folder: TemporaryFolder;
let state: StateDatabase;
let storage: MemoryStorage;
let inventory: InventoryConfig;
let exclusions: readonly Exclusion[];
let nowMs: number;
let availability: Availability;
let reports: IssuedReports;
let published: IssuedReport[];

async function checks(fromMs: number, toMs: number, value = 1): Promise<void> {
	const appender = storage.appender();
	for (let t = fromMs; t < toMs; t += 60_000)
		appender.append(labelsFromObject({ __name__: 'probe_success', check: 'k', vantage: 'a' }), t, value);
	await appender.commit();
}

beforeEach(async () => {
	folder = temporaryFolder('issued');
	state = await openStateDatabase(folder.path);
	storage = createMemoryStorage();
	inventory = inventoryOf(YAML);
	exclusions = [];
	published = [];
	nowMs = TO + 86_400_000;
	await checks(FROM - 3_600_000, TENTH);
	// Ten minutes of failures, and on the 20th an hour in which nothing arrived.
	await checks(TENTH, TENTH + 600_000, 0);
	await checks(TENTH + 600_000, FROM + 19 * 86_400_000);
	await checks(FROM + 19 * 86_400_000 + 3_600_000, TO + 3_600_000);
	const clock = { ...systemClock, now: () => nowMs };
	availability = createAvailability({ queryable: storage, inventory: () => inventory, clock, exclusions: async () => exclusions });
	reports = createIssuedReports({
		state,
		clock,
		draft: (month) => reportDraft(month, { availability, inventory, nowMs, contractVersion: () => 3 }),
		publish: async (issued) => {
			published.push(issued);
		},
	});
});
afterEach(async () => {
	await state.destroy();
	folder.remove();
});

const issue = () => reports.issue('2026-09', 'the-operator', '月报');
const seconds = (ms: number) => ms / 1000;

describe('an issued report', () => {
	test('is never edited: late checks lead to version 2, with what changed and why', async () => {
		const first = await issue();
		expect(first).toMatchObject({ version: 1, changes: { intervals: [], figures: [] }, issuedAtMs: nowMs });
		expect(first.report.services[0]).toMatchObject({ figures: { downSeconds: 600 }, contract: { id: 'c', version: 3 } });
		await expect(issue()).rejects.toMatchObject({ code: 'FN_REPORT_SAME', status: 409 });
		const silence = { from: FROM + 19 * 86_400_000, to: FROM + 19 * 86_400_000 + 3_600_000 };
		// The spool arrives: half an hour was down.
		await checks(silence.from, silence.from + 1_800_000, 0);
		await checks(silence.from + 1_800_000, silence.to);
		availability.invalidate(silence.from, silence.to);
		nowMs += 86_400_000;
		expect((await reports.state('2026-09')).pending?.intervals).toHaveLength(3);
		const second = await issue();
		expect(second.changes.intervals).toEqual([
			{
				service: 'portal',
				fromSeconds: seconds(silence.from),
				toSeconds: seconds(silence.from) + 120,
				was: { state: 'up', reason: '', unconfirmed: false },
				is: { state: 'down', reason: 'check: k', unconfirmed: false },
				why: 'late',
			},
			{
				service: 'portal',
				fromSeconds: seconds(silence.from) + 120,
				toSeconds: seconds(silence.from) + 1800,
				was: { state: 'unknown', reason: 'collector down', unconfirmed: false },
				is: { state: 'down', reason: 'check: k', unconfirmed: false },
				why: 'late',
			},
			{
				service: 'portal',
				fromSeconds: seconds(silence.from) + 1800,
				toSeconds: seconds(silence.to),
				was: { state: 'unknown', reason: 'collector down', unconfirmed: false },
				is: { state: 'up', reason: '', unconfirmed: false },
				why: 'late',
			},
		]);
	});

	test('is issued once by two people at once', async () => {
		const [first, second] = await Promise.allSettled([issue(), issue()]);
		expect(first).toMatchObject({ status: 'fulfilled', value: { version: 1 } });
		expect(second).toMatchObject({ status: 'rejected', reason: { code: 'FN_REPORT_SAME', status: 409 } });
		expect(published).toHaveLength(1);
	});

	test('names time that is left out since, and a definition that was changed', async () => {
		await issue();
		exclusions = [{ from: seconds(TENTH), to: seconds(TENTH) + 300, reason: 'maintenance: w1 (retroactive)' }];
		availability.changed();
		const second = await issue();
		expect(second.changes.intervals).toEqual([
			{
				service: 'portal',
				fromSeconds: seconds(TENTH),
				toSeconds: seconds(TENTH) + 300,
				was: { state: 'down', reason: 'check: k', unconfirmed: false },
				is: { state: 'excluded', reason: 'maintenance: w1 (retroactive)', unconfirmed: false },
				why: 'exclusion',
			},
		]);
		expect(second.changes.figures.map(({ key, was, is }) => [key, was, is])).toContainEqual(['downSeconds', '600', '300']);
		inventory = inventoryOf(
			YAML.replace('interval: 1m', 'interval: 1m, confirm: { failed: 20, of: 20 }').replace('name: 门户', 'name: 新门户'),
		);
		availability.changed();
		const third = await issue();
		expect(third.version).toBe(3);
		expect(new Set(third.changes.intervals.map(({ why }) => why))).toEqual(new Set(['definition']));
		expect(third.changes.figures).toContainEqual({ service: 'portal', key: 'name', was: '门户', is: '新门户' });
		// What was issued stands as it was.
		expect((await reports.get('2026-09', 1)).report.services[0]?.figures.downSeconds).toBe(600);
		expect((await reports.state('2026-09')).versions.map(({ version, issuedBy }) => [version, issuedBy])).toEqual([
			[1, 'the-operator'],
			[2, 'the-operator'],
			[3, 'the-operator'],
		]);
		expect(published.map(({ version }) => version)).toEqual([1, 2, 3]);
	});

	test('says which service came and which went, and requests that came late', async () => {
		await issue();
		const appender = storage.appender();
		for (let i = 0; i < 60; i++) appender.append(labelsFromObject({ __name__: 'asked_total', code: '200' }), TENTH + i * 60_000, i);
		await appender.commit();
		availability.invalidate(TENTH, TENTH + 86_400_000);
		expect((await issue()).changes.figures).toContainEqual({ service: 'portal', key: 'requests.total', was: '0', is: '59' });
		const digests = (await reports.state('2026-09')).versions.map(({ digest }) => digest);
		// No second of the ledger differs, and still it is another one.
		expect(new Set(digests).size).toBe(2);
		inventory = inventoryOf(YAML.replace('id: portal', 'id: gate'));
		availability.changed();
		expect((await issue()).changes).toEqual({
			intervals: [],
			figures: [
				{ service: 'portal', key: 'service', was: '门户', is: '' },
				{ service: 'gate', key: 'service', was: '', is: '门户' },
			],
		});
	});

	test('is not given for a month that goes on, nor a version that was not issued', async () => {
		nowMs = TO - 1;
		await expect(issue()).rejects.toMatchObject({ code: 'FN_REPORT_OPEN', status: 409 });
		await expect(reports.get('2026-09', 1)).rejects.toMatchObject({ code: 'FN_REPORT_VERSION', status: 404 });
		expect(await reports.state('2026-09')).toEqual({ versions: [], pending: null, over: false });
	});

	test('has the digest, the definitions, the exclusions and the figures that a ledger export of the month is recomputed to', async () => {
		exclusions = [{ from: seconds(TENTH), to: seconds(TENTH) + 300, reason: 'maintenance: w1' }];
		const { report } = await issue();
		const range = { fromMs: FROM, toMs: TO };
		const context = { inventory, product: '1.0.0', nowMs, ...range, periodToMs: TO, requests: await availability.allRequests(range) };
		const text = exportLedger(await availability.ledgers(range), context);
		const verified = verifyLedger(text);
		expect(verified.findings).toEqual([]);
		expect(verified.ledgerDigest).toBe(report.ledgerDigest);
		expect(verified.services[0]?.figures).toEqual(report.services[0]?.figures);
		expect(verified.services[0]?.requests).toEqual(report.services[0]?.requests);
		expect(report.services[0]?.exclusions).toEqual(exclusions);
		expect(text).toContain(report.services[0]?.definition);
	});

	test('shows the version, the changes with their cause, and what was left out, in the page and the spreadsheet', async () => {
		await issue();
		exclusions = [{ from: seconds(TENTH), to: seconds(TENTH) + 300, reason: 'maintenance: w1 (retroactive)' }];
		availability.changed();
		const second = await issue();
		const page = renderHtml(second.report, 'zh', second);
		for (const words of [
			'版本：2',
			'签发人：the-operator',
			'与上一版的差异',
			'中断（检测 k 失败）',
			'不计时间有变',
			'不计时间的计划维护',
			'变化的数字',
			'<td>可用率（未知计为中断）</td>',
			'合同 c v3',
		])
			expect(page).toContain(words);
		expect(page).not.toMatch(/<td>(sli|down|budget)[A-Z]/);
		expect(renderHtml(second.report, 'zh')).not.toContain('与上一版的差异');
		expect((await renderXlsx(second.report, 'zh', second)).length).toBeGreaterThan((await renderXlsx(second.report, 'zh')).length);
	});
});
