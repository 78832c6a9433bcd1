import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Errors } from 'typebox/value';
import { type ConfigProblem, type ConfigResult, checkConfigValue, configOrThrow, type ReadYaml, readYaml } from '../../core/config-file.ts';
import { AppError } from '../../core/errors.ts';
import { spanMs } from './limits.ts';
import { type Profile, ProfileSchema, type Setting, SettingSchema } from './profile.ts';

/** A profile with its open questions. `with` answers them; what is not answered has its documented default. */
export interface ContractProfile {
	readonly id: string;
	/** It is named in messages about it. */
	readonly file: string;
	readonly settings: Readonly<Record<string, Setting>>;
	/** Throws `FN_CONTRACT_SETTING` for a question or an answer that the profile does not have. */
	with(answers: Readonly<Record<string, string>>): Profile;
}

const HeadSchema = Type.Object({ settings: Type.Optional(Type.Record(Type.String(), SettingSchema)) });

/** A profile after its settings were put in. Throws `FN_CONFIG_INVALID` with all problems at once. */
export function checkedProfile(value: unknown, file: string): Profile {
	return configOrThrow(checkConfigValue(value, { file, schema: ProfileSchema, check: checkProfile }));
}

/** Reads a profile and checks it with every answer of every question. Throws `FN_CONFIG_INVALID` with all problems at once. */
export function parseProfile(text: string, file: string): ContractProfile {
	return configOrThrow(readProfile(text, file));
}

/** The same without throwing. */
export function readProfile(text: string, file: string): ConfigResult<ContractProfile> {
	const read = readYaml(text, file);
	if (read.kind === 'bad') return read;
	const { value, line } = read.config;
	const head = Errors(HeadSchema, value).map((error) => {
		const path = error.instancePath.slice(1).split('/');
		return { file, line: line(path), path: path.join('.'), message: error.message };
	});
	if (head.length > 0) return { kind: 'bad', problems: head };
	const { settings = {}, ...body } = value as Static<typeof HeadSchema> & Record<string, unknown>;
	const build = (answers: Readonly<Record<string, string>>): ConfigResult<Profile> => {
		const missing: ConfigProblem[] = [];
		const chosen = substitute(body, [], (id, path) => {
			const setting = settings[id];
			if (setting === undefined)
				missing.push({ file, line: line(path), path: path.join('.'), message: `there is no setting "${id}" under settings` });
			return setting?.options[answers[id] ?? setting.default];
		});
		if (missing.length > 0) return { kind: 'bad', problems: missing };
		return checkConfigValue(chosen, { file, schema: ProfileSchema, check: checkProfile }, line);
	};
	const problems = settingProblems(settings, file, line);
	const plain = build({});
	if (plain.kind === 'bad') problems.push(...plain.problems);
	else
		for (const [id, setting] of Object.entries(settings)) {
			for (const option of Object.keys(setting.options)) {
				const other = build({ [id]: option });
				if (other.kind === 'bad')
					problems.push(...other.problems.map((one) => ({ ...one, message: `${one.message} (with ${id}: ${option})` })));
			}
		}
	if (plain.kind === 'bad' || problems.length > 0) return { kind: 'bad', problems };
	const { id: profile } = plain.config;
	return {
		kind: 'ok',
		config: {
			id: profile,
			file,
			settings,
			with: (answers) => {
				for (const [id, answer] of Object.entries(answers)) {
					if (settings[id]?.options[answer] !== undefined) continue;
					const known = settings[id] === undefined ? Object.keys(settings) : Object.keys(settings[id].options);
					throw new AppError(
						'FN_CONTRACT_SETTING',
						`${profile} has no setting "${id.slice(0, 64)}: ${answer.slice(0, 64)}"; known: ${known.join(', ') || 'none'}`,
						{ status: 400 },
					);
				}
				return Object.keys(answers).length === 0 ? plain.config : configOrThrow(build(answers));
			},
		},
	};
}

function settingProblems(settings: Readonly<Record<string, Setting>>, file: string, line: ReadYaml['line']): ConfigProblem[] {
	return Object.entries(settings)
		.filter(([, setting]) => setting.options[setting.default] === undefined)
		.map(([id, setting]) => {
			const path = ['settings', id, 'default'];
			return { file, line: line(path), path: path.join('.'), message: `"${setting.default}" is not one of its options` };
		});
}

/** Every `*.yml` of the folder that is not a scenario. Throws `FN_CONTRACT_FILES`, `FN_CONFIG_INVALID`. */
export function loadProfiles(folder: string): readonly ContractProfile[] {
	let names: string[];
	try {
		names = readdirSync(folder).filter((name) => name.endsWith('.yml') && !name.endsWith('.scenario.yml'));
	} catch (error) {
		throw new AppError('FN_CONTRACT_FILES', `the folder ${folder} with contract profiles cannot be read`, { cause: error });
	}
	const profiles = names.sort().map((name) => parseProfile(readFileSync(join(folder, name), 'utf8'), name));
	const twice = profiles.find((profile, i) => profiles.findIndex((other) => other.id === profile.id) !== i);
	if (twice !== undefined) throw new AppError('FN_CONTRACT_FILES', `two profiles in ${folder} have the id "${twice.id}"; rename one`);
	return profiles;
}

