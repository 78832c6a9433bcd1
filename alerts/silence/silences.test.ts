import { afterEach, expect, test } from 'vitest';
import { postedAlert, type RunningAlerting, startAlerting } from '../../tests/harness/alerting.ts';
import { createManualClock } from '../../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';

let folder: TemporaryFolder;
let running: RunningAlerting;

afterEach(async () => {
	await running.stop();
	folder.remove();
});

test('a silence for nights of working days follows the statutory calendar, also after a restart, and says what it cost', async () => {
	folder = temporaryFolder('silences');
	// Friday, 9 October 2026, 21:00 in Shanghai; the day after is a Saturday that is worked, and Sunday is off.
	const clock = createManualClock(Date.UTC(2026, 9, 9, 13, 0, 0));
	const start = async () => {
		running = await startAlerting({
			folder: folder.path,
			clock,
			config: `
route: { receiver: desk, group_by: [alertname], group_wait: 0s, group_interval: 1m }
receivers: [{ name: desk, folder_configs: [{ path: '${folder.path}' }] }]`,
			onCall: { dayKind: ({ month, day }) => (month === 10 && day === 10 ? 'work' : 'ordinary') },
		});
	};
	await start();
	await running.alerting.silences.set({
		matchers: [{ name: 'alertname', operator: '=', value: 'Backup' }],
		startsAtMs: clock.now(),
		endsAtMs: clock.now() + 30 * 86_400_000,
		createdBy: '李娜',
		comment: '夜间备份',
		recurrence: [
			{
				times: [{ start_time: '22:00', end_time: '24:00' }],
				weekdays: [],
				days_of_month: [],
				months: [],
				years: [],
				days: 'working',
				location: 'Asia/Shanghai',
			},
		],
	});
	const states: string[] = [];
	for (const day of ['Friday', 'Saturday that is worked', 'Sunday']) {
		await clock.advance(90 * 60_000);
		await running.alerting.receive([
			postedAlert({ alertname: 'Backup', severity: 'critical' }, { startsAtMs: clock.now(), endsAtMs: clock.now() + 600_000 }),
		]);
		states.push(`${day} ${running.alerting.alerts()[0]?.state}`);
		await clock.advance(22.5 * 3_600_000);
		await running.stop();
		await start();
	}
	expect(states).toEqual(['Friday suppressed', 'Saturday that is worked suppressed', 'Sunday active']);
	const [silence] = running.alerting.silences.list();
	if (silence === undefined) throw new Error('the silence is gone');
	expect(await running.alerting.history.silencePrice(silence, clock.now())).toEqual({ messages: 2, criticalSeconds: 1200 });
});
