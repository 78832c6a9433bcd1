import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configOrThrow } from '../../core/config-file.ts';
import { assess } from './assess.ts';
import type { AssessmentInput } from './assessed.ts';
import type { ClockRules } from './limits.ts';
import { periodOf } from './period.ts';
import type { Profile } from './profile.ts';
import { loadProfiles } from './profile-files.ts';
import { type Scenario, scenarioOf } from './scenario.ts';
import { parseScenarioFile } from './scenario-file.ts';

export const CONTRACTS = join(import.meta.dirname, '../../rules/contracts');
/** Clocks that run around the clock, on ordinary working days. */
export const CLOCKS: ClockRules = { zone: 'Asia/Shanghai', holidays: [], closed: () => [] };

let read: readonly Scenario[] | null = null;

/** Every case of every `*.scenario.yml`; a file may hold several, one after the other. Read once: properties ask hundreds of times. */
export function allScenarios(): readonly Scenario[] {
	read ??= readdirSync(CONTRACTS)
		.filter((name) => name.endsWith('.scenario.yml'))
		.sort()
		.flatMap((name) => {
			const cases = configOrThrow(parseScenarioFile(readFileSync(join(CONTRACTS, name), 'utf8'), name));
			return cases.map((one, i) => scenarioOf(`${name} ${i + 1}`, one));
		});
	return read;
}

/** The first case of `rules/contracts/<name>.scenario.yml`. */
export function readScenario(name: string): Scenario {
	const found = allScenarios().find((scenario) => scenario.name === `${name}.scenario.yml 1`);
	if (found === undefined) throw new Error(`there is no scenario of ${name}`);
	return found;
}

let profiles: ReturnType<typeof loadProfiles> | null = null;

/** A profile of `rules/contracts` with these answers. */
export function shippedProfile(id: string, answers: Readonly<Record<string, string>> = {}): Profile {
	profiles ??= loadProfiles(CONTRACTS);
	const found = profiles.find((profile) => profile.id === id);
	if (found === undefined) throw new Error(`there is no profile ${id}`);
	return found.with(answers);
}

/** What the first case of a file costs under other answers, or with some of its input changed. */
export function runScenario(name: string, answers: Readonly<Record<string, string>> = {}, change: Partial<AssessmentInput> = {}) {
	const scenario = readScenario(name);
	const profile = shippedProfile(scenario.profile, answers);
	return { scenario, profile, result: assess(profile, periodOf(profile, scenario.period), { ...scenario.input, ...change }, CLOCKS) };
}
