import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ClockRules, deadlineMs } from './limits.ts';
import { periodAt, periodOf } from './period.ts';
import { loadProfiles, parseProfile } from './profile-files.ts';
import { CONTRACTS } from './scenario.fixture.ts';

const text = readFileSync(join(CONTRACTS, 'chengdu-2021.yml'), 'utf8');
const at = (time: string) => Date.parse(`${time}+08:00`);

test('every shipped profile is good with every answer of every setting', () => {
	expect(loadProfiles(CONTRACTS).map(({ id }) => id)).toEqual(['chengdu-2021', 'shaanxi-2023', 'zhaoqing-2025']);
});

describe('a bad profile is refused', () => {
	test.each([
		{ name: 'unknown key', from: 'base: {', to: 'basis: 1\nbase: {', message: /basis: unknown key/ },
		{ name: 'points finer than hundredths', from: 'points: 0.2 }', to: 'points: 0.205 }', message: /points/ },
		{ name: 'unknown level', from: "'3': 1 } }", to: "'7': 1 } }", message: /there is no such level/ },
		{ name: 'unknown clock', from: 'limits: { respond: 5m', to: 'limits: { answer: 5m', message: /there is no such clock/ },
		{ name: 'bands that overlap', from: 'over: 15m, up_to: 30m', to: 'over: 10m, up_to: 30m', message: /bands ascend/ },
		{
			name: 'a hand-over that can be put off',
			from: 'within: 10m, extendable: false',
			to: 'within: 10m, extendable: true',
			message: /moves the answer only/,
		},
		{
			name: 'a review of what nobody enters',
			from: 'kind: outage, longer_than: 24h',
			to: 'kind: records, rule: outage, in_period: 2',
			message: /entered by hand/,
		},
		{ name: 'a rule twice', from: 'id: complaint', to: 'id: satisfaction', message: /"satisfaction" is used twice/ },
		{ name: 'a default that is no option', from: 'default: nothing', to: 'default: something', message: /is not one of its options/ },
		{ name: 'an unknown setting', from: '$setting: report_from', to: '$setting: report_to', message: /no setting "report_to"/ },
		{ name: 'an option that does not fit', from: 'as_30_to_60: 1 }', to: 'as_30_to_60: lots }', message: /outage_15_to_30: as_30_to_60/ },
		{ name: 'no clause', from: ', clause: Bonus / document', to: '', message: /clause/ },
		{ name: 'not YAML', from: 'id: chengdu-2021', to: 'id: [', message: /not valid YAML/ },
	])('$name', ({ from, to, message }) => {
		expect(text).toContain(from);
		expect(() => parseProfile(text.replace(from, to), 'p.yml')).toThrow(message);
	});

	test('with two levels for the same minutes', () => {
		const months = readFileSync(join(CONTRACTS, 'shaanxi-2023.yml'), 'utf8');
		expect(() => parseProfile(months.replace('up_to: 30m', 'up_to: 31m'), 'p.yml')).toThrow(/minutes of two levels overlap/);
	});

	test('with all problems at once', () => {
		const bad = text.replace('id: complaint', 'id: satisfaction').replace("'3': 1 } }", "'7': 1 } }");
		expect(() => parseProfile(bad, 'p.yml')).toThrow(/used twice[\s\S]*no such level|no such level[\s\S]*used twice/);
	});

	test('and an unknown answer names the known ones', () => {
		const profile = parseProfile(text, 'p.yml');
		expect(() => profile.with({ outage_over_60: 'free' })).toThrow(/known: as_written, as_30_to_60/);
		expect(() => profile.with({ nothing: 'x' })).toThrow(/known: .*contract_start/);
	});
});

