import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { alertsConfig } from '../../tests/harness/alerting.ts';
import { fingerprintOf, mergeAlert } from '../alert.ts';
import { buildRoute } from '../route/route.ts';
import { Groups } from './groups.ts';

const NOW_MS = 1_700_000_000_000;
const ROOT = buildRoute(
	alertsConfig(`
route:
  receiver: all
  group_by: [team, alertname]
  routes:
    - { matchers: ['team="dba"'], receiver: dba, continue: true }
    - { matchers: ['team=~".+"'], receiver: app, group_by: ['...'] }
receivers: [{ name: all }, { name: app }, { name: dba }]
`).route,
);

function alert(labels: Readonly<Record<string, string>>) {
	const posted = { labels, annotations: {}, startsAtMs: NOW_MS, endsAtMs: null, generatorUrl: '' };
	return mergeAlert(null, posted, { fingerprint: fingerprintOf(labels), nowMs: NOW_MS, resolveTimeoutMs: 1000 }).alert;
}

test('an alert is counted once in each of its groups, however often it is placed and left', () => {
	const groups = new Groups(ROOT);
	const one = alert({ team: 'dba', alertname: 'Slow' });
	for (let i = 0; i < 3; i++) groups.place(one, NOW_MS);
	expect(groups.size).toBe(2);
	expect(groups.heldBy(one.fingerprint)).toBe(2);
	for (const [i, group] of [...groups.all()].entries()) {
		for (let again = 0; again < 2; again++) groups.leave(group, one.fingerprint);
		expect(groups.heldBy(one.fingerprint)).toBe(1 - i);
		groups.drop(group);
	}
	expect(groups.size).toBe(0);
});

test('a group is named by receiver and key, and what was told before a restart joins it', () => {
	const groups = new Groups(ROOT);
	const [one, two] = [alert({ team: '', alertname: 'Slow' }), alert({ alertname: 'Slow', host: 'a' })];
	groups.place(one, NOW_MS);
	const [group] = groups.all();
	const groupKey = '{}:{alertname="Slow"}';
	const id = createHash('sha256').update(`all\n${groupKey}`).digest('hex');
	expect(group?.identity).toEqual({ id, groupKey, receiver: 'all', labels: { alertname: 'Slow' } });
	const log = {
		id,
		groupKey,
		receiver: 'all',
		labels: { alertname: 'Slow' },
		firing: [two.fingerprint],
		flapping: [],
		notifiedAtMs: NOW_MS,
	};
	groups.owe(log, [two], NOW_MS);
	expect([...groups.all()]).toEqual([group]);
	expect([...(group?.fingerprints ?? [])]).toEqual([one.fingerprint, two.fingerprint]);
});
