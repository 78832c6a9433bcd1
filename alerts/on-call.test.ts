import { describe, expect, test } from 'vitest';
import { postedAlert } from '../tests/harness/alerting.ts';
import { waitFor } from '../tests/harness/process.ts';
import { fingerprintOf } from './alert.ts';
import {
	calls,
	clock,
	copied,
	everyNight,
	fire,
	hook,
	incident,
	kinds,
	minutes,
	resolve,
	restart,
	running,
	start,
	take,
	zeroMs,
} from './on-call.fixture.ts';

everyNight();

describe('escalation', () => {
	test('calls whoever has duty, again, the next one, the lead, and then says that nobody took it', async () => {
		await start();
		const unanswered = async () => {
			await running.alerting.onCall.turn();
			return running.metrics.getSingleMetricAsString('fournines_oncall_unanswered_incidents');
		};
		await fire('NginxDown');
		await minutes(24);
		// The last one called may still take it.
		expect(await unanswered()).toMatch(/ 0$/m);
		await minutes(36);
		expect(await calls()).toEqual(['0m 张伟 fired', '5m 张伟 repeat', '10m 李娜 repeat', '15m 王强 repeat']);
		expect((await incident()).position).toMatchObject({ step: 3, dueAtMs: null });
		expect(await kinds()).toContain('exhausted');
		expect(await unanswered()).toMatch(/ 1$/m);
	});

	test('an acknowledgement ends the chain, and the recovery is told to whoever was called', async () => {
		await start();
		await fire('NginxDown');
		await minutes(11);
		await take('li', '李娜');
		await minutes(30);
		await resolve('NginxDown');
		await minutes(2);
		expect(await calls()).toEqual([
			'0m 张伟 fired',
			'5m 张伟 repeat',
			'10m 李娜 repeat',
			'11m 张伟 fired 事件 1 已由 李娜 确',
			'42m 张伟 resolved',
			'42m 李娜 resolved',
		]);
		expect(await incident()).toMatchObject({ state: 'resolved', owner: 'li', acknowledgedAtMs: zeroMs + 11 * 60_000, firing: [] });
		const taken = { by: 'li', atMs: zeroMs + 11 * 60_000, fromMs: zeroMs, fault: null };
		expect(copied[0]).toMatchObject({ ...taken, toMs: null });
		expect(copied[0]?.fingerprints).toHaveLength(1);
		expect(copied[0]?.labels).toContainEqual({ alertname: 'NginxDown', severity: 'critical' });
		expect(copied.at(-1)).toMatchObject({ ...taken, toMs: zeroMs + 42 * 60_000 });
		expect(new Set(copied.map(({ atMs }) => atMs)).size).toBe(1);
	});

	test('what was taken and is not over becomes nobody’s again, and is called for anew', async () => {
		await start();
		await fire('NginxDown');
		await minutes(1);
		await take('zhang', '张伟');
		await minutes(59);
		expect(await calls()).toHaveLength(1);
		await minutes(2);
		expect((await incident()).state).toBe('open');
		expect(await calls()).toEqual(['0m 张伟 fired', '61m 张伟 repeat']);
		expect((await incident()).acknowledgedAtMs).toBe(zeroMs + 60_000);
		await minutes(9);
		copied.length = 0;
		await take('li', '李娜');
		await calls();
		// What began while nobody had it was taken by the second one.
		expect(copied.map(({ by, atMs, fromMs, toMs }) => [by, ...[atMs, fromMs, toMs].map((ms) => ms && (ms - zeroMs) / 60_000)])).toEqual([
			['zhang.wei', 1, 0, 61],
			['li', 71, 61, null],
		]);
	});

	test('taking it again begins the time anew; somebody else is told to have it handed over', async () => {
		await start();
		await fire('NginxDown');
		await minutes(1);
		await take('zhang', '张伟');
		await minutes(40);
		expect(await take('zhang', '张伟')).toMatchObject({ already: true });
		await minutes(40);
		expect((await incident()).state).toBe('acknowledged');
		await expect(take('li', '李娜')).rejects.toThrow(/zhang/);
	});

	test('while a silence hides all of its alerts nobody is called, and afterwards the chain goes on', async () => {
		await start();
		await fire('NginxDown');
		await minutes(1);
		const silence = await running.alerting.silences.set({
			matchers: [{ name: 'alertname', operator: '=', value: 'NginxDown' }],
			startsAtMs: clock.now(),
			endsAtMs: clock.now() + 86_400_000,
			createdBy: 'zhang.wei',
			comment: '处理中',
		});
		await minutes(30);
		expect(await calls()).toEqual(['0m 张伟 fired']);
		expect((await incident()).held).toBe('silence');
		await running.alerting.silences.expire(silence);
		await minutes(7);
		expect((await calls()).slice(1, 3)).toEqual([
			expect.stringMatching(/^3[12]m 张伟 repeat$/),
			expect.stringMatching(/^3[67]m 李娜 repeat$/),
		]);
		expect(await kinds()).toEqual(expect.arrayContaining(['held', 'resumed']));
	});

	test('a hand-over calls that person first, and the chain when they do not take it', async () => {
		await start();
		await fire('NginxDown');
		await minutes(1);
		await take('zhang', '张伟');
		await running.alerting.onCall.incidents.handOver('1', { id: 'wang', name: '王强' }, 'zhang');
		await minutes(6);
		expect(await calls()).toEqual(['0m 张伟 fired', '1m 王强 repeat', '6m 张伟 repeat']);
	});

	test('a step with nobody to call costs no time', async () => {
		await start({ policies: "[{ name: p, steps: [{ to: ['roster:empty'], wait: 1h }, { to: ['person:li'], wait: 1h }] }]" });
		await fire('NginxDown');
		await minutes(1);
		expect(await calls()).toEqual(['0m 李娜 fired']);
		expect(await kinds()).toEqual(expect.arrayContaining(['nobody', 'called']));
	});

	test('the chain is the one of the beginning: a reload changes the next incident, not this one', async () => {
		await start();
		await fire('NginxDown');
		await minutes(1);
		const policies = "[{ name: other, steps: [{ to: ['person:wang'], wait: 1h }] }]";
		await restart({ policies });
		await minutes(5);
		await fire('TomcatDown');
		await minutes(1);
		const told = await calls();
		expect(told.slice(0, 2)).toEqual(['0m 张伟 fired', '5m 张伟 repeat']);
		expect(told.at(-1)).toBe('6m 王强 fired');
	});

	test('a person whose every address refuses is not waited for', async () => {
		await start();
		hook.fail({ kind: 'status', status: 400 }, 1);
		await fire('NginxDown');
		await waitFor('the next call', async () => (await calls()).length === 2);
		expect(await calls()).toEqual(['0m 张伟 fired', '0m 张伟 repeat']);
		expect(await kinds()).toContain('delivery');
	});

	test('of several who are called, one who may still be reached is waited for', async () => {
		const policies = "[{ name: p, steps: [{ to: ['person:zhang', 'person:li'], wait: 5m }, { to: ['person:wang'], wait: 1h }] }]";
		await start({ policies });
		hook.fail({ kind: 'status', status: 400 }, 1);
		await fire('NginxDown');
		await waitFor('the refusal', async () => (await calls()).length === 2 && (await kinds()).includes('delivery'));
		await minutes(4);
		expect(await calls()).toEqual(['0m 张伟 fired', '0m 李娜 fired']);
		await minutes(1);
		expect((await calls()).slice(2)).toEqual(['5m 王强 repeat']);
	});
});