type Path = readonly (string | number)[];

function substitute(value: unknown, path: Path, answer: (id: string, path: Path) => unknown): unknown {
	if (Array.isArray(value)) return value.map((entry, i) => substitute(entry, [...path, i], answer));
	if (typeof value !== 'object' || value === null) return value;
	const keys = Object.keys(value);
	const setting = (value as Record<string, unknown>)['$setting'];
	if (keys.length === 1 && typeof setting === 'string') return answer(setting, path);
	return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, substitute(entry, [...path, key], answer)]));
}

type Report = (path: Path, message: string) => void;

/** References that must exist, bands and levels that must not overlap. */
function checkProfile(profile: Profile, report: Report): void {
	const levels = new Set(profile.levels.map((level) => level.id));
	const clocks = new Set(profile.clocks.map((clock) => clock.id));
	const groups = new Set(profile.groups.map((group) => group.id));
	const reports = new Set(profile.reports.map((entry) => entry.id));
	const unique = (path: string, ids: readonly string[]): void => {
		ids.forEach((id, i) => {
			if (ids.indexOf(id) !== i) report([path, i, 'id'], `"${id}" is used twice`);
		});
	};
	for (const key of ['levels', 'clocks', 'groups', 'reports', 'rules'] as const)
		unique(
			key,
			profile[key].map((entry) => entry.id),
		);
	profile.levels.forEach((level, i) => {
		for (const clock of Object.keys(level.limits)) {
			if (!clocks.has(clock)) report(['levels', i, 'limits', clock], 'there is no such clock');
		}
		if (profile.grading.by === 'impact' && (level.over ?? level.up_to) !== undefined) {
			report(['levels', i], 'minutes have no meaning where the contract grades by impact');
		}
	});
	profile.levels.forEach(({ over, up_to: upTo }, i) => {
		// A level that is graver begins where this one ends, or later.
		const next = Math.min(...profile.levels.map((other) => spanMs(other.over ?? '99999w')).filter((from) => from > spanMs(over ?? '0s')));
		if (over !== undefined && upTo !== undefined && spanMs(upTo) > next)
			report(['levels', i, 'up_to'], 'the minutes of two levels overlap');
	});
	profile.desk?.clocks.forEach(({ until, extendable }, i) => {
		if (until === 'handed' && extendable) report(['desk', 'clocks', i, 'extendable'], 'what the reporter is told moves the answer only');
	});
	profile.reports.forEach((entry, i) => {
		for (const level of entry.levels) if (!levels.has(level)) report(['reports', i, 'levels'], `there is no level "${level}"`);
	});
	profile.termination.forEach((entry, i) => {
		if (entry.kind === 'records' && !profile.rules.some(({ id, kind }) => id === entry.rule && kind === 'record'))
			report(['termination', i, 'rule'], `there is no rule "${entry.rule}" that is entered by hand`);
	});
	profile.rules.forEach((rule, i) => {
		if (rule.kind === 'accident' && profile.accidents === undefined) report(['rules', i], 'the profile says nothing of accidents');
		if (rule.group !== undefined && !groups.has(rule.group)) report(['rules', i, 'group'], `there is no group "${rule.group}"`);
		if (rule.kind === 'late' || rule.kind === 'level') {
			for (const level of Object.keys(rule.points)) {
				if (!levels.has(level)) report(['rules', i, 'points', level], 'there is no such level');
			}
		}
		if (rule.kind === 'desk') {
			for (const clock of rule.clocks)
				if (profile.desk?.clocks.some(({ id }) => id === clock) !== true)
					report(['rules', i, 'clocks'], `the desk has no clock "${clock}"`);
		}
		const named = rule.kind === 'late' ? rule.clocks : rule.kind === 'late-money' ? [rule.clock] : [];
		for (const clock of named) if (!clocks.has(clock)) report(['rules', i], `there is no clock "${clock}"`);
		if (rule.kind === 'report' && !reports.has(rule.report)) report(['rules', i, 'report'], `there is no report "${rule.report}"`);
		if (rule.kind === 'threshold' && (rule.least === undefined) === (rule.most === undefined)) {
			report(['rules', i], 'exactly one of least and most is needed');
		}
		if (rule.kind === 'outage') {
			let end = -1;
			rule.bands.forEach((band, j) => {
				const from = spanMs(band.over);
				const to = band.up_to === null ? Number.POSITIVE_INFINITY : spanMs(band.up_to);
				if (from < end || to <= from) report(['rules', i, 'bands', j], 'bands ascend and do not overlap');
				end = to;
			});
		}
	});
}
