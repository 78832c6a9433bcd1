import { expect, test } from 'vitest';
import { alertsConfig } from '../../tests/harness/alerting.ts';
import { explainRouting } from './explain.ts';

const CONFIG = alertsConfig(`
route:
  receiver: all
  group_by: [alertname]
  routes:
    - { matchers: ['team="app"'], receiver: app }
    - { matchers: ['team="dba"'], receiver: dba, continue: true, mute_time_intervals: [night] }
    - { matchers: ['severity=~"crit.*"'], receiver: nobody, group_wait: 0s }
receivers:
  - { name: all }
  - { name: app }
  - { name: dba, webhook_configs: [{ url: 'http://hook' }], channel_configs: [{ channel: sms, to: ['13800000001'] }] }
  - { name: nobody }
time_intervals: [{ name: night, time_intervals: [{ times: [{ start_time: '00:00', end_time: '07:30' }], location: Asia/Shanghai }] }]
channels: [{ name: sms, sms_gateway: { url: 'http://sms', form: { c: '{content}' } } }]
oncall:
  people: [{ id: li, name: 李娜, addresses: [{ channel: sms, to: '13800000001' }] }]
  policies:
    - { name: databases, severities: [critical], matchers: ['team="dba"'], rounds: 3, steps: [{ to: ['person:li'], wait: 5m, times: 2 }] }
inhibit_rules: [{ source_matchers: ['alertname="HostDown"'], target_matchers: ['team="dba"'], equal: [host] }]
`);

test('says which way an alert goes, where it stops, and what may hide it', () => {
	const labels = { alertname: 'MysqlDown', team: 'dba', severity: 'critical', host: 'db-1' };
	expect(explainRouting(CONFIG, labels, Date.parse('2026-11-22T03:00:00+08:00'))).toEqual([
		'- root: matches',
		'  - {team="app"}: no, team is "dba"',
		'  - {team="dba"}: matches',
		'  - {severity=~"crit.*"}: matches',
		'receiver dba: 1 × webhook, sms 13800000001',
		'  told with its group {}/{team="dba"}:{alertname="MysqlDown"} after 30s, then every 300s when something changes, and again after 14400s',
		'  not at this moment (night); what is held back is told afterwards',
		'receiver nobody, which has no channels: recorded, nobody is told',
		'  told with its group {}/{severity=~"crit.*"}:{alertname="MysqlDown"} after 0s, then every 300s when something changes, and again after 14400s',
		'on call: policy databases calls people, 3 rounds',
		'  person:li, 2 times, then 300s for somebody to take it',
		'hidden by inhibit_rules[0] while an alert with alertname="HostDown" and host="db-1" fires',
	]);
	expect(explainRouting(CONFIG, { ...labels, severity: 'warning' }, 0)).toContain('on call: no policy applies, nobody is called');
	expect(explainRouting(CONFIG, labels, Date.parse('2026-11-22T08:00:00+08:00')).join()).not.toContain('not at this moment');
});
