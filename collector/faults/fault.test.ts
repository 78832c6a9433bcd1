import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../core/errors.ts';
import { faultClocks, levelByMinutes } from '../contracts/fault-rules.ts';
import { deadlineOrUnknownMs } from '../contracts/limits.ts';
import type { Profile } from '../contracts/profile.ts';
import { loadProfiles } from '../contracts/profile-files.ts';
import { apply, type Fault, replay } from './fault.ts';
import type { FaultEvent } from './fault-event.ts';
import { isOver, nextSteps, ownerOf } from './next-steps.ts';

const profiles = loadProfiles(join(import.meta.dirname, '../../rules/contracts')).map((profile) => profile.with({}));
const profileOf = (id: string): Profile => {
	const found = profiles.find((profile) => profile.id === id);
	if (found === undefined) throw new Error(`no profile ${id}`);
	return found;
};
const RULES = { zone: 'Asia/Shanghai', holidays: [], closed: () => [] };
const NOTHING: string[] = [];
const T0 = Date.parse('2025-03-03T10:00:00+08:00');
const body = (profile: Profile) => ({
	kind: 'open' as const,
	source: 'manual' as const,
	sourceKey: 'manual:1',
	profile: profile.id,
	service: 'mis',
	title: 'MIS',
	point: 'app-1',
	level: profile.levels[0]?.id ?? '',
	onsetMs: T0,
	detectedMs: T0,
});

/** Applies bodies one minute apart. */
function live(profile: Profile, bodies: readonly FaultEvent['body'][]): { fault: Fault; events: readonly FaultEvent[] } {
	const events = [body(profile), ...bodies].map((entry, i) => ({ seq: i + 1, atMs: T0 + i * 60_000, actor: `person-${i}`, body: entry }));
	return { fault: replay('f', events, profile), events };
}

const action = (profile: Profile): fc.Arbitrary<FaultEvent['body']> => {
	const level = fc.constantFrom(...profile.levels.map(({ id }) => id));
	const text = fc.constant('text');
	const order = fc.integer({ min: 1, max: 3 });
	return fc.oneof(
		fc.constantFrom<FaultEvent['body']>(
			{ kind: 'take' },
			{ kind: 'declare', channel: 'phone' },
			{ kind: 'dismiss', reason: 'r' },
			{ kind: 'reopen', reason: 'r' },
			{ kind: 'acknowledge' },
			{ kind: 'restore' },
			{ kind: 'resolve', text: 't' },
			{ kind: 'close', text: 't' },
			{ kind: 'merge-into', fault: 'other', reason: 'r' },
			{ kind: 'countersign', as: 'client' },
			{ kind: 'countersign', as: 'supervision' },
			{ kind: 'received', fault: 'other' },
			{ kind: 'progress', text: 't', told: [] },
			{ kind: 'escalate', to: 'lead', step: 's' },
		),
		fc.record({ kind: fc.constant('judge' as const), level, reason: text }),
		fc.record({ kind: fc.constant('confirm' as const), level }),
		fc.record({ kind: fc.constant('rise' as const), level, downSeconds: fc.nat() }),
		fc.record({ kind: fc.constant('assign' as const), owner: fc.constantFrom('ann', 'bob') }),
		fc.record({
			kind: fc.constant('set-cause' as const),
			cause: fc.constantFrom('own' as const, 'cloud' as const),
			text,
			evidence: fc.constant(NOTHING),
		}),
		fc.record({ kind: fc.constant('file-report' as const), report: fc.constantFrom('first', 'final', 'rectification'), text }),
		fc.record({ kind: fc.constant('open-order' as const), assignee: fc.constant('eve'), text, steps: fc.constantFrom(NOTHING, ['one']) }),
		fc.record({ kind: fc.constant('finish-step' as const), order, step: fc.constant(1) }),
		fc.record({ kind: fc.constant('finish-order' as const), order }),
	);
};

