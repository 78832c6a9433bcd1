import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configOrThrow, parseConfig } from '../../core/config-file.ts';
import { ContractsConfigSchema, checkContracts } from './config.ts';
import { periodAt, periodOf, withFeeOf } from './period.ts';
import { loadProfiles } from './profile-files.ts';
import { CONTRACTS } from './scenario.fixture.ts';
import { periodsSoFar } from './standing.ts';
import { termAnswer, termOf, withTerm } from './term.ts';

const profiles = loadProfiles(CONTRACTS);
const profileOf = (id: string, answers: Readonly<Record<string, string>> = {}) =>
	(profiles.find((one) => one.id === id) ?? profiles[0])?.with(answers) as ReturnType<(typeof profiles)[number]['with']>;
const at = (time: string) => Date.parse(`${time}+08:00`);
const signed = (text: string) => {
	const parsed = parseConfig(`terms: { chengdu-2021: ${text} }`, { file: 'x', schema: ContractsConfigSchema, check: checkContracts });
	return withTerm(profileOf('chengdu-2021'), configOrThrow(parsed).terms['chengdu-2021']);
};
const days = (profile: ReturnType<typeof profileOf>) => {
	const { firstDay, lastDay } = termAnswer(profile, 0);
	return [firstDay, lastDay];
};

describe('how long a contract runs', () => {
	test.each([
		{ name: 'as the profile says', text: '{}', want: ['2021-08-01', '2022-07-31'] },
		{ name: 'from another day, as long', text: '{ start: 2021-09-15 }', want: ['2021-09-15', '2022-09-14'] },
		{ name: 'to another day', text: '{ end: 2022-12-31 }', want: ['2021-08-01', '2022-12-31'] },
		{
			name: 'extended twice',
			text: '{ extensions: [{ until: 2022-10-31, clause: 补充协议一 }, { until: 2022-12-31, clause: 补充协议二 }] }',
			want: ['2021-08-01', '2022-12-31'],
		},
		{ name: 'from the last of a month', text: '{ start: 2023-03-01, end: 2024-02-29 }', want: ['2023-03-01', '2024-02-29'] },
	])('$name', ({ text, want }) => {
		expect(days(signed(text))).toEqual(want);
	});

	test('without an end where the answer says so, and an extension does not give it one', () => {
		expect(days(profileOf('shaanxi-2023', { term: 'open' }))).toEqual(['2023-01-01', null]);
		const extended = withTerm(profileOf('shaanxi-2023', { term: 'open' }), { extensions: [{ until: '2024-01-01', clause: 'c' }] });
		expect(termOf(extended).toMs).toBeNull();
	});

	test.each(['2024-02-29', '2023-08-31', '2023-11-30', '2023-03-01'])('from %s it ends with its fourth quarter', (start) => {
		const contract = signed(`{ start: ${start} }`);
		expect(periodOf(contract, 'q4').toMs).toBe(termOf(contract).toMs);
		expect(() => periodOf(contract, 'q5')).toThrow(expect.objectContaining({ code: 'FN_CONTRACT_TERM' }));
	});

	test('the last day of a profile of its own goes with its first day', () => {
		const own = { ...profileOf('chengdu-2021'), contract: { ...profileOf('chengdu-2021').contract, end: '2022-05-31' } };
		expect(days(own)).toEqual(['2021-08-01', '2022-05-31']);
		expect(days(withTerm(own, { start: '2023-01-01', extensions: [] }))).toEqual(['2023-01-01', '2023-12-31']);
	});

	test.each([
		{ text: '{ start: 2022-01-01, end: 2021-12-31 }', path: 'terms.chengdu-2021.end' },
		{ text: '{ end: 2021-12-31, extensions: [{ until: 2021-12-31, clause: c }] }', path: 'terms.chengdu-2021.extensions[0].until' },
	])('$text is refused', ({ text, path }) => {
		const parsed = parseConfig(`terms: { chengdu-2021: ${text} }`, { file: 'x', schema: ContractsConfigSchema, check: checkContracts });
		expect(parsed).toMatchObject({ kind: 'bad', problems: [{ path }] });
	});
});

