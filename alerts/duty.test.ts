import { afterEach, beforeEach, expect, test } from 'vitest';
import { alertsConfig } from '../tests/harness/alerting.ts';
import { type OpenPorts, openAlertingPorts } from '../tests/harness/alerting-ports.ts';
import { createManualClock } from '../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../tests/harness/process.ts';
import { buildDutyPlan, Duty } from './duty.ts';
import { DutyChanges } from './roster/duty-changes.ts';

let folder: TemporaryFolder;
let ports: OpenPorts;

beforeEach(async () => {
	folder = temporaryFolder('duty');
	ports = await openAlertingPorts(folder.path);
});

afterEach(async () => {
	await ports.close();
	folder.remove();
});

test('a look ahead tells what lacks, and of which years nobody has entered the statutory days', async () => {
	const { oncall } = alertsConfig(`
oncall:
  look_ahead: 60d
  people: [{ id: zhang, name: 张伟 }]
  rosters: [{ id: first, name: 一线, layers: [{ name: l, people: [zhang], start: '2026-01-01', hours: '09:00-17:00', days: working }] }]
  staffing: [{ name: 白班, hours: '09:00-17:00', weekdays: [1, 2, 3, 4, 5], minimum: 1 }]`);
	// A Saturday.
	const clock = createManualClock(Date.UTC(2026, 10, 21, 1, 0, 0));
	const duty = new Duty(buildDutyPlan(oncall, 'zh-CN'), {
		changes: new DutyChanges(ports.onCall, clock),
		clock,
		dayKind: ({ year, month, day }) => (year > 2026 ? 'unknown' : month === 12 && day === 1 ? 'off' : 'ordinary'),
	});
	const { gaps, unknownYears } = duty.outlook();
	expect(unknownYears).toEqual([2027]);
	expect(gaps).toEqual([{ rule: '白班', fromMs: Date.UTC(2026, 11, 1, 1), toMs: Date.UTC(2026, 11, 1, 9), wanted: 1, people: [] }]);
});
