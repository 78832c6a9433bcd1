import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alertsConfig } from '../../tests/harness/alerting.ts';
import type { IntakeConfig } from './config.ts';
import { foreignAlerts } from './foreign-alerts.ts';

const NOW = Date.UTC(2026, 10, 22, 4, 0, 0);

function intake(more: string): IntakeConfig {
	const [config] = alertsConfig(`intake: [{ name: other, token: { env: T }, ${more} }]`).intake;
	if (config === undefined) throw new Error('no intake');
	return config;
}

const read = (config: IntakeConfig, body: unknown, open: readonly Readonly<Record<string, string>>[] = []) =>
	foreignAlerts(body, config, { nowMs: NOW, open });

const ZABBIX = {
	event_id: '77',
	trigger_id: '1001',
	trigger_name: 'MySQL: service is down',
	trigger_description: '1. 查看进程',
	host: 'db-1',
	severity: 'High',
	value: '1',
	opdata: 'Current value: Down (0)',
	event_time: '2026.11.22 11:59:30',
};
/** As the vendors' documentation shows them. */
const ALIYUN =
	'alertName=CPU%E4%BD%BF%E7%94%A8%E7%8E%87&alertState=ALERT&curValue=98.5&dimensions=%7BuserId%3D1%2C+instanceId%3Di-12%7D&expression=%24Average%3E90&instanceName=web-1&metricName=CPUUtilization&metricProject=acs_ecs&namespace=acs_ecs_dashboard&preTriggerLevel=null&ruleId=rule-1&timestamp=1763783960000&triggerLevel=CRITICAL&userId=1';
const TENCENT = {
	sessionId: 'session-1',
	alarmStatus: '1',
	alarmType: 'metric',
	alarmObjInfo: { region: 'gz', namespace: 'qce/cvm', appId: '1', uin: '1', dimensions: { unInstanceId: 'ins-1', objId: 'x' } },
	alarmPolicyInfo: {
		policyId: 'policy-1',
		policyType: 'cvm_device',
		policyName: 'CPU 高',
		conditions: { metricName: 'cpu_usage', metricShowName: 'CPU 利用率', calcType: '>', calcValue: '90', currentValue: '97.9', unit: '%' },
	},
	firstOccurTime: '2026-11-22 11:59:00',
	durationTime: 60,
	recoverTime: '0',
};
const form = (text: string) => Object.fromEntries(new URLSearchParams(text));