describe('what opens an incident, and what ends it', () => {
	test('one group is one incident, also told to a room; alerts that join belong to it, and all must be over', async () => {
		await start({ receiver: 'room' });
		await fire('NginxDown', { instance: 'a' });
		await minutes(2);
		await fire('NginxDown', { instance: 'b' });
		await minutes(2);
		expect(await incident()).toMatchObject({ number: 1, alertCount: 2, title: 'NginxDown 停了', severity: 'critical' });
		await resolve('NginxDown', { instance: 'a' });
		await minutes(2);
		expect(await incident()).toMatchObject({
			state: 'open',
			firing: [fingerprintOf({ alertname: 'NginxDown', severity: 'critical', instance: 'b' })],
		});
		await resolve('NginxDown', { instance: 'b' });
		await minutes(2);
		expect((await incident()).state).toBe('resolved');
		expect(await kinds()).toEqual(expect.arrayContaining(['opened', 'joined', 'told', 'called', 'alerts-resolved', 'resolved']));
		expect(running.alerting.onCall.incidents.active().filter(({ state }) => state !== 'resolved')).toEqual([]);
	});

	test('what fires in its group while the rest of it is silenced joins it', async () => {
		await start({ receiver: 'room' });
		await fire('NginxDown', { instance: 'a' });
		await minutes(1);
		await running.alerting.silences.set({
			matchers: [{ name: 'instance', operator: '=', value: 'a' }],
			startsAtMs: clock.now(),
			endsAtMs: clock.now() + 86_400_000,
			createdBy: 'zhang.wei',
			comment: '处理中',
		});
		await fire('NginxDown', { instance: 'b' });
		await minutes(2);
		expect(await running.alerting.onCall.incidents.list({ limit: 10 })).toMatchObject([{ number: 1, alertCount: 2 }]);
	});

	test('one alert that goes two ways is one incident', async () => {
		await start({
			routes:
				"routes: [{ matchers: ['severity=critical'], receiver: room, continue: true }, { matchers: ['severity=critical'], receiver: hall }]",
		});
		await fire('NginxDown');
		await minutes(1);
		expect((await running.alerting.onCall.incidents.list({ limit: 10 })).map(({ number }) => number)).toEqual([1]);
		const told = (await running.alerting.onCall.incidents.events((await incident()).id)).flatMap(({ body }) =>
			body.kind === 'told' ? [body.receiver] : [],
		);
		expect(told.sort()).toEqual(['hall', 'room']);
	});

	test('what nobody is told about opens none', async () => {
		await start({ policies: '[]' });
		await fire('NginxDown');
		await minutes(1);
		expect(await running.alerting.onCall.incidents.list({ limit: 10 })).toEqual([]);
	});

	test('the same alert after its end is another incident', async () => {
		await start();
		await fire('NginxDown');
		await minutes(2);
		await resolve('NginxDown');
		await minutes(2);
		await fire('NginxDown');
		await minutes(2);
		expect((await running.alerting.onCall.incidents.list({ limit: 10 })).map(({ number, state }) => `${number} ${state}`)).toEqual([
			'2 open',
			'1 resolved',
		]);
	});

	test('one that somebody closed stays closed while its alert fires on', async () => {
		await start();
		await fire('NginxDown');
		await minutes(2);
		await running.alerting.onCall.incidents.resolve('1', 'zhang.wei', '误报');
		await minutes(250);
		expect((await running.alerting.onCall.incidents.list({ limit: 10 })).map(({ number }) => number)).toEqual([1]);
		expect((await calls()).filter((one) => one.includes('resolved'))).toEqual(['2m 张伟 resolved']);
	});

	test('a storm of groups is a bounded number of incidents, and none is lost', async () => {
		await start({ receiver: 'room', more: 'storm: { messages: 5 }' });
		await running.alerting.receive(
			Array.from({ length: 300 }, (_, i) =>
				postedAlert({ alertname: `A${i}`, severity: 'critical', team: 'ops' }, { startsAtMs: zeroMs, endsAtMs: zeroMs + 86_400_000 }),
			),
		);
		await minutes(1);
		const all = await running.alerting.onCall.incidents.list({ limit: 100 });
		expect(all.length).toBeLessThan(10);
		expect(all.reduce((sum, { firing }) => sum + firing.length, 0)).toBe(300);
	});
});