describe.each(profiles.map((profile) => profile.id))('under %s', (id) => {
	const profile = profileOf(id);

	test('no sequence of events leaves a fault without an owner or a next step, and its history replays to the same state', () => {
		fc.assert(
			fc.property(fc.array(action(profile), { maxLength: 60 }), (bodies) => {
				const events: FaultEvent[] = [{ seq: 1, atMs: T0, actor: 'p', body: body(profile) }];
				let fault = replay('f', events, profile);
				for (const entry of bodies) {
					const event = { seq: fault.seq + 1, atMs: T0 + fault.seq * 60_000, actor: `p${fault.seq}`, body: entry };
					let next: Fault;
					try {
						next = apply('f', fault, event, profile);
					} catch (error) {
						expect(error).toMatchObject({ code: 'FN_FAULT_STEP' });
						continue;
					}
					events.push(event);
					fault = next;
					if (isOver(fault)) {
						expect(nextSteps(fault, profile, RULES, event.atMs)).toEqual([]);
					} else {
						expect(ownerOf(fault)).not.toBe('');
						const steps = nextSteps(fault, profile, RULES, event.atMs);
						expect(steps.length).toBeGreaterThan(0);
						for (const { by } of steps) expect(by).not.toBe('');
					}
				}
				expect(replay('f', events, profile)).toEqual(fault);
				// What is kept as JSON is the same as well.
				expect(JSON.parse(JSON.stringify(fault))).toEqual(fault);
			}),
			{ numRuns: 300 },
		);
	});

	test('a fault that does what its next steps say is closed', () => {
		let fault = live(profile, []).fault;
		const does: Readonly<Record<string, FaultEvent['body']>> = {
			'declare-or-dismiss': { kind: 'declare', channel: 'phone' },
			acknowledge: { kind: 'acknowledge' },
			restore: { kind: 'restore' },
			resolve: { kind: 'resolve', text: 't' },
			'judge-level': { kind: 'judge', level: fault.level, reason: 'r' },
			'confirm-level': { kind: 'confirm', level: fault.level },
			'set-cause': { kind: 'set-cause', cause: 'own', text: 't', evidence: NOTHING },
			countersign: { kind: 'countersign', as: profile.closing.countersign ?? 'client' },
			close: { kind: 'close', text: 't' },
		};
		for (let i = 0; i < 40 && fault.stage !== 'closed'; i++) {
			const atMs = T0 + fault.seq * 60_000;
			const next = nextSteps(fault, profile, RULES, atMs).find(({ step }) => step !== 'progress');
			const step = next?.step ?? '';
			const entry = step.startsWith('report:') ? { kind: 'file-report' as const, report: step.slice(7), text: 't' } : does[step];
			if (entry === undefined) throw new Error(`nothing does "${step}"`);
			fault = apply('f', fault, { seq: fault.seq + 1, atMs, actor: 'ann', body: entry }, profile);
		}
		expect(fault.stage).toBe('closed');
	});
});

const chengdu = profileOf('chengdu-2021');
const DECLARED = [{ kind: 'declare', channel: 'phone' }] as const;

test.each<{ name: string; bodies: readonly FaultEvent['body'][]; message: RegExp }>([
	{ name: 'declare twice', bodies: [...DECLARED, ...DECLARED], message: /it is declared/ },
	{ name: 'acknowledge twice', bodies: [{ kind: 'acknowledge' }, { kind: 'acknowledge' }], message: /the first one counts/ },
	{ name: 'close what is not resolved', bodies: [...DECLARED, { kind: 'close', text: 't' }], message: /needs resolved/ },
	{
		name: 'close without a cause',
		bodies: [...DECLARED, { kind: 'resolve', text: 't' }, { kind: 'close', text: 't' }],
		message: /acknowledgement; cause; level judged/,
	},
	{
		name: 'countersign what is not stated',
		bodies: [...DECLARED, { kind: 'countersign', as: 'client' }],
		message: /no cause has been stated/,
	},
	{ name: 'confirm what nobody judged', bodies: [...DECLARED, { kind: 'confirm', level: '1' }], message: /has not judged/ },
	{ name: 'a level that does not exist', bodies: [{ kind: 'judge', level: '9', reason: 'r' }], message: /known: 1, 2, 3, 4/ },
	{ name: 'a moment in the future', bodies: [{ kind: 'declare', channel: 'p', momentMs: T0 + 3_600_000 }], message: /future/ },
	{ name: 'a moment before the fault', bodies: [{ kind: 'declare', channel: 'p', momentMs: T0 - 1 }], message: /before the fault began/ },
	{
		name: 'propose after a person judged',
		bodies: [
			{ kind: 'judge', level: '1', reason: 'r' },
			{ kind: 'propose', level: '2', reason: 'r' },
		],
		message: /judged by a person/,
	},
	{
		name: 'an order with steps left',
		bodies: [...DECLARED, { kind: 'open-order', assignee: 'a', text: 't', steps: ['x'] }, { kind: 'finish-order', order: 1 }],
		message: /1 of its steps/,
	},
	{ name: 'merge into itself', bodies: [{ kind: 'merge-into', fault: 'f', reason: 'r' }], message: /into itself/ },
	{
		name: 'a report that the contract does not know',
		bodies: [...DECLARED, { kind: 'file-report', report: 'weekly', text: 't' }],
		message: /knows no report/,
	},
])('refuses: $name', ({ bodies, message }) => {
	expect(() => live(chengdu, bodies)).toThrow(message);
});

