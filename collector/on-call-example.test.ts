import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { buildDutyPlan } from '../alerts/duty.ts';
import { dutyGaps, overloads } from '../alerts/roster/staffing.ts';
import { configOrThrow, loadConfigFile } from '../core/config-file.ts';
import { zonedTimeMs } from '../core/zone-time.ts';
import { CollectorConfigSchema, checkCollectorConfig } from './config.ts';
import { dayKind } from './inventory/holidays.ts';

const FILE = join(resolve(import.meta.dirname, '..'), 'examples/chengdu/on-call.yml');

test('the example’s rosters meet what the contract asks of posts over a whole year of real holidays, and nobody is overloaded', () => {
	const { oncall } = configOrThrow(loadConfigFile(FILE, CollectorConfigSchema, checkCollectorConfig)).alerts;
	const { staffing, directory } = buildDutyPlan(oncall, 'zh-CN');
	const rosters = [...directory.rosters.values()];
	const at = (year: number, month: number, day: number) => zonedTimeMs({ year, month, day }, oncall.zone);
	const span = { fromMs: at(2026, 1, 6), toMs: at(2026, 12, 31), zone: oncall.zone };
	const context = { kindOf: (day: Parameters<typeof dayKind>[0]) => dayKind(day, []), changes: [] };
	expect(dutyGaps(staffing, rosters, span, context)).toEqual([]);
	expect(overloads(rosters, oncall.overload, span, context)).toEqual([]);
	// One engineer who falls ill on a working day, and nobody steps in.
	const ill = { roster: 'on-site', fromMs: at(2026, 3, 4), toMs: at(2026, 3, 5) };
	const changes = ['engineer-1', 'engineer-2', 'engineer-3', 'engineer-4'].map((instead) => ({ ...ill, instead, person: 'lead' }));
	const gaps = dutyGaps(staffing, rosters, span, { ...context, changes });
	expect(gaps.map(({ rule, people }) => `${rule} ${people.join(' ')}`)).toEqual(['工作日白天两人 lead']);
});
