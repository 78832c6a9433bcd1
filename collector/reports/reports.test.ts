import { inflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { labelsFromObject } from '../../core/labels.ts';
import { createAvailability } from '../availability/availability.ts';
import { emptyInventory, type InventoryConfig } from '../inventory/config.ts';
import { createMemoryStorage } from '../storage/memory-storage.ts';
import { type AvailabilityReport, outagesOf, reportDraft, unseenTime } from './availability-report.ts';
import { unseenRows } from './change-rows.ts';
import { escapeHtml, renderHtml } from './html.ts';
import { causeText } from './texts.ts';
import { renderXlsx } from './xlsx.ts';

const inventory: InventoryConfig = {
	...emptyInventory(),
	checks: [{ id: 'portal', interval: '1m', confirm: { failed: 3, of: 5, recovered: 3 } }],
	services: [
		{
			id: 'portal',
			name: '门户 <b>',
			core: true,
			target: '99.99',
			owner: '',
			calendar: 'always',
			checks: ['portal'],
			children: [],
			combine: 'all',
		},
	],
};
const FROM = Date.parse('2026-09-01T00:00:00+08:00');
const TO = Date.parse('2026-10-01T00:00:00+08:00');

/** September with one check a minute; from the tenth minute of the 10th five checks fail. */
async function september(nowMs: number): Promise<AvailabilityReport> {
	const storage = createMemoryStorage();
	const appender = storage.appender();
	const labels = labelsFromObject({ __name__: 'probe_success', check: 'portal', vantage: 'a', instance: 'x', job: 'probe' });
	const outage = Date.parse('2026-09-10T00:10:00+08:00');
	for (let t = FROM - 600_000; t < Math.min(TO + 600_000, nowMs); t += 60_000)
		appender.append(labels, t, t >= outage && t < outage + 300_000 ? 0 : 1);
	await appender.commit();
	const availability = createAvailability({ queryable: storage, inventory: () => inventory, clock: { ...systemClock, now: () => nowMs } });
	return (await reportDraft('2026-09', { availability, inventory, nowMs })).report;
}

describe('availability report', () => {
	test('a closed month: the outage to the second, and the verdict', async () => {
		const report = await september(TO + 3_600_000);
		const [service] = report.services;
		expect(service?.figures).toMatchObject({
			totalSeconds: 30 * 86_400,
			downSeconds: 300,
			unknownSeconds: 0,
			sliBest: '99.988',
			sliWorst: '99.988',
			budgetSeconds: '259.20',
		});
		expect(service?.outages).toEqual([
			{
				fromSeconds: Date.parse('2026-09-10T00:10:00+08:00') / 1000,
				toSeconds: Date.parse('2026-09-10T00:15:00+08:00') / 1000,
				reason: 'check: portal',
				ongoing: false,
			},
		]);
		// One outage of 300 s in 30 days.
		expect(service).toMatchObject({ mttrSeconds: 300, mtbfSeconds: 30 * 86_400 - 300 });
		expect(service?.verdict).toBe('missed');
		expect(report.open).toBe(false);
	});

	test('the same ledger gives the same digest, another one another', async () => {
		const first = await september(TO + 3_600_000);
		const again = await september(TO + 7_200_000);
		const shorter = await september(TO - 86_400_000);
		expect(again.ledgerDigest).toBe(first.ledgerDigest);
		expect(shorter.ledgerDigest).not.toBe(first.ledgerDigest);
		expect(shorter).toMatchObject({ open: true });
	});

	test.each(['2026-13', 'september', '2199-01', ''])('refuses the month %j', async (month) => {
		const availability = createAvailability({ queryable: createMemoryStorage(), inventory: () => inventory, clock: systemClock });
		await expect(reportDraft(month, { availability, inventory, nowMs: TO })).rejects.toMatchObject({ code: 'FN_REPORT_MONTH' });
	});

	test('the page says it in Chinese, with every name escaped', async () => {
		const html = renderHtml(await september(TO + 3_600_000), 'zh');
		for (const text of [
			'可用性报告 2026-09',
			'99.988 %',
			'未达标',
			'300 秒',
			'259.20 秒',
			'检测 portal 失败',
			'2026-09-10 00:10:00',
			'门户 &#60;b&#62;',
		])
			expect(html).toContain(text);
		expect(html).not.toContain('<b>');
		expect(html).not.toContain('<script');
	});

	test('and in English', async () => {
		const html = renderHtml(await september(TO + 3_600_000), 'en');
		expect(html).toContain('Availability report 2026-09');
		expect(html).not.toMatch(/可用率|秒/);
	});

	test('the spreadsheet holds the same figures', async () => {
		const sheets = unzipText(await renderXlsx(await september(TO + 3_600_000), 'zh'));
		for (const text of ['99.988 %', '门户 &lt;b&gt;', '检测 portal 失败', '2026-09-10 00:15:00']) expect(sheets).toContain(text);
	});
});

/** All entries of a zip as one text; enough of the format to look into a spreadsheet. */
function unzipText(zip: Buffer): string {
	let text = '';
	let at = zip.lastIndexOf(Buffer.from('504b0506', 'hex'));
	const entries = zip.readUInt16LE(at + 10);
	at = zip.readUInt32LE(at + 16);
	for (let i = 0; i < entries; i++) {
		const method = zip.readUInt16LE(at + 10);
		const size = zip.readUInt32LE(at + 20);
		const header = zip.readUInt32LE(at + 42);
		const begin = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
		const content = zip.subarray(begin, begin + size);
		text += (method === 0 ? content : inflateRawSync(content)).toString('utf8');
		at += 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
	}
	return text;
}

test('neighbouring down intervals are one outage that lists every reason once', () => {
	const down = (from: number, to: number, reason: string) => ({ from, to, state: 'down' as const, reason, unconfirmed: false });
	expect(
		outagesOf([down(0, 5, 'check: a'), down(5, 9, 'check: a; check: b'), { ...down(9, 12, ''), state: 'up' }, down(12, 13, 'check: b')]),
	).toEqual([
		{ fromSeconds: 0, toSeconds: 9, reason: 'check: a; check: b' },
		{ fromSeconds: 12, toSeconds: 13, reason: 'check: b' },
	]);
});

test('of time in which nothing was seen the longest stretches are listed in order, and the others in one row', async () => {
	const timeline = Array.from({ length: 25 }, (_, i) => [
		{ from: i * 1000, to: i * 1000 + 10 + i, state: 'unknown' as const, reason: 'agent silent: app-1', unconfirmed: false },
		{ from: i * 1000 + 10 + i, to: (i + 1) * 1000, state: 'up' as const, reason: '', unconfirmed: false },
	]).flat();
	const unseen = unseenTime(timeline);
	// The five shortest, 10 to 14 s, are the others.
	expect(unseen.longest.map(({ fromSeconds, toSeconds }) => toSeconds - fromSeconds)).toEqual(Array.from({ length: 20 }, (_, i) => 15 + i));
	expect(unseen).toMatchObject({ others: 5, otherSeconds: 60 });
	const report = await september(TO + 3_600_000);
	const rows = (shown: typeof unseen | undefined) =>
		unseenRows(
			{ ...report, services: report.services.map((service) => ({ ...service, ...(shown === undefined ? {} : { unseen: shown }) })) },
			'zh',
		);
	expect(rows(unseen)).toHaveLength(21);
	expect(rows(unseen).at(-1)).toEqual(['门户 <b>', '其余较短的 5 段', '', '60 秒（1 分）', '']);
	expect(rows(unseen)[0]).toEqual(['门户 <b>', '1970-01-01 09:23:20', '1970-01-01 09:23:35', '15 秒', 'app-1 的采集程序没有上报']);
	// Nothing was unseen in September.
	expect(rows(undefined)).toEqual([]);
	const html = renderHtml({ ...report, services: report.services.map((service) => ({ ...service, unseen })) }, 'zh');
	expect(html).toContain('未知时间明细');
	expect(html).toContain('2026-09-01 00:00:00 — 2026-10-01 00:00:00（北京时间）');
});

test.each([
	{ reason: 'check: a; no data: b', want: '检测 a 失败；检测 b 没有数据' },
	{ reason: 'collector down', want: '采集端停机' },
	{ reason: 'maintenance: w1', want: '计划维护 w1' },
	{ reason: 'maintenance: w1 (retroactive)', want: '事后补报的维护 w1，经两人批准' },
	{ reason: 'calendar', want: '服务时间以外' },
])('a cause for people: $want', ({ reason, want }) => {
	expect(causeText(reason, 'zh')).toBe(want);
});

test('markup in a name stays text', () => {
	expect(escapeHtml(`<img src=x onerror="a('&')">`)).not.toMatch(/[<>"']/);
});
