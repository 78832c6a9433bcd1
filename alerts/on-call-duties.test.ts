import { describe, expect, test } from 'vitest';
import { waitFor } from '../tests/harness/process.ts';
import { fingerprintOf } from './alert.ts';
import type { FaultFacts } from './escalation/progress.ts';
import { parseAckToken } from './incident/ack-link.ts';
import type { Notification } from './notify/notification.ts';
import {
	calls,
	clock,
	declare,
	everyNight,
	fire,
	hook,
	incident,
	kinds,
	lastLink,
	minutes,
	restart,
	running,
	start,
	take,
	zeroMs,
} from './on-call.fixture.ts';
import type { AlertingPorts } from './ports.ts';

everyNight();

const fault = (more: Partial<FaultFacts> = {}): FaultFacts => ({
	id: 'f1',
	number: 7,
	title: 'MIS 不可用',
	service: 'mis',
	fingerprint: null,
	level: '1',
	levelName: '一级',
	onsetMs: zeroMs,
	declaredMs: zeroMs + 60_000,
	restoredMs: null,
	deadline: { name: '解决', dueMs: zeroMs + 121 * 60_000 },
	progressDueMs: zeroMs + 61 * 60_000,
	tell: ['运维处'],
	...more,
});

describe('links that acknowledge', () => {
	const verify = async (text: string) => {
		const token = parseAckToken(text);
		return token === null ? 'unreadable' : running.alerting.onCall.links.verify(token, await incident(), clock.now()).kind;
	};

	test('the last call’s link is good once; another one, a changed one, an old one is not', async () => {
		await start();
		await fire('NginxDown');
		await minutes(1);
		const first = await lastLink();
		expect(first).toMatch(/^1\.\d+\.[\w-]{22}$/);
		expect(await verify(first)).toBe('good');
		expect(await verify(`${first.slice(0, -1)}${first.endsWith('A') ? 'B' : 'A'}`)).toBe('bad');
		expect(await verify(first.replace(/^1\.\d+/, '1.99'))).toBe('bad');
		await minutes(5);
		const second = await lastLink();
		expect(second).not.toBe(first);
		expect(await verify(first)).toBe('spent');
		expect(await verify(second)).toBe('good');
		const call = parseAckToken(second)?.seq ?? 0;
		await running.alerting.onCall.incidents.acknowledge('1', { person: 'zhang', name: '张伟', by: 'zhang', way: 'link', call });
		expect(await verify(second)).toBe('spent');
		expect((await incident()).owner).toBe('zhang');
	});

	test('a link takes nothing that is over', async () => {
		await start();
		await fire('NginxDown');
		await minutes(1);
		const link = await lastLink();
		await running.alerting.onCall.incidents.resolve('1', 'zhang.wei', '误报');
		expect(await verify(link)).toBe('spent');
	});

	test('a link survives a restart and ends after a day', async () => {
		const policies = "[{ name: slow, steps: [{ to: ['person:zhang'], wait: 3d }] }]";
		await start({ policies });
		await fire('NginxDown');
		await minutes(1);
		await restart({ policies });
		const link = await lastLink();
		expect(await verify(link)).toBe('good');
		await clock.jump(23 * 3_600_000);
		expect(await verify(link)).toBe('good');
		await clock.jump(59 * 60_000);
		expect(await verify(link)).toBe('spent');
	});
});

