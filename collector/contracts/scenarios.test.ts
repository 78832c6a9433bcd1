import { describe, expect, test } from 'vitest';
import { sameValue } from '../inventory/entries.ts';
import type { Profile } from './profile.ts';
import { checkedProfile, loadProfiles } from './profile-files.ts';
import { allScenarios, CONTRACTS, shippedProfile as profileOf } from './scenario.fixture.ts';
import { outcome, type Scenario } from './scenario.ts';

const profiles = loadProfiles(CONTRACTS);
const scenarios = allScenarios();

test.each(scenarios.map((scenario) => ({ name: scenario.name, scenario })))('$name is priced as it was worked out by hand', ({
	scenario,
}) => {
	expect(outcome(profileOf(scenario.profile, scenario.settings), scenario)).toEqual(scenario.expect);
});

/** A value that is a little wrong, both ways. */
function wrong(value: unknown): readonly unknown[] {
	if (typeof value === 'boolean') return [!value];
	if (typeof value === 'number') return value === 0 ? [1] : [value + 1, Math.round((value - Math.min(1, value / 2)) * 100) / 100];
	if (typeof value !== 'string') return [];
	const limit = /^(\d+)(s|m|h|d|w|wd)$/.exec(value);
	if (limit === null) return [];
	const [, count, unit] = limit;
	return [Number(count) + 1, Number(count) - 1].filter((n) => n > 0).map((n) => `${n}${unit}`);
}
const wrongPercent = (value: string): readonly string[] =>
	[Number(value) + 0.01, Number(value) - 0.01].filter((n) => n > 0).map((n) => n.toFixed(4));

interface Mistake {
	readonly path: string;
	readonly value: unknown;
	readonly profile: unknown;
}

/** The profile with one of its numbers, times, shares or excused causes changed, for each of them. */
function mistakes(profile: Profile): readonly Mistake[] {
	const found: Mistake[] = [];
	const walk = (node: unknown, path: readonly (string | number)[]): void => {
		const change = (value: unknown): void => {
			const copy = structuredClone(profile) as unknown;
			let at = copy as Record<string | number, unknown>;
			for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
			const last = path.at(-1) as string | number;
			if (value === undefined && Array.isArray(at)) at.splice(Number(last), 1);
			else at[last] = value;
			found.push({ path: path.join('.'), value, profile: copy });
		};
		const key = String(path.at(-1));
		if (Array.isArray(node)) for (const [i, entry] of node.entries()) walk(entry, [...path, i]);
		else if (typeof node === 'object' && node !== null) for (const [name, inner] of Object.entries(node)) walk(inner, [...path, name]);
		else if (typeof node === 'string' && /percent|target|step$|least/.test(key) && /^\d/.test(node) && !/[a-z]$/.test(node))
			for (const value of wrongPercent(node)) change(value);
		else if (path.at(-2) === 'causes' || (path.at(-2) === 'levels' && typeof path.at(-1) === 'number' && typeof node === 'string'))
			change(undefined);
		else if (key !== 'id' && key !== 'name') for (const value of wrong(node)) change(value);
	};
	walk(profile, []);
	return found;
}

/** Numbers that nothing can be worked out from, each with its reason. */
const WITHOUT_A_FIGURE: readonly RegExp[] = [
	/^version$/,
	// The texts used here name no fee; their scenarios take one.
	/^(shaanxi-2023|zhaoqing-2025) contract\.(fee|total)_yuan$/,
	// "No bound" is written as a bound that nobody reaches; the bound itself is the other answer of the setting.
	/^shaanxi-2023 groups\.0\.max$/,
];

const caught = (profile: unknown, cases: readonly Scenario[]): boolean => {
	let checked: Profile;
	try {
		checked = checkedProfile(profile, 'mistake');
	} catch {
		return true;
	}
	return cases.some((scenario) => {
		try {
			return !sameValue(outcome(checked, scenario), scenario.expect);
		} catch {
			return true;
		}
	});
};

describe.each(profiles.map(({ id }) => ({ id })))('$id', ({ id }) => {
	const own = scenarios.filter((scenario) => scenario.profile === id);
	const answersUsed = [...new Set(own.map(({ settings }) => JSON.stringify(settings)))];

	test('has no number that could be wrong without a scenario that says so', () => {
		const missed = new Map<string, number>();
		let tried = 0;
		for (const answers of answersUsed) {
			const settings = JSON.parse(answers) as Record<string, string>;
			const cases = own.filter((scenario) => JSON.stringify(scenario.settings) === answers);
			const list = mistakes(profileOf(id, settings));
			tried = Math.max(tried, list.length);
			for (const { path, value, profile } of list) {
				const name = `${path} = ${String(value)}`;
				if (!caught(profile, cases)) missed.set(name, (missed.get(name) ?? 0) + 1);
			}
		}
		// A number may be tried under several answers; one of them is enough.
		const open = [...missed].filter(([, times]) => times === answersUsed.length).map(([name]) => name);
		expect(tried).toBeGreaterThan(50);
		expect(
			open.filter(
				(name) =>
					!WITHOUT_A_FIGURE.some((known) => known.test(name.split(' =')[0] as string) || known.test(`${id} ${name.split(' =')[0]}`)),
			),
		).toEqual([]);
	});

	test('has no answer to an open question that makes no difference', () => {
		const cases = own.filter(({ settings }) => Object.keys(settings).length === 0);
		const known = profiles.find((profile) => profile.id === id);
		const idle = Object.entries(known?.settings ?? {}).flatMap(([setting, { default: byDefault, options }]) =>
			Object.keys(options)
				.filter((answer) => answer !== byDefault && !caught(profileOf(id, { [setting]: answer }), cases))
				.map((answer) => `${setting}: ${answer}`),
		);
		expect(idle).toEqual([]);
	});
});
