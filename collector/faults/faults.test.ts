import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseConfig } from '../../core/config-file.ts';
import { ContractsConfigSchema, checkContracts } from '../contracts/config.ts';
import { replay } from './fault.ts';
import type { WatchedAlert, WatchedOutage } from './fault-watch.ts';
import { type FaultWorld, openFaultWorld } from './fault-world.fixture.ts';
import type { FaultCaller, Faults } from './faults.ts';

const MINUTE = 60_000;
const T0 = Date.parse('2021-08-10T10:00:00+08:00');
const caller = (account: string, role: FaultCaller['role']): FaultCaller => ({ account, role, address: '10.0.0.1' });
const ann = caller('ann', 'operator');
const lead = caller('lead', 'operator');
const owner = caller('owner', 'viewer');

let world: FaultWorld;
let outside: FaultWorld['outside'];
let { store, faults, contracts, watch, notices, operations } = {} as FaultWorld;

beforeEach(async () => {
	world = await openFaultWorld(T0);
	({ outside, store, faults, contracts, watch, notices, operations } = world);
});
afterEach(() => world.close());

const outage = (toSeconds: number | null = null): WatchedOutage => ({ service: 'mis', name: 'MIS', fromSeconds: T0 / 1000, toSeconds });
const onlyFault = async () => {
	const [view, ...more] = await faults.list({ fromMs: 0, toMs: outside.nowMs + 1 });
	if (view === undefined || more.length > 0) throw new Error(`expected one fault, found ${more.length + (view === undefined ? 0 : 1)}`);
	return view;
};

test('an outage becomes a candidate once, a declared fault, and a closed one, priced as its clocks went', async () => {
	outside.outages = [outage()];
	outside.nowMs = T0 + MINUTE;
	await watch.turn();
	await watch.turn();
	const { fault, number } = await onlyFault();
	expect({ number, stage: fault.stage, service: fault.service, point: fault.point, level: fault.level }).toEqual({
		number: 1,
		stage: 'candidate',
		service: 'mis',
		point: 'mis',
		level: '4',
	});
	const act = (action: Parameters<Faults['act']>[1], by = ann) => faults.act(fault.id, action, by);
	await act({ kind: 'declare', channel: 'phone' });
	await act({ kind: 'judge', level: '1', reason: 'core business stopped' }, lead);
	outside.nowMs = T0 + 10 * MINUTE;
	await act({ kind: 'acknowledge' });
	outside.outages = [outage(T0 / 1000 + 1200)];
	outside.nowMs = T0 + 30 * MINUTE;
	await watch.turn();
	expect((await onlyFault()).fault.moments.restored).toBe(T0 + 20 * MINUTE);
	await act({ kind: 'resolve', text: 'restarted' });
	await act({ kind: 'confirm', level: '1' }, owner);
	await expect(act({ kind: 'close', text: 'done' })).rejects.toThrow(/missing: cause; report final/);
	await faults.attach(fault.id, '现场.txt', Buffer.from('evidence'), ann);
	await act({ kind: 'set-cause', cause: 'own', text: 'memory leak', evidence: ['1'] });
	await act({ kind: 'countersign', as: 'client' }, owner);
	await act({ kind: 'file-report', report: 'final', text: 'the report', attachment: '1' });
	const closed = await act({ kind: 'close', text: 'done' });
	expect(closed).toMatchObject({ steps: [], fault: { stage: 'closed' } });
	const { assessment } = await contracts.assess('chengdu-2021', 'now');
	// Declared at 1 min, acknowledged at 10 min: 4 minutes after the five that level 1 allows.
	expect(assessment.items.map(({ key, counted, clock }) => ({ key, counted, clock }))).toEqual([
		{ key: `late-response:${fault.id}:`, counted: -300, clock: 'respond' },
	]);
	expect(operations.filter(({ result }) => result === 'success').map(({ action }) => action)).toContain('fault.close');
	const history = await faults.events(fault.id);
	expect(replay(fault.id, history, contracts.profile('chengdu-2021'))).toEqual(closed.fault);
	expect(history.map(({ seq }) => seq)).toEqual(history.map((_, i) => i + 1));
});

