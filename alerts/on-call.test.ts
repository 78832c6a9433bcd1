import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { postedAlert, type RunningAlerting, startAlerting } from '../tests/harness/alerting.ts';
import { type FakeWebhook, startFakeWebhook } from '../tests/harness/fake-webhook.ts';
import { createManualClock, type ManualClock } from '../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../tests/harness/process.ts';
import { fingerprintOf } from './alert.ts';
import type { FaultFacts } from './escalation/progress.ts';
import { parseAckToken } from './incident/ack-link.ts';
import type { Incident } from './incident/incident.ts';
import type { Notification } from './notify/notification.ts';
import type { AlertingPorts } from './ports.ts';

let folder: TemporaryFolder;
let hook: FakeWebhook;
let clock: ManualClock;
let running: RunningAlerting;
let faults: FaultFacts[] = [];
let copied: string[] = [];
let zeroMs = 0;

beforeEach(async () => {
	folder = temporaryFolder('on-call');
	hook = await startFakeWebhook();
	// A Saturday, 09:00 in Shanghai.
	clock = createManualClock();
	zeroMs = clock.now();
	faults = [];
	copied = [];
});

afterEach(async () => {
	await running.stop();
	await hook.stop();
	folder.remove();
});

const ROSTERS = `
    - { id: first, name: 一线, layers: [{ name: weekly, people: [zhang, li], start: '2026-11-16' }] }
    - { id: empty, name: 空, layers: [{ name: none, people: [nobody], start: '2026-11-16' }] }`;

const POLICY = `
- name: standard
  severities: [critical]
  steps:
    - { to: ['roster:first'], wait: 5m, times: 2 }
    - { to: ['next:first'], wait: 5m }
    - { to: ['lead:duty'], wait: 10m }
  rounds: 1
  unacknowledge_after: 1h`;

interface Variant {
	readonly policies?: string;
	readonly more?: string;
	readonly receiver?: string;
	readonly routes?: string;
	readonly rosters?: string;
	readonly handover?: string;
	readonly drill?: string;
	readonly ports?: (ports: AlertingPorts) => AlertingPorts;
}

async function start(options: Variant = {}): Promise<void> {
	running = await startAlerting({
		folder: folder.path,
		clock,
		config: `
route: { receiver: ${options.receiver ?? 'nobody'}, group_by: [alertname], group_wait: 0s, group_interval: 1m, repeat_interval: 4h${options.routes === undefined ? '' : `, ${options.routes}`} }
receivers: [{ name: nobody }, { name: hall, webhook_configs: [{ url: '${hook.url}' }] }, { name: room, webhook_configs: [{ url: '${hook.url}' }] }]
channels: [{ name: hook, webhook: { url: '${hook.url}' } }]
oncall:
  people:
    - { id: zhang, name: 张伟, account: zhang.wei, addresses: [{ channel: hook, to: zhang }] }
    - { id: li, name: 李娜, addresses: [{ channel: hook, to: li }] }
    - { id: wang, name: 王强, addresses: [{ channel: hook, to: wang }] }
    - { id: nobody, name: 无号 }
  teams: [{ id: duty, name: 值班组, lead: wang, members: [zhang, li, wang] }]
  rosters: ${options.rosters ?? ROSTERS}
  handover: ${options.handover ?? '{}'}
  ${options.drill === undefined ? '' : `drill: ${options.drill}`}
  policies: ${(options.policies ?? POLICY).replace(/\n/g, '\n    ')}
${options.more ?? ''}`,
		...(options.ports === undefined ? {} : { ports: options.ports }),
		onCall: {
			faults: async () => faults,
			copyAcknowledgement: async ({ by, fingerprints, atMs }) => {
				copied.push(`${by} ${fingerprints.length} ${(atMs - zeroMs) / 60_000}m`);
			},
		},
	});
}

async function restart(options?: Parameters<typeof start>[0]): Promise<void> {
	await running.stop();
	await start(options);
}

const post = (name: string, endsAtMs: number | null, more: Record<string, string> = {}) =>
	running.alerting.receive([
		postedAlert({ alertname: name, severity: 'critical', ...more }, { startsAtMs: zeroMs, endsAtMs }, { summary: `${name} 停了` }),
	]);
const fire = (name: string, more?: Record<string, string>) => post(name, zeroMs + 30 * 86_400_000, more);
const resolve = (name: string, more?: Record<string, string>) => post(name, clock.now(), more);
const minutes = (count: number) => clock.advance(count * 60_000);

/** What was put into the outbox for people: `0m 张伟 fired`. */
async function calls(): Promise<string[]> {
	for (let i = 0; i < 5; i++) await clock.settle();
	const rows = await running.state.selectFrom('notification').select('body').orderBy('number').execute();
	return rows.flatMap(({ body }) => {
		const { createdAtMs, personal, reason, incident } = JSON.parse(body) as Notification;
		if (personal === undefined) return [];
		const text = incident?.text === '' ? '' : ` ${incident?.text.slice(0, 12)}`;
		return [`${(createdAtMs - zeroMs) / 60_000}m ${personal.name} ${reason}${text}`];
	});
}