describe('outside of the term nothing is computed', () => {
	const chengdu = profileOf('chengdu-2021');
	test.each([
		{ time: '2021-07-31T23:59:59', state: 'before', period: null },
		{ time: '2021-08-01T00:00:00', state: 'running', period: 'q1' },
		{ time: '2022-07-31T23:59:59', state: 'running', period: 'q4' },
		{ time: '2022-08-01T00:00:00', state: 'over', period: null },
	])('$time: $state', ({ time, state, period }) => {
		expect(termAnswer(chengdu, at(time)).state).toBe(state);
		if (period === null) expect(() => periodAt(chengdu, at(time))).toThrow(/begins on 2021-08-01 and ends after 2022-07-31/);
		else expect(periodAt(chengdu, at(time)).id).toBe(period);
	});

	test('of a quarter or a month that begins after it there is none, and the last one that it touches is cut', () => {
		expect(() => periodOf(chengdu, 'q5')).toThrow(expect.objectContaining({ code: 'FN_CONTRACT_TERM', status: 409 }));
		expect(periodOf(signed('{ extensions: [{ until: 2022-08-15, clause: c }] }'), 'q5')).toEqual({
			id: 'q5',
			fromMs: at('2022-08-01T00:00'),
			toMs: at('2022-08-16T00:00'),
		});
		const monthly = withTerm(profileOf('shaanxi-2023'), { start: '2023-01-15', end: '2023-02-10', extensions: [] });
		expect(periodOf(monthly, '2023-01').fromMs).toBe(at('2023-01-15T00:00'));
		expect(() => periodOf(monthly, '2022-12')).toThrow(/begins on 2023-01-15/);
		expect(periodsSoFar(monthly, at('2030-01-01T00:00')).map(({ id, toMs }) => [id, toMs])).toEqual([
			['2023-01', at('2023-02-01T00:00')],
			['2023-02', at('2023-02-11T00:00')],
		]);
	});

	test('the fee of a period that is cut is all of it, or that of its days in whole fen, halves up', () => {
		const fee = (until: string, answers: Readonly<Record<string, string>> = {}) => {
			const profile = withTerm(profileOf('chengdu-2021', answers), { extensions: [{ until, clause: 'c' }] });
			return withFeeOf(profile, periodOf(profile, 'q5')).contract.fee_yuan;
		};
		expect(fee('2022-08-15')).toBe(246_750);
		// 246,750 x 15 / 92 = 40,230.978…; of 46 days it is a half, of 91 less than all.
		expect(['2022-08-15', '2022-09-15', '2022-10-30', '2022-10-31'].map((until) => fee(until, { cut_period: 'by_days' }))).toEqual([
			40_230.98, 123_375, 244_067.93, 246_750,
		]);
	});

	test('whatever the term, its periods cover it without gap or overlap', () => {
		const day = fc.date({ min: new Date('2020-01-01'), max: new Date('2024-12-31'), noInvalidDate: true });
		const text = (date: Date) => date.toISOString().slice(0, 10);
		fc.assert(
			fc.property(fc.constantFrom('chengdu-2021', 'shaanxi-2023'), day, fc.integer({ min: 0, max: 900 }), (id, first, length) => {
				const last = new Date(first.getTime() + length * 86_400_000);
				const profile = withTerm(profileOf(id), { start: text(first), end: text(last), extensions: [] });
				const { fromMs, toMs } = termOf(profile);
				let at = fromMs;
				for (const period of periodsSoFar(profile, Number.MAX_SAFE_INTEGER / 2)) {
					expect(period.fromMs).toBe(at);
					at = period.toMs;
				}
				expect(at).toBe(toMs);
			}),
			{ numRuns: 60 },
		);
	});
});