test('the history can only grow: a number that is taken makes the whole change fail', async () => {
	const first = await faults.open({ source: 'manual', sourceKey: 'k', service: null, title: 't', point: '', onsetMs: T0, detectedMs: T0 });
	const other = await faults.open({ source: 'manual', sourceKey: 'l', service: null, title: 't', point: '', onsetMs: T0, detectedMs: T0 });
	const event = (seq: number) => ({ seq, atMs: outside.nowMs, actor: 'x', body: { kind: 'take' as const } });
	const change = [
		{ fault: { ...other.fault, owner: 'x', seq: 2 }, events: [event(2)] },
		{ fault: first.fault, events: [event(1)] },
	];
	await expect(store.write(change, outside.nowMs)).rejects.toThrow();
	expect(await faults.events(other.fault.id)).toHaveLength(1);
	expect((await faults.get(other.fault.id)).fault.owner).toBe('');
});

test('candidates that nobody takes escalate from one to the next; what is taken does not', async () => {
	outside.outages = [outage()];
	await watch.turn();
	for (const minutes of [4, 5, 6, 10, 15]) {
		outside.nowMs = T0 + minutes * MINUTE;
		await watch.turn();
	}
	expect(notices.map(({ kind, to }) => ({ kind, to }))).toEqual([
		{ kind: 'escalation', to: 'lead' },
		{ kind: 'escalation', to: 'boss' },
		{ kind: 'escalation', to: 'boss' },
	]);
	// Five times are enough; the alert on waiting candidates goes on.
	for (const minutes of [20, 25, 30, 35, 60]) {
		outside.nowMs = T0 + minutes * MINUTE;
		await watch.turn();
	}
	expect(notices).toHaveLength(5);
	await faults.act((await onlyFault()).fault.id, { kind: 'dismiss', reason: 'a test' }, ann);
	outside.nowMs = T0 + 90 * MINUTE;
	await watch.turn();
	expect(notices).toHaveLength(5);
	// The same outage does not come back after it was dismissed.
	expect((await onlyFault()).fault.stage).toBe('dismissed');
});

test('where nobody is named for a contract, candidates are listed and call nobody', async () => {
	Object.assign(world.config, { escalate_to: [], parties: { manager: [], client: [], supervision: [] } });
	outside.outages = [outage()];
	await watch.turn();
	outside.nowMs = T0 + 60 * MINUTE;
	await watch.turn();
	expect((await onlyFault()).fault).toMatchObject({ stage: 'candidate', escalations: 0 });
	expect(notices).toEqual([]);
	expect((await world.overdue.get()).values).toEqual([
		{ labels: { kind: 'candidate' }, value: 0 },
		{ labels: { kind: 'fault' }, value: 0 },
	]);
	Object.assign(world.config, { parties: { manager: ['lead'], client: [], supervision: [] } });
	await watch.turn();
	expect(notices).toMatchObject([{ kind: 'escalation', to: 'on-call' }]);
	expect((await world.overdue.get()).values[0]?.value).toBe(1);
});

test('a fault is found by its number as well', async () => {
	const { fault, number } = await faults.report({ service: 'mis', title: 't', point: 'p', onsetMs: T0, channel: 'phone', level: '1' }, ann);
	expect((await faults.get(String(number))).fault).toEqual(fault);
	await faults.act(String(number), { kind: 'acknowledge' }, ann);
	expect((await faults.events(String(number))).at(-1)?.body).toMatchObject({ kind: 'acknowledge' });
	await expect(faults.get('99')).rejects.toMatchObject({ code: 'FN_FAULT_UNKNOWN' });
});

test('deadlines are reminded of once each, before they pass', async () => {
	const { fault } = await faults.report({ service: 'mis', title: 't', point: 'p', onsetMs: T0, channel: 'phone', level: '1' }, ann);
	await faults.act(fault.id, { kind: 'acknowledge' }, ann);
	for (const minutes of [1, 54, 55, 56, 114, 115, 116]) {
		outside.nowMs = T0 + minutes * MINUTE;
		await watch.turn();
	}
	expect(notices.map(({ step, dueMs }) => ({ step, after: (dueMs - T0) / MINUTE }))).toEqual([
		{ step: 'progress', after: 60 },
		{ step: 'resolve', after: 120 },
	]);
});

