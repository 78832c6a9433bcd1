import fc from 'fast-check';
import { expect, test } from 'vitest';
import { postedAlert, type RunningAlerting, startAlerting } from '../tests/harness/alerting.ts';
import { startFakeWebhook } from '../tests/harness/fake-webhook.ts';
import { createManualClock } from '../tests/harness/manual-clock.ts';
import { temporaryFolder } from '../tests/harness/process.ts';
import { fingerprintOf } from './alert.ts';
import type { Notification } from './notify/notification.ts';

const names = ['A', 'B'] as const;
const teams = ['ops', 'db', 'quiet'] as const;

const step = fc.oneof(
	{
		weight: 4,
		arbitrary: fc.record({ kind: fc.constant('fire' as const), name: fc.constantFrom(...names), team: fc.constantFrom(...teams) }),
	},
	{
		weight: 3,
		arbitrary: fc.record({ kind: fc.constant('resolve' as const), name: fc.constantFrom(...names), team: fc.constantFrom(...teams) }),
	},
	{ weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.constantFrom(1, 20, 40, 400) }) },
	{
		weight: 1,
		arbitrary: fc.record({ kind: fc.constant('silence' as const), name: fc.constantFrom(...names), seconds: fc.constantFrom(30, 600) }),
	},
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

test('no alert leaves the pipeline unrecorded, and what was told is told to be over', async () => {
	const hook = await startFakeWebhook();
	const config = `
route:
  receiver: ops
  group_by: [team]
  routes: [{ matchers: ['team="quiet"'], receiver: nobody }, { matchers: ['team="db"'], receiver: ops, continue: true }, { matchers: ['team="db"'], receiver: dba, group_wait: 0s }]
flapping: { firings: 2 }
storm: { messages: 1 }
receivers: [{ name: nobody }, { name: ops, webhook_configs: [{ url: '${hook.url}' }] }, { name: dba, webhook_configs: [{ url: '${hook.url}' }] }]
inhibit_rules: [{ source_matchers: ['alertname="A"'], target_matchers: ['alertname="B"'], equal: [team] }]`;
	try {
		await fc.assert(
			fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
				const folder = temporaryFolder('record');
				const clock = createManualClock();
				let running: RunningAlerting = await startAlerting({ folder: folder.path, config, clock });
				try {
					const posted = new Map<string, Record<string, string>>();
					const receive = async (labels: Record<string, string>, endsAtMs: number | null) => {
						posted.set(fingerprintOf(labels), labels);
						await running.alerting.receive([postedAlert(labels, { startsAtMs: endsAtMs ?? clock.now(), endsAtMs })]);
					};
					for (const action of steps) {
						if (action.kind === 'wait') await clock.advance(action.seconds * 1000);
						else if (action.kind === 'fire') await receive({ alertname: action.name, team: action.team }, null);
						else if (action.kind === 'resolve') await receive({ alertname: action.name, team: action.team }, clock.now());
						else if (action.kind === 'silence') {
							await running.alerting.silences.set({
								matchers: [{ name: 'alertname', operator: '=', value: action.name }],
								startsAtMs: clock.now(),
								endsAtMs: clock.now() + action.seconds * 1000,
								createdBy: 'test',
								comment: 'test',
							});
						} else {
							await running.stop();
							running = await startAlerting({ folder: folder.path, config, clock });
						}
					}
					// Long enough for everything to expire and for every group to have its turn.
					await clock.advance(3_600_000);
					expect(running.alerting.alerts()).toEqual([]);
					expect(running.alerting.groups()).toEqual([]);
					const { state } = running;
					expect(await state.selectFrom('alert').select('fingerprint').where('closed_at_ms', 'is', null).execute()).toEqual([]);
					expect(await state.selectFrom('alert_group_log').selectAll().execute()).toEqual([]);
					const rows = await state.selectFrom('notification').select(['number', 'body', 'receiver']).orderBy('number').execute();
					const notifications = new Map(rows.map((row) => [row.number, JSON.parse(row.body) as Notification]));
					for (const fingerprint of posted.keys()) {
						const events = await running.alerting.history.listAlertEvents({ fingerprint, limit: 1000 });
						const last = events.findLastIndex((event) => event.kind === 'fired' || event.kind === 'refired');
						const account = events.slice(Math.max(last, 0)).map((event) => event.kind);
						expect(account.some((kind) => ['queued', 'recorded', 'untold', 'suppressed'].includes(kind))).toBe(true);
						for (const event of events.filter(({ kind }) => kind === 'queued')) {
							for (const [, number] of event.detail.matchAll(/#(\d+)/g)) {
								const told = notifications.get(Number(number))?.alerts.map((alert) => alert.fingerprint);
								expect(told).toContain(fingerprint);
							}
						}
						for (const receiver of ['ops', 'dba']) {
							const said = [...notifications.values()]
								.filter((notification) => notification.receiver === receiver)
								.flatMap((notification) =>
									notification.alerts.filter((alert) => alert.fingerprint === fingerprint).map((alert) => alert.status),
								);
							if (said.length > 0) expect([said[0], said.at(-1)]).toEqual(['firing', 'resolved']);
						}
					}
				} finally {
					await running.stop();
					folder.remove();
				}
			}),
			{ numRuns: 150 },
		);
	} finally {
		await hook.stop();
	}
});