describe('faults', () => {
	const LEVELS = `
- { name: plain, severities: [critical], fault_levels: ['none'], steps: [{ to: ['person:li'] }] }
- { name: level-one, fault_levels: ['1'], steps: [{ to: ['lead:duty'], wait: 5m }], rounds: 1 }
- { name: standard, severities: [critical], steps: [{ to: ['roster:first'], wait: 4h }] }`;

	test('a declared level changes the chain, and reminds of every progress report once, with its clock', async () => {
		await start({ policies: LEVELS });
		await fire('NginxDown', { service: 'mis' });
		await minutes(2);
		declare(fault());
		await minutes(62);
		const told = await calls();
		expect(told.slice(0, 2)).toEqual(['0m 张伟 fired', expect.stringMatching(/^[23]m 王强 repeat$/)]);
		expect(told.slice(2)).toEqual([expect.stringMatching(/^5[67]m 王强 fired 请通报故障 7 进展/)]);
		declare(fault({ progressDueMs: zeroMs + 121 * 60_000 }));
		await minutes(60);
		expect((await calls()).slice(3)).toEqual([expect.stringMatching(/^11[67]m 王强 fired 请通报故障 7 进展/)]);
		const rows = await running.state.selectFrom('notification').select('body').orderBy('number').execute();
		const clocks = rows.flatMap(({ body }) => (JSON.parse(body) as Notification).incident?.clock || []);
		// Every message of the incident has it, the call of the higher level first.
		expect(clocks[0]).toMatch(/^一级 剩 1:5\d 下次通报 10:01$/);
		expect(clocks[1]).toMatch(/^一级 剩 1:0[45] 下次通报 10:01$/);
	});

	test('a level that is raised later changes the chain then; whoever has the incident is the one who is reminded', async () => {
		await start({ policies: LEVELS });
		await fire('NginxDown', { service: 'mis' });
		await minutes(2);
		declare(fault({ level: '2', levelName: '二级', progressDueMs: null }));
		await minutes(2);
		expect(await calls()).toEqual(['0m 张伟 fired']);
		declare(fault());
		await minutes(2);
		expect((await calls()).slice(1)).toEqual([expect.stringMatching(/^[456]m 王强 repeat$/)]);
		expect(await incident()).toMatchObject({ fault: 'f1', faultLevel: '1', chain: { policy: 'level-one' } });
		await take('li', '李娜');
		await minutes(58);
		const reminded = (await calls()).filter((one) => one.includes('请通报'));
		expect(reminded).toEqual([expect.stringMatching(/^5[67]m 李娜 fired 请通报故障 7 进展/)]);
	});

	test('while nobody has it, whoever was called last is reminded', async () => {
		const steps = "[{ to: ['lead:duty'], wait: 5m }, { to: ['person:li'], wait: 4h }]";
		await start({ policies: `[{ name: level-one, fault_levels: ['1'], steps: ${steps} }]` });
		declare(fault());
		await minutes(58);
		expect((await calls()).map((one) => one.replace(/^\d+m /, ''))).toEqual([
			'王强 fired 故障 7：MIS 不可用',
			'李娜 repeat 故障 7：MIS 不可用',
			'李娜 fired 请通报故障 7 进展：M',
		]);
	});

	test('it belongs to the incident of the alert that opened it, whatever service that names', async () => {
		await start({ policies: LEVELS });
		await fire('NginxDown');
		await minutes(2);
		const fingerprint = fingerprintOf({ alertname: 'NginxDown', severity: 'critical' });
		declare(fault({ service: null, fingerprint }));
		await minutes(2);
		const { incidents } = running.alerting.onCall;
		expect(await incidents.list({ limit: 10 })).toMatchObject([{ number: 1, fault: 'f1', chain: { policy: 'level-one' } }]);
	});

	test('a second one of the service has an incident of its own', async () => {
		await start({ policies: LEVELS });
		await fire('NginxDown', { service: 'mis' });
		await minutes(2);
		declare(fault(), fault({ id: 'f2', number: 8 }));
		await minutes(5);
		const all = await running.alerting.onCall.incidents.list({ limit: 10 });
		expect(all.map(({ number, fault }) => `${number} ${fault}`)).toEqual(['2 f2', '1 f1']);
		expect((await kinds()).filter((kind) => kind === 'fault')).toHaveLength(1);
	});

	test('one of a level that no policy names, and that no alert tells of, calls nobody', async () => {
		await start({ policies: LEVELS });
		declare(fault({ level: '2' }));
		await minutes(2);
		expect(await running.alerting.onCall.incidents.list({ limit: 10 })).toEqual([]);
	});

	test('one without an alert opens an incident of its own, which ends with it', async () => {
		await start({ policies: LEVELS });
		declare(fault());
		await minutes(2);
		expect(await incident()).toMatchObject({ source: { kind: 'fault', number: 7 }, state: 'open' });
		declare(fault({ restoredMs: clock.now() }));
		await minutes(2);
		expect((await incident()).state).toBe('resolved');
	});
});