test('where minutes grade, the level rises by itself and each rise is on record', async () => {
	outside.contract = 'shaanxi-2023';
	outside.outages = [outage()];
	for (const minutes of [1, 9, 11, 31, 61, 62]) {
		outside.nowMs = T0 + minutes * MINUTE;
		await watch.turn();
	}
	const { fault } = await onlyFault();
	expect(fault.level).toBe('A1');
	const rises = (await faults.events(fault.id)).flatMap(({ body }) => (body.kind === 'rise' ? [body.level] : []));
	expect(rises).toEqual(['B1', 'A2', 'A1']);
});

const alert = (labels: Record<string, string>, startsAtMs = T0): WatchedAlert => ({
	fingerprint: 'abc',
	labels: { alertname: 'HostDown', instance: 'app-1', ...labels },
	annotations: { summary: 'app-1 is down' },
	startsAtMs,
	receivedAtMs: startsAtMs,
});

describe('alerts', () => {
	test.each([
		{ name: 'critical', labels: { severity: 'critical' }, opened: 1 },
		{ name: 'fault="true"', labels: { severity: 'info', fault: 'true' }, opened: 1 },
		{ name: 'critical, but fault="false"', labels: { severity: 'critical', fault: 'false' }, opened: 0 },
		{ name: 'warning', labels: { severity: 'warning' }, opened: 0 },
		{ name: 'an alert about faults', labels: { severity: 'critical', alertname: 'FaultNotTaken' }, opened: 0 },
	])('$name opens $opened', async ({ labels, opened }) => {
		outside.alerts = [alert(labels as Record<string, string>)];
		await watch.turn();
		await watch.turn();
		expect(await faults.list('open')).toHaveLength(opened);
	});

	test('a dismissed episode stays dismissed; the next one opens another candidate', async () => {
		outside.alerts = [alert({ severity: 'critical' })];
		await watch.turn();
		await faults.act((await onlyFault()).fault.id, { kind: 'dismiss', reason: 'r' }, ann);
		outside.nowMs = T0 + MINUTE;
		await watch.turn();
		expect(await faults.list('open')).toHaveLength(0);
		outside.alerts = [alert({ severity: 'critical' }, outside.nowMs)];
		await watch.turn();
		expect(await faults.list('open')).toHaveLength(1);
	});
});

describe('the acknowledgement of an incident is copied', () => {
	const copy = { fingerprints: [], services: [], fault: null, incident: 'i-1', by: 'bob', atMs: T0 + 2 * MINUTE, fromMs: T0, toMs: null };

	test('to the fault of its alert, once', async () => {
		outside.alerts = [alert({ severity: 'critical' })];
		await watch.turn();
		outside.nowMs = T0 + 3 * MINUTE;
		const request = { ...copy, fingerprints: ['abc', 'unknown'] };
		expect(await faults.copyAcknowledgement(request)).toBe(1);
		expect(await faults.copyAcknowledgement({ ...request, by: 'eve', atMs: T0 + 3 * MINUTE })).toBe(0);
		expect((await onlyFault()).fault).toMatchObject({ owner: 'bob', incident: 'i-1', moments: { acknowledged: T0 + 2 * MINUTE } });
	});

	test('to the fault that it was opened for', async () => {
		const told = await faults.report({ service: null, title: 't', point: 'p', onsetMs: T0, channel: 'phone' }, ann);
		outside.nowMs = T0 + 3 * MINUTE;
		expect(await faults.copyAcknowledgement({ ...copy, fault: 'another' })).toBe(0);
		expect(await faults.copyAcknowledgement({ ...copy, fault: told.fault.id })).toBe(1);
		expect(await faults.copyAcknowledgement({ ...copy, fault: told.fault.id })).toBe(0);
	});

	test.each([
		{ name: 'of its service while it lasts', is: {}, wanted: 2 },
		{ name: 'that began after somebody took it, with its beginning', is: { atMs: T0 - 5 * MINUTE, fromMs: T0 - 9 * MINUTE }, wanted: 0 },
		{ name: 'of another service', is: { services: ['gis'] }, wanted: null },
		{ name: 'that began when it was over', is: { atMs: T0 - 5 * MINUTE, fromMs: T0 - 9 * MINUTE, toMs: T0 }, wanted: null },
		{ name: 'that was over before it began', is: { atMs: T0 + 12 * MINUTE, fromMs: T0 + 10 * MINUTE }, wanted: null },
	])('or not, to an outage $name', async ({ is, wanted }) => {
		outside.outages = [outage()];
		outside.nowMs = T0 + MINUTE;
		await watch.turn();
		await faults.act((await onlyFault()).fault.id, { kind: 'declare', channel: 'phone' }, ann);
		outside.outages = [outage(T0 / 1000 + 600)];
		outside.nowMs = T0 + 13 * MINUTE;
		await watch.turn();
		const request = { ...copy, services: ['mis'], ...is };
		expect([await faults.copyAcknowledgement(request), await faults.copyAcknowledgement(request)]).toEqual([wanted === null ? 0 : 1, 0]);
		const { acknowledged } = (await onlyFault()).fault.moments;
		expect(acknowledged).toBe(wanted === null ? null : T0 + wanted * MINUTE);
	});
});