test('a gap or a repetition in the history is refused', () => {
	const { events } = live(chengdu, [...DECLARED, { kind: 'acknowledge' }]);
	expect(() =>
		replay(
			'f',
			events.filter(({ seq }) => seq !== 2),
			chengdu,
		),
	).toThrow(/does not follow/);
	expect(() => replay('f', [...events.slice(0, 2), ...events.slice(1)], chengdu)).toThrow(/does not follow/);
});

test('a signature falls when the cause is changed', () => {
	const cause = { kind: 'set-cause', cause: 'cloud', text: 't', evidence: NOTHING } as const;
	const signed = live(chengdu, [...DECLARED, cause, { kind: 'countersign', as: 'client' }]);
	expect(signed.fault.countersigned).toEqual(['client']);
	expect(
		live(chengdu, [...DECLARED, cause, { kind: 'countersign', as: 'client' }, { ...cause, cause: 'own' }]).fault.countersigned,
	).toEqual([]);
});

test.each([
	{ downSeconds: 1, level: 'B2' },
	{ downSeconds: 600, level: 'B2' },
	{ downSeconds: 601, level: 'B1' },
	{ downSeconds: 1800, level: 'B1' },
	{ downSeconds: 1801, level: 'A2' },
	{ downSeconds: 3600, level: 'A2' },
	{ downSeconds: 3601, level: 'A1' },
])('$downSeconds s of unavailability are $level in Shaanxi', ({ downSeconds, level }) => {
	expect(levelByMinutes(profileOf('shaanxi-2023'), downSeconds)).toBe(level);
	expect(levelByMinutes(chengdu, downSeconds)).toBeNull();
});

test('in a year whose holidays nobody has entered yet, what is owed is told without the times that ask for them', () => {
	const shipped = profileOf('chengdu-2021');
	const profile: Profile = {
		...shipped,
		clocks: shipped.clocks.map((clock) => ({ ...clock, hours: 'service' as const })),
		reports: shipped.reports.map((duty) => ({ ...duty, within: '5wd' })),
	};
	const holidays = [{ year: 2024, off: ['01-01'], work: [] }];
	const unknown = (): never => {
		throw new AppError('FN_CALENDAR_YEAR', 'unknown');
	};
	const { fault } = live(profile, [{ kind: 'declare', channel: 'phone' }]);
	const steps = nextSteps(fault, profile, { zone: 'Asia/Shanghai', holidays, closed: unknown }, T0);
	expect(steps.map(({ step, dueMs }) => [step, dueMs])).toEqual(
		expect.arrayContaining([
			['acknowledge', null],
			['resolve', null],
		]),
	);
	const calendar = { zone: 'Asia/Shanghai', holidays, closed: unknown };
	expect(() => faultClocks(profile, fault, calendar, T0)).toThrow(expect.objectContaining({ code: 'FN_CALENDAR_YEAR' }));
	expect(faultClocks(profile, fault, calendar, T0, deadlineOrUnknownMs)).toEqual([]);
});