describe('what other systems post', () => {
	test.each([
		{
			name: 'Zabbix',
			config: 'format: zabbix',
			body: ZABBIX,
			labels: { intake: 'other', alertname: 'MySQL: service is down', host: 'db-1', trigger_id: '1001', severity: 'critical' },
			text: 'db-1：MySQL: service is down',
			startsAtMs: NOW - 30_000,
			over: { ...ZABBIX, value: '0' },
		},
		{
			name: 'Aliyun CloudMonitor',
			config: 'format: aliyun',
			body: form(ALIYUN),
			labels: { alertname: 'CPU使用率', instance: 'web-1', rule_id: 'rule-1', namespace: 'acs_ecs_dashboard', severity: 'critical' },
			text: 'CPU使用率：web-1',
			startsAtMs: 1_763_783_960_000,
			over: form(ALIYUN.replace('alertState=ALERT', 'alertState=OK').replace('triggerLevel=CRITICAL', 'triggerLevel=OK')),
		},
		{
			name: 'Tencent Cloud',
			config: 'format: tencent, default_severity: critical',
			body: TENCENT,
			labels: {
				alertname: 'CPU 高',
				instance: 'ins-1',
				metric: 'cpu_usage',
				namespace: 'qce/cvm',
				session: 'session-1',
				severity: 'critical',
			},
			text: 'CPU 高：CPU 利用率',
			startsAtMs: NOW - 60_000,
			over: { ...TENCENT, alarmStatus: '0', recoverTime: '2026-11-22 12:00:00' },
		},
		{
			name: 'a list inside, mapped by hand',
			config: `items: data.events, labels: { alertname: '{rule.name}', instance: '{node|ip}', team: net }, annotations: { summary: '{rule.name}@{node|ip}' }, status: '{state}', resolved: [cleared], severity: '{level}', severities: { major: critical }, starts_at: '{since}'`,
			body: { data: { events: [{ rule: { name: '链路中断' }, ip: '10.0.0.9', state: 'raised', level: 'major', since: 1_763_783_960 }] } },
			labels: { alertname: '链路中断', instance: '10.0.0.9', team: 'net', severity: 'critical' },
			text: '链路中断@10.0.0.9',
			startsAtMs: 1_763_783_960_000,
			over: { data: { events: [{ rule: { name: '链路中断' }, ip: '10.0.0.9', state: 'cleared' }] } },
		},
	])('$name: fires, and ends what it fired', ({ config, body, labels, text, startsAtMs, over }) => {
		const own = intake(config);
		const [fired, ...more] = read(own, body);
		expect(more).toEqual([]);
		expect(fired).toMatchObject({ labels, annotations: { summary: text }, startsAtMs, endsAtMs: NOW + 7 * 86_400_000 });
		const ended = read(own, over, [{ ...fired?.labels }, { intake: 'other', alertname: 'another' }]);
		expect(ended).toMatchObject([{ labels: fired?.labels, endsAtMs: NOW }]);
	});

	test('a level that is a word of the language itself is no level', () => {
		expect(read(intake('format: zabbix'), { ...ZABBIX, severity: 'valueOf' })[0]?.labels['severity']).toBe('warning');
	});

	test('a raised level ends the alert of the lower one', () => {
		const own = intake('format: zabbix');
		const [low] = read(own, { ...ZABBIX, severity: 'Warning' });
		const both = read(own, ZABBIX, [low?.labels ?? {}]);
		expect(both.map(({ labels, endsAtMs }) => [labels['severity'], endsAtMs === NOW])).toEqual([
			['warning', true],
			['critical', false],
		]);
	});

	test('so does one whose level is mapped as a label, and so does its end without a level', () => {
		const own = intake(`labels: { alertname: '{n}', severity: '{level}' }`);
		const [low] = read(own, { n: 'a', level: 'warning', status: 'firing' });
		const raised = read(own, { n: 'a', level: 'critical', status: 'firing' }, [low?.labels ?? {}]);
		expect(raised.map(({ labels, endsAtMs }) => [labels['severity'], endsAtMs === NOW])).toEqual([
			['warning', true],
			['critical', false],
		]);
		const ended = read(own, { n: 'a', status: 'ok' }, [low?.labels ?? {}]);
		expect(ended).toMatchObject([{ labels: { alertname: 'a', severity: 'warning' }, endsAtMs: NOW }]);
	});

	test('what a clock that is ahead says has not begun in the future', () => {
		const [fired] = read(intake('format: zabbix'), { ...ZABBIX, event_time: '2026.11.22 12:05:00' });
		expect(fired).toMatchObject({ startsAtMs: NOW, endsAtMs: NOW + 7 * 86_400_000 });
	});

	test.each([
		{ name: 'no state, nothing said', config: 'format: aliyun', body: { alertName: 'a', alertState: 'INSUFFICIENT_DATA' } },
		{ name: 'an empty list', config: `items: list, labels: { alertname: '{n}' }`, body: { list: [] } },
	])('$name', ({ config, body }) => {
		expect(read(intake(config), body)).toEqual([]);
	});

	test.each([
		{ name: 'no name', body: { value: '1' } },
		{ name: 'a text', body: 'x' },
		{ name: 'nothing', body: null },
		{ name: 'too many', body: Array.from({ length: 1001 }, () => ZABBIX) },
	])('$name is refused', ({ body }) => {
		expect(() => read(intake('format: zabbix'), body)).toThrow('cannot be read');
	});

	test('whatever is posted is refused or makes good labels', () => {
		const own = intake('format: zabbix');
		fc.assert(
			fc.property(
				fc.record({
					trigger_name: fc.anything(),
					host: fc.anything(),
					severity: fc.anything(),
					value: fc.anything(),
					event_time: fc.anything(),
				}),
				(body) => {
					let alerts: ReturnType<typeof read> = [];
					try {
						alerts = read(own, JSON.parse(JSON.stringify(body)) as unknown);
					} catch (error) {
						expect(String(error)).toContain('cannot be read');
					}
					for (const { labels, startsAtMs, endsAtMs } of alerts) {
						expect(Object.values(labels).every((value) => value !== '' && value.isWellFormed())).toBe(true);
						expect(Number.isInteger(startsAtMs) && startsAtMs <= (endsAtMs ?? 0)).toBe(true);
					}
				},
			),
		);
	});
});