test('two faults merge and one splits, each saying so', async () => {
	const report = (point: string) => faults.report({ service: 'mis', title: point, point, onsetMs: T0, channel: 'phone' }, ann);
	const [a, b] = [await report('x'), await report('y')];
	await faults.act(a.fault.id, { kind: 'merge-into', fault: b.fault.id, reason: 'same' }, ann);
	const part = await faults.split(b.fault.id, { title: 'part', service: 'gis', point: 'z' }, ann);
	expect((await faults.get(a.fault.id)).fault.mergedInto).toBe(b.fault.id);
	expect((await faults.get(b.fault.id)).fault.links).toEqual([
		{ fault: a.fault.id, relation: 'merged' },
		{ fault: part.fault.id, relation: 'split' },
	]);
	expect(part.fault).toMatchObject({ stage: 'candidate', source: 'split' });
	// What was merged away is priced with what it was merged into, not a second time.
	expect((await faults.assessed(contracts.profile('chengdu-2021'), 0, outside.nowMs + 1)).map(({ id }) => id)).toEqual([b.fault.id]);
});

test('a call that is entered later was declared when it came, no earlier than the fault and no later than now', async () => {
	const { faults, outside } = world;
	outside.nowMs = T0 + 3_600_000;
	const report = (declaredMs?: number) =>
		faults.report(
			{ service: 'mis', title: 't', point: 'p', onsetMs: T0, channel: 'phone', ...(declaredMs === undefined ? {} : { declaredMs }) },
			ann,
		);
	const { fault } = await report(T0 + 300_000);
	expect(fault.moments).toMatchObject({ onset: T0, detected: T0 + 300_000, declared: T0 + 300_000 });
	expect((await report()).fault.moments).toMatchObject({ detected: outside.nowMs, declared: outside.nowMs });
	await expect(report(outside.nowMs + 1)).rejects.toMatchObject({ code: 'FN_FAULT_STEP' });
	await expect(report(T0 - 1)).rejects.toMatchObject({ code: 'FN_FAULT_STEP' });
});

test('a fault at the same point is noted as a repeat', async () => {
	outside.contract = 'shaanxi-2023';
	const report = () => faults.report({ service: 'mis', title: 't', point: 'gateway', onsetMs: outside.nowMs, channel: 'phone' }, ann);
	const first = await report();
	outside.nowMs += 30 * 86_400_000;
	expect((await report()).fault.repeatOf).toBe(first.fault.id);
	outside.nowMs += 32 * 86_400_000;
	expect((await report()).fault.repeatOf).toBeNull();
});

test.each([
	{ name: 'a viewer declares', by: owner, action: { kind: 'declare', channel: 'p' } as const },
	{ name: 'an auditor declares', by: caller('eve', 'audit'), action: { kind: 'declare', channel: 'p' } as const },
	{ name: 'an operator judges', by: ann, action: { kind: 'judge', level: '1', reason: 'r' } as const },
	{ name: 'the manager confirms', by: lead, action: { kind: 'confirm', level: '1' } as const },
	{ name: 'the manager signs as client', by: lead, action: { kind: 'countersign', as: 'client' } as const },
	{ name: 'an operator waives', by: ann, action: { kind: 'waive', rule: 'outage', reason: 'r' } as const },
])('$name: refused, and on record', async ({ by, action }) => {
	const { fault } = await faults.open({
		source: 'manual',
		sourceKey: 'k',
		service: null,
		title: 't',
		point: '',
		onsetMs: T0,
		detectedMs: T0,
	});
	await expect(faults.act(fault.id, action, by)).rejects.toMatchObject({ code: 'FN_FAULT_FORBIDDEN', status: 403 });
	expect(operations.at(-1)).toMatchObject({ actor: by.account, result: 'failure', action: `fault.${action.kind}` });
	expect(await faults.events(fault.id)).toHaveLength(1);
});