describe('periods', () => {
	const chengdu = parseProfile(text, 'p.yml').with({});
	const start = (day: string) => ({ ...chengdu, contract: { ...chengdu.contract, start: day, months: 0 } });

	test.each([
		{ day: '2021-08-01', id: 'q1', from: '2021-08-01T00:00', to: '2021-11-01T00:00' },
		{ day: '2021-08-15', id: 'q2', from: '2021-11-15T00:00', to: '2022-02-15T00:00' },
		{ day: '2021-11-30', id: 'q2', from: '2022-02-28T00:00', to: '2022-05-30T00:00' },
	])('$id of a contract from $day', ({ day, id, from, to }) => {
		expect(periodOf(start(day), id)).toEqual({ id, fromMs: at(from), toMs: at(to) });
	});

	test('every moment of a contract lies in exactly the period that is found for it', () => {
		fc.assert(
			fc.property(
				fc.constantFrom('2021-08-01', '2021-08-31', '2021-11-30', '2020-02-29'),
				fc.integer({ min: 0, max: 5 * 365 * 86_400 }),
				(day, seconds) => {
					const timeMs = at(`${day}T00:00`) + seconds * 1000;
					const period = periodAt(start(day), timeMs);
					expect(period.fromMs <= timeMs && timeMs < period.toMs).toBe(true);
					expect(periodOf(start(day), period.id)).toEqual(period);
				},
			),
		);
	});

	test.each(['q0', '2021-08', 'x', 'q1000'])('%s is not a quarter', (id) => {
		expect(() => periodOf(chengdu, id)).toThrow(/not a period/);
	});

	test('before the contract there is none', () => {
		expect(() => periodAt(chengdu, at('2021-07-31T23:59'))).toThrow(/begins on 2021-08-01/);
	});
});

describe('limits', () => {
	// Open 09:00 to 17:00.
	const HOURS: ClockRules = {
		zone: 'Asia/Shanghai',
		holidays: [{ year: 2021, off: ['10-01'], work: ['10-09'] }],
		closed: (_service, { from, to }) => {
			const spans: { from: number; to: number }[] = [];
			for (let midnight = Math.floor((from + 28_800) / 86_400) * 86_400 - 28_800 - 86_400; midnight < to; midnight += 86_400) {
				const closed = { from: Math.max(from, midnight + 61_200), to: Math.min(to, midnight + 86_400 + 32_400) };
				if (closed.from < closed.to) spans.push(closed);
			}
			return spans;
		},
	};
	const service = { hours: 'service', service: 'mis' } as const;

	test.each([
		{ name: 'inside the hours', from: '2021-09-01T10:00', limit: '2h', due: '2021-09-01T12:00' },
		{ name: 'exactly to closing time', from: '2021-09-01T15:00', limit: '2h', due: '2021-09-01T17:00' },
		{ name: 'over night', from: '2021-09-01T16:30', limit: '2h', due: '2021-09-02T10:30' },
		{ name: 'begun before opening', from: '2021-09-01T03:00', limit: '1h', due: '2021-09-01T10:00' },
		{ name: 'three days', from: '2021-09-01T16:00', limit: '17h', due: '2021-09-03T17:00' },
		{ name: 'working days over a holiday and a worked Saturday', from: '2021-09-30T12:00', limit: '6wd', due: '2021-10-10T00:00' },
	])('$name', ({ from, limit, due }) => {
		expect(new Date(deadlineMs(at(from), limit, HOURS, service)).toISOString()).toBe(new Date(at(due)).toISOString());
	});

	test('a clock that stops at its deadline has run for exactly its limit', () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 86_400 * 30 }), fc.integer({ min: 1, max: 100 }), (offset, hours) => {
				const fromMs = at('2021-09-01T00:00') + offset * 1000;
				const due = deadlineMs(fromMs, `${hours}h`, HOURS, service);
				const closedMs = HOURS.closed('mis', { from: fromMs / 1000, to: due / 1000 }).map((part) =>
					Math.max(0, Math.min(due, part.to * 1000) - Math.max(fromMs, part.from * 1000)),
				);
				expect(due - fromMs - closedMs.reduce((sum, ms) => sum + ms, 0)).toBe(hours * 3_600_000);
			}),
		);
	});

	test('a limit that ends exactly when the service closes ends then', () => {
		const closing = at('2021-09-03T00:00') / 1000;
		const closed: ClockRules['closed'] = (_service, { from, to }) => {
			const span = { from: Math.max(from, closing), to: Math.min(to, closing + 3600) };
			return span.from < span.to ? [span] : [];
		};
		expect(deadlineMs(at('2021-09-01T00:00'), '48h', { ...HOURS, closed }, service)).toBe(closing * 1000);
	});

	test('a service that never opens is an error, not an endless search', () => {
		const never: ClockRules = { ...HOURS, closed: (_service, span) => [span] };
		expect(() => deadlineMs(0, '1h', never, service)).toThrow(/never open/);
	});
});