async function lastLink(): Promise<string> {
	await calls();
	const rows = await running.state.selectFrom('notification').select('body').orderBy('number').execute();
	const urls = rows.flatMap(({ body }) => (JSON.parse(body) as Notification).incident?.ackUrl || []);
	return urls.at(-1)?.split('/').at(-1) ?? '';
}

const incident = (ref = '1'): Promise<Incident> => running.alerting.onCall.incidents.get(ref);
const kinds = async (ref = '1') => (await running.alerting.onCall.incidents.events((await incident(ref)).id)).map(({ body }) => body.kind);
const take = (person: string, name: string) =>
	running.alerting.onCall.incidents.acknowledge('1', { person, name, by: person, way: 'console' });

describe('escalation', () => {
	test('calls whoever has duty, again, the next one, the lead, and then says that nobody took it', async () => {
		await start();
		await fire('NginxDown');
		await minutes(60);
		expect(await calls()).toEqual(['0m 张伟 fired', '5m 张伟 repeat', '10m 李娜 repeat', '15m 王强 repeat']);
		expect((await incident()).position).toMatchObject({ step: 3, dueAtMs: null });
		expect(await kinds()).toContain('exhausted');
		await running.alerting.onCall.turn();
		expect(await running.metrics.getSingleMetricAsString('fournines_oncall_unanswered_incidents')).toMatch(/ 1$/m);
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
		expect(copied[0]).toBe('li 1 11m');
		expect(new Set(copied).size).toBe(1);
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
		await clock.jump(3_600_000);
		expect(await verify(link)).toBe('spent');
	});
});

describe('faults', () => {
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
	const LEVELS = `
- { name: plain, severities: [critical], fault_levels: ['none'], steps: [{ to: ['person:li'] }] }
- { name: level-one, fault_levels: ['1'], steps: [{ to: ['lead:duty'], wait: 5m }], rounds: 1 }
- { name: standard, severities: [critical], steps: [{ to: ['roster:first'], wait: 4h }] }`;

	test('a declared level changes the chain, and reminds of every progress report once, with its clock', async () => {
		await start({ policies: LEVELS });
		await fire('NginxDown', { service: 'mis' });
		await minutes(2);
		faults = [fault()];
		await minutes(62);
		const told = await calls();
		expect(told.slice(0, 2)).toEqual(['0m 张伟 fired', expect.stringMatching(/^[23]m 王强 repeat$/)]);
		expect(told.slice(2)).toEqual([expect.stringMatching(/^5[67]m 王强 fired 请通报故障 7 进展/)]);
		faults = [fault({ progressDueMs: zeroMs + 121 * 60_000 })];
		await minutes(60);
		expect((await calls()).slice(3)).toEqual([expect.stringMatching(/^11[67]m 王强 fired 请通报故障 7 进展/)]);
		const rows = await running.state.selectFrom('notification').select('body').orderBy('number').execute();
		const clocks = rows.flatMap(({ body }) => (JSON.parse(body) as Notification).incident?.clock || []);
		// Every message of the incident has it, the call of the higher level first.
		expect(clocks[0]).toMatch(/^一级 剩 1:5\d 下次通报 10:01$/);
		expect(clocks[1]).toMatch(/^一级 剩 1:0[45] 下次通报 10:01$/);
	});

	test('one without an alert opens an incident of its own, which ends with it', async () => {
		await start({ policies: LEVELS });
		faults = [fault()];
		await minutes(2);
		expect(await incident()).toMatchObject({ source: { kind: 'fault', number: 7 }, state: 'open' });
		faults = [fault({ restoredMs: clock.now() })];
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
});

describe('the auditor', () => {
	test('sees on the disk that a call is overdue although whoever makes them cannot', async () => {
		let broken = true;
		await start({
			ports: (ports) => ({
				...ports,
				incidents: {
					...ports.incidents,
					write: async (changes) => {
						if (broken && changes.some(({ events }) => events.some(({ body }) => body.kind === 'called'))) throw new Error('disk full');
						await ports.incidents.write(changes);
					},
				},
			}),
		});
		await fire('NginxDown');
		await minutes(3);
		expect(await calls()).toEqual([]);
		const metric = (name: string) => running.metrics.getSingleMetricAsString(name);
		expect(await metric('fournines_oncall_overdue_steps')).toMatch(/ 1$/m);
		expect(await metric('fournines_oncall_failures_total')).toMatch(/part="escalation"\} [1-9]/);
		broken = false;
		await minutes(2);
		expect(await calls()).toHaveLength(1);
		expect(await metric('fournines_oncall_overdue_steps')).toMatch(/ 0$/m);
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

	test('every address of whoever has duty is tried on its own, and the result is kept', async () => {
		await start();
		await running.alerting.onCall.drill('zhang.wei');
		const sent = async () => (await running.alerting.history.deliveries((await incident()).id)).some(({ kind }) => kind === 'sent');
		await waitFor('the message', sent);
		await minutes(32);
		expect(await incident()).toMatchObject({ state: 'resolved', source: { kind: 'drill' } });
		expect(await running.metrics.getSingleMetricAsString('fournines_oncall_drill_failed_addresses')).toMatch(/ 0$/m);
		expect((await calls()).length).toBe(1);
	});
});
