import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exampleNotification } from '../../tests/harness/channels.ts';
import type { NotifiedAlert } from '../notify/notification.ts';
import { onCallPhrases } from '../on-call-phrases.ts';
import { applyIncident, type Incident } from './incident.ts';
import type { IncidentEventBody } from './incident-event.ts';
import { readReply } from './reply.ts';
import { incidentStatistics } from './statistics.ts';

const chain = { policy: 'p', steps: [{ to: ['person:a'], waitMs: 1000, times: 2 }], rounds: 1, unacknowledgeAfterMs: 5000 };
const opened = (number = 1): Incident =>
	applyIncident(`i${number}`, null, {
		seq: 1,
		atMs: 0,
		actor: 'fournines',
		body: { kind: 'opened', number, source: { kind: 'alerts' }, title: 't', severity: 'critical', labels: {}, startsAtMs: 0, chain },
	});
const then = (incident: Incident, body: IncidentEventBody, atMs = 10): Incident =>
	applyIncident(incident.id, incident, { seq: incident.seq + 1, atMs, actor: 'x', body });
const taken = (person: string): IncidentEventBody => ({ kind: 'acknowledged', way: 'console', person, call: null });
const call: IncidentEventBody = {
	kind: 'called',
	round: 0,
	step: 0,
	to: ['person:a'],
	people: [{ personId: 'a', name: 'A', requestId: 'r1', address: null }],
};
const over: IncidentEventBody = { kind: 'resolved', way: 'hand', reason: 'x', people: [] };

describe('an incident', () => {
	test('takes no step after its end but what may still come', () => {
		const ended = then(opened(), over);
		for (const body of [taken('a'), call, over, { kind: 'released', reason: 'hand' } as const])
			expect(() => then(ended, body), body.kind).toThrow(/it is over/);
		expect(then(ended, { kind: 'note', text: 'n' }).seq).toBe(3);
	});

	test('a call that has not left is not made after somebody took it; a recovery is', () => {
		const called = then(opened(), call);
		expect(called.pending.map(({ kind }) => kind)).toEqual(['call']);
		expect(then(called, taken('b')).pending).toEqual([]);
		const ended = then(called, { ...over, people: [{ personId: 'a', name: 'A', requestId: 'r2', address: null }] } as IncidentEventBody);
		expect(ended.pending.map(({ kind }) => kind)).toEqual(['recovery']);
	});

	test('of the alerts that it shows, those that ended are shown as ended, and no other', () => {
		const [a, b] = ['a', 'b'].map((fingerprint) => ({ ...exampleNotification({ nowMs: 0 }).alerts[0], fingerprint })) as NotifiedAlert[];
		const joined = then(opened(), { kind: 'joined', group: 'g', alerts: ['a', 'b'], shown: [a, b] as NotifiedAlert[] });
		const ended = then(joined, { kind: 'alerts-resolved', alerts: ['b'] }, 20);
		expect(ended.shown.map(({ fingerprint, status, endsAtMs }) => `${fingerprint} ${status} ${endsAtMs}`)).toEqual([
			'a firing null',
			'b resolved 20',
		]);
		expect(ended.firing).toEqual(['a']);
		expect(then(ended, { kind: 'alerts-resolved', alerts: ['a', 'b'] }, 30).shown[1]?.endsAtMs).toBe(20);
	});

	test('a fault’s own chain calls although a silence held the incident', () => {
		const held = then(opened(), { kind: 'held', reason: 'silence' });
		expect(held).toMatchObject({ held: 'silence', position: { dueAtMs: null } });
		const linked = then(held, { kind: 'fault', fault: 'f', number: 1, level: '1', chain: null });
		expect(linked).toMatchObject({ held: 'silence', position: { dueAtMs: null }, fault: 'f' });
		expect(then(held, { kind: 'fault', fault: 'f', number: 1, level: '1', chain }, 30)).toMatchObject({
			held: '',
			position: { dueAtMs: 30 },
		});
		const owned = then(opened(), taken('a'));
		expect(then(owned, { kind: 'fault', fault: 'f', number: 1, level: '1', chain }).position?.dueAtMs).toBeNull();
	});

	test('events follow each other without a gap', () => {
		expect(() => applyIncident('i', opened(), { seq: 3, atMs: 0, actor: '', body: { kind: 'note', text: '' } })).toThrow(/does not follow/);
	});

	test('whatever happens, a chain only waits while nobody has it, and its first acknowledgement never moves', () => {
		const step = fc.constantFrom<IncidentEventBody>(
			call,
			taken('a'),
			taken('b'),
			{ kind: 'released', reason: 'time' },
			{ kind: 'handed-over', to: 'b', name: 'B' },
			{ kind: 'exhausted' },
			{ kind: 'nobody', round: 0, step: 0, to: [] },
			{ kind: 'joined', group: 'g', alerts: ['x'], shown: [] },
			{ kind: 'alerts-resolved', alerts: ['x'] },
			{ kind: 'delivery', what: 'exhausted', requestId: 'r1', person: 'a', channel: '', number: 1, code: '' },
			over,
		);
		fc.assert(
			fc.property(fc.array(step, { maxLength: 25 }), (bodies) => {
				let incident = opened();
				let firstMs: number | null = null;
				bodies.forEach((body, i) => {
					try {
						incident = then(incident, body, i + 1);
					} catch {
						return;
					}
					firstMs ??= incident.acknowledgedAtMs;
					expect(incident.acknowledgedAtMs).toBe(firstMs);
					if (incident.state === 'open') expect(incident.owner).toBe('');
					if (incident.state !== 'open') expect(incident.position?.dueAtMs).toBeNull();
					if (incident.state !== 'acknowledged') expect(incident.releaseAtMs).toBeNull();
				});
			}),
		);
	});
});