test('files are kept by their hash, bounded, and a changed one is noticed', async () => {
	const { fault } = await faults.report({ service: null, title: 't', point: '', onsetMs: T0, channel: 'phone' }, ann);
	await faults.attach(fault.id, 'a.txt', Buffer.from('one'), ann);
	expect(await faults.attachment(fault.id, '1')).toEqual({ name: 'a.txt', bytes: Buffer.from('one') });
	for (const size of [0, 2049]) {
		await expect(faults.attach(fault.id, 'b', Buffer.alloc(size), ann)).rejects.toMatchObject({ code: 'FN_DESK_ATTACHMENT', status: 413 });
	}
	await expect(faults.act(fault.id, { kind: 'set-cause', cause: 'own', text: 't', evidence: ['2'] }, ann)).rejects.toThrow(
		/has no file "2"/,
	);
	const [file = ''] = readdirSync(join(world.folder.path, 'faults'));
	writeFileSync(join(world.folder.path, 'faults', file), 'two');
	await expect(faults.attachment(fault.id, '1')).rejects.toThrow(/was changed/);
});

test('records, adjustments and disputes: three scores, and the one who contests does not decide', async () => {
	outside.nowMs = T0;
	const operator = { name: 'ann', role: 'operator', address: '' } as const;
	const client = { name: 'owner', role: 'viewer', address: '' } as const;
	const supervision = { name: 'watcher', role: 'viewer', address: '' } as const;
	const lapse = { rule: 'inspection-missing', quantity: 1, atMs: T0 - 1, note: '', evidence: '' };
	const first = await contracts.record('chengdu-2021', lapse, operator);
	const second = await contracts.record('chengdu-2021', lapse, client);
	await contracts.withdraw('chengdu-2021', 'q1', second, 'entered twice', client);
	const key = `inspection-missing:${first}:${first}`;
	await contracts.adjust('chengdu-2021', 'q1', { key, centipoints: -400, clause: 'c', note: 'two rounds' }, client);
	const dispute = await contracts.dispute('chengdu-2021', 'now', { key, evidence: 'the book of rounds' }, operator);
	await expect(contracts.decide('chengdu-2021', 'q1', { dispute, centipoints: 0, reason: 'r' }, client)).rejects.toMatchObject({
		code: 'FN_CONTRACT_FORBIDDEN',
	});
	const scores = async () => {
		const { self, client: theirs, final } = (await contracts.assess('chengdu-2021', 'q1')).scores;
		return [self, theirs, final].map(({ centipoints }) => centipoints);
	};
	expect(await scores()).toEqual([9800, 9600, 9600]);
	await contracts.decide('chengdu-2021', 'q1', { dispute, centipoints: -200, reason: 'one round' }, supervision);
	expect(await scores()).toEqual([9800, 9600, 9800]);
	await expect(contracts.decide('chengdu-2021', 'q1', { dispute, centipoints: 0, reason: 'r' }, supervision)).rejects.toMatchObject({
		status: 409,
	});
	const own = await contracts.dispute('chengdu-2021', 'q1', { key, evidence: 'e' }, supervision);
	await expect(contracts.decide('chengdu-2021', 'q1', { dispute: own, centipoints: 0, reason: 'r' }, supervision)).rejects.toThrow(
		/does not decide/,
	);
	await expect(contracts.record('chengdu-2021', lapse, { name: 'stranger', role: 'viewer', address: '' })).rejects.toMatchObject({
		status: 403,
	});
	await expect(contracts.record('chengdu-2021', { ...lapse, rule: 'outage' }, operator)).rejects.toThrow(/entered by hand/);
	await expect(contracts.adjust('chengdu-2021', 'q1', { key, centipoints: 0, clause: 'c', note: '' }, operator)).rejects.toMatchObject({
		status: 403,
	});
});

test('an account that speaks for two parties is refused', () => {
	const text = 'parties: { manager: [a], client: [a] }';
	const result = parseConfig(text, { file: 'x', schema: ContractsConfigSchema, check: checkContracts });
	expect(result).toMatchObject({ kind: 'bad', problems: [{ path: 'parties.client[0]' }] });
});