describe('replies', () => {
	const reply = (text: string, to = 'zhang') => ({
		id: text,
		from: { channel: 'hook', to },
		way: 'sms_gateway',
		said: { kind: 'text' as const, text },
		atMs: clock.now(),
	});

	test('the number or a plain yes of whoever was called takes it; anybody else’s does not', async () => {
		await start();
		await fire('NginxDown');
		await minutes(1);
		const { take } = { take: (text: string, to?: string) => running.alerting.onCall.reply(reply(text, to)) };
		expect(await take('A1', 'stranger')).toEqual({ text: '' });
		expect(await take('A1', 'li')).toEqual({ text: '没有等待您确认的事件' });
		expect(await take('什么情况')).toEqual({ text: '请回复编号：A1' });
		expect((await incident()).state).toBe('open');
		expect((await take('收到')).text).toContain('已确认事件 1');
		expect(await incident()).toMatchObject({ state: 'acknowledged', owner: 'zhang' });
		expect((await take('A1')).text).toBe('事件 1 已由 张伟 确认');
	});

	test('an answer that comes a second time takes nothing again, not even what is nobody’s again', async () => {
		await start();
		await fire('NginxDown');
		await minutes(1);
		const said = reply('A1');
		expect((await running.alerting.onCall.reply(said)).text).toContain('已确认事件 1');
		expect(await running.alerting.onCall.reply(said)).toEqual({ text: '' });
		await minutes(62);
		expect((await incident()).state).toBe('open');
		expect(await running.alerting.onCall.reply(said)).toEqual({ text: '' });
		expect((await incident()).state).toBe('open');
		expect((await kinds()).filter((kind) => kind === 'reply')).toHaveLength(1);
		expect((await running.alerting.onCall.reply({ ...said, id: 'another' })).text).toContain('已确认事件 1');
	});

	test('a plain yes that comes a second time is not asked what it meant; another one is', async () => {
		await start();
		await fire('NginxDown');
		await minutes(1);
		const said = reply('收到');
		expect((await running.alerting.onCall.reply(said)).text).toContain('已确认事件 1');
		expect(await running.alerting.onCall.reply(said)).toEqual({ text: '' });
		expect(await running.alerting.onCall.reply({ ...said, id: 'another' })).toEqual({ text: '请回复编号：A1' });
	});

	test('an answer that was written long before the incident began was not about it, however late it is read', async () => {
		await start();
		await fire('NginxDown');
		await minutes(1);
		const late = { ...reply('收到'), atMs: zeroMs - 600_000 };
		expect(await running.alerting.onCall.reply(late)).toEqual({ text: '没有等待您确认的事件' });
		expect((await incident()).state).toBe('open');
		expect((await running.alerting.onCall.reply({ ...late, id: 'now', atMs: zeroMs - 200_000 })).text).toContain('已确认事件 1');
	});
});

describe('the auditor', () => {
	test.each([
		{ name: 'a call', step: 'called', took: false, before: 0, after: 1 },
		{ name: 'the end of an acknowledgement', step: 'released', took: true, before: 1, after: 2 },
	])('sees that $name is overdue although whoever is to do it cannot', async ({ step, took, before, after }) => {
		let broken = !took;
		await start({
			ports: (ports) => ({
				...ports,
				incidents: {
					...ports.incidents,
					write: async (changes) => {
						if (broken && changes.some(({ events }) => events.some(({ body }) => body.kind === step))) throw new Error('disk full');
						await ports.incidents.write(changes);
					},
				},
			}),
		});
		await fire('NginxDown');
		if (took) {
			await minutes(1);
			await take('zhang', '张伟');
			broken = true;
			await minutes(60);
		}
		await minutes(3);
		expect(await calls()).toHaveLength(before);
		const metric = (name: string) => running.metrics.getSingleMetricAsString(name);
		expect(await metric('fournines_oncall_overdue_steps')).toMatch(/ 1$/m);
		expect(await metric('fournines_oncall_failures_total')).toMatch(/part="escalation"\} [1-9]/);
		broken = false;
		await minutes(2);
		expect(await calls()).toHaveLength(after);
		expect(await metric('fournines_oncall_overdue_steps')).toMatch(/ 0$/m);
	});

	test('a look that fails keeps no other one from its minute', async () => {
		await start({
			ports: (ports) => ({ ...ports, incidents: { ...ports.incidents, overdue: () => Promise.reject(new Error('disk full')) } }),
			policies: "[{ name: level-one, fault_levels: ['1'], steps: [{ to: ['lead:duty'], wait: 5m }] }]",
		});
		declare(fault());
		await minutes(2);
		expect((await incident()).fault).toBe('f1');
		expect(await running.metrics.getSingleMetricAsString('fournines_oncall_failures_total')).toMatch(/part="audit"\} [1-9]/);
	});
});