describe('what somebody’s answer means', () => {
	const mine = [opened(7), opened(12)];
	const one = [opened(7)];
	test.each([
		{ name: 'the code', text: 'A7', of: mine, wanted: 7 },
		{ name: 'its number alone', text: '12', of: mine, wanted: 12 },
		{ name: 'in a sentence', text: '收到 a12，马上处理', of: mine, wanted: 12 },
		{ name: 'in full-width characters', text: 'Ａ１２', of: mine, wanted: 12 },
		{ name: 'yes to the only one', text: '收到。', of: one, wanted: 7 },
		{ name: 'OK to the only one', text: 'ok', of: one, wanted: 7 },
		{ name: 'yes to one of two', text: '收到', of: mine, wanted: null },
		{ name: 'yes when somebody has the other one', text: '收到', of: [then(opened(7), taken('b')), opened(12)], wanted: 12 },
		{ name: 'two numbers', text: '7 12', of: mine, wanted: null },
		{ name: 'a code and a number that may be a time', text: 'A7 12 分钟后到', of: mine, wanted: null },
		{ name: 'a number that nobody was called for', text: 'A9', of: mine, wanted: null },
		{ name: 'a longer number', text: '712', of: mine, wanted: null },
		{ name: 'a question', text: '什么情况？', of: one, wanted: null },
		{ name: 'yes when nothing waits', text: '收到', of: [], wanted: null },
	])('$name', ({ text, of, wanted }) => {
		const read = readReply({ kind: 'text', text }, of, onCallPhrases('zh-CN'));
		expect(read.kind === 'acknowledge' ? read.incidents.map(({ number }) => number) : null).toEqual(wanted === null ? null : [wanted]);
	});

	test.each(['A7 A12', 'a7、a12 都收到', 'Ａ７Ａ１２'])('both codes of a digest: %s', (text) => {
		const read = readReply({ kind: 'text', text }, mine, onCallPhrases('zh-CN'));
		expect(read.kind === 'acknowledge' ? read.incidents.map(({ number }) => number) : null).toEqual([7, 12]);
	});
});

test('MTTA counts what nobody took, up to its end or up to now; drills count nowhere', () => {
	const made = (acknowledgedAtMs: number | null, resolvedAtMs: number | null): Incident => ({
		...opened(),
		state: resolvedAtMs === null ? 'open' : 'resolved',
		acknowledgedAtMs,
		resolvedAtMs,
	});
	const incidents = [made(100, 1000), made(null, 2000), made(null, null), { ...made(1, 1), source: { kind: 'drill' as const } }];
	expect(incidentStatistics(incidents, 6000)).toEqual({
		count: 3,
		acknowledged: 1,
		neverTaken: 2,
		open: 1,
		mttaMs: 2700,
		medianToAcknowledgeMs: 2000,
		mttrMs: 3000,
	});
	expect(incidentStatistics([], 0).mttaMs).toBeNull();
});