describe('hand-over records', () => {
	const SHIFTS = `[{ id: first, name: 一线, handover: true, layers: [{ name: l, people: [zhang, li], start: '2026-11-16T09:30', turn: { unit: day } }] }]`;

	test('each change of duty makes one, and one that nobody signs is told to the lead, once', async () => {
		await start({ rosters: SHIFTS, handover: "{ sign_within: 30m, tell: ['lead:duty'] }", policies: '[]' });
		await minutes(31);
		await restart({ rosters: SHIFTS, handover: "{ sign_within: 30m, tell: ['lead:duty'] }", policies: '[]' });
		const { handovers } = running.alerting.onCall;
		const [second, first] = handovers.list(10);
		expect([first?.outgoing, first?.incoming]).toEqual([[], ['zhang']]);
		expect([second?.outgoing, second?.incoming]).toEqual([['zhang'], ['li']]);
		await handovers.sign(second?.id ?? '', 'outgoing', { person: 'zhang', by: 'zhang.wei', note: '' });
		await expect(handovers.sign(second?.id ?? '', 'incoming', { person: 'zhang', by: 'zhang.wei', note: '' })).rejects.toThrow(
			/not on the incoming side/,
		);
		await minutes(35);
		expect((await calls()).map((one) => one.replace(/^\d+m /, ''))).toEqual([
			'王强 fired 交接班未签字（一线）：接',
			'王强 fired 交接班未签字（一线）：接',
		]);
		await restart({ rosters: SHIFTS, handover: "{ sign_within: 30m, tell: ['lead:duty'] }", policies: '[]' });
		await minutes(5);
		expect(await calls()).toHaveLength(2);
		expect(await running.metrics.getSingleMetricAsString('fournines_oncall_handovers_unsigned')).toMatch(/ 2$/m);
		await running.alerting.onCall.handovers.sign(second?.id ?? '', 'incoming', { person: 'li', by: 'li', note: '' });
		await minutes(1);
		expect(await running.metrics.getSingleMetricAsString('fournines_oncall_handovers_unsigned')).toMatch(/ 1$/m);
	});
});

describe('drills', () => {
	test('one comes at its time, or within the hour when nothing ran then, and only once', async () => {
		const more = { drill: "{ schedule: { at: ['09:10'] }, to: ['roster:first'], lasts: 20m }" };
		await start(more);
		await minutes(9);
		const count = async () => (await running.alerting.onCall.incidents.list({ limit: 10 })).length;
		expect(await count()).toBe(0);
		await minutes(2);
		expect(await count()).toBe(1);
		await restart(more);
		await minutes(3);
		expect(await count()).toBe(1);
		await running.stop();
		await clock.jump(24 * 3_600_000 + 30 * 60_000);
		await start(more);
		await minutes(2);
		expect(await count()).toBe(2);
		await running.stop();
		await clock.jump(26 * 3_600_000);
		await start(more);
		await minutes(2);
		expect(await count()).toBe(2);
	});

	test('an address that fails is counted, also by the next process', async () => {
		await start();
		hook.fail({ kind: 'status', status: 400 }, 1);
		await running.alerting.onCall.drill('zhang.wei');
		const refused = async () => (await running.alerting.history.deliveries((await incident()).id)).some(({ kind }) => kind === 'refused');
		await waitFor('the refusal', refused);
		await minutes(32);
		const failed = () => running.metrics.getSingleMetricAsString('fournines_oncall_drill_failed_addresses');
		expect(await failed()).toMatch(/ 1$/m);
		await restart();
		await minutes(1);
		expect(await failed()).toMatch(/ 1$/m);
	});

	test('an address whose carrier says that nothing arrived is counted, though the channel had taken the message', async () => {
		const denied = async (deliveries: AlertingPorts['history']['deliveries'], id: string) =>
			(await deliveries(id)).flatMap((event) => (event.kind === 'sent' ? [event, { ...event, kind: 'undelivered' as const }] : [event]));
		await start({
			ports: (ports) => ({ ...ports, history: { ...ports.history, deliveries: (id) => denied(ports.history.deliveries, id) } }),
		});
		await running.alerting.onCall.drill('zhang.wei');
		await waitFor('the message', async () => (await running.alerting.history.deliveries((await incident()).id)).length > 1);
		await minutes(32);
		expect(await running.metrics.getSingleMetricAsString('fournines_oncall_drill_failed_addresses')).toMatch(/ 1$/m);
	});

	test('every address of those it names is tried on its own, and the result is kept', async () => {
		await start({ drill: "{ schedule: { at: ['20:00'] }, to: ['lead:duty', 'roster:first'] }" });
		await running.alerting.onCall.drill('zhang.wei');
		const sent = async () => (await running.alerting.history.deliveries((await incident()).id)).filter(({ kind }) => kind === 'sent');
		await waitFor('the messages', async () => (await sent()).length === 3);
		expect((await sent()).map(({ address }) => address.to).sort()).toEqual(['wang', 'wang-at-home', 'zhang']);
		await minutes(32);
		expect(await incident()).toMatchObject({ state: 'resolved', source: { kind: 'drill' } });
		expect(await running.metrics.getSingleMetricAsString('fournines_oncall_drill_failed_addresses')).toMatch(/ 0$/m);
		expect(await calls()).toHaveLength(3);
	});
});
