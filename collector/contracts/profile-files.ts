import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Errors } from 'typebox/value';
import { parse } from 'yaml';
import { type ConfigProblem, checkConfigValue, configOrThrow } from '../../core/config-file.ts';
import { AppError, errorText } from '../../core/errors.ts';
import { spanMs } from './limits.ts';
import { type Profile, ProfileSchema, type Setting, SettingSchema } from './profile.ts';

/** A profile with its open questions. `with` answers them; what is not answered has its documented default. */
export interface ContractProfile {
	readonly id: string;
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
	let raw: unknown;
	try {
		raw = parse(text, { maxAliasCount: 100 });
	} catch (error) {
		return configOrThrow({ kind: 'bad', problems: [problem(file, '', `not valid YAML: ${errorText(error)}`)] });
	}
	const problems: ConfigProblem[] = Errors(HeadSchema, raw).map((error) =>
		problem(file, error.instancePath.slice(1).replaceAll('/', '.'), error.message),
	);
	if (problems.length > 0) return configOrThrow({ kind: 'bad', problems });
	const { settings = {}, ...body } = raw as Static<typeof HeadSchema> & Record<string, unknown>;
	const seen = new Set<string>();
	for (const [id, setting] of Object.entries(settings)) {
		if (setting.options[setting.default] === undefined) {
			problems.push(problem(file, `settings.${id}.default`, `"${setting.default}" is not one of its options`));
		}
	}
	const build = (answers: Readonly<Record<string, string>>): Profile => {
		const chosen = substitute(body, (id) => {
			const setting = settings[id];
			if (setting === undefined) throw new AppError('FN_CONTRACT_SETTING', `${file}: there is no setting "${id}"`, { status: 400 });
			return setting.options[answers[id] ?? setting.default];
		});
		return checkedProfile(chosen, file);
	};
	const collect = (answers: Readonly<Record<string, string>>, note: string): void => {
		try {
			build(answers);
		} catch (error) {
			if (!(error instanceof AppError)) throw error;
			// A mistake outside of the settings is the same with each of them; it is said once.
			for (const line of error.message.split('\n').slice(error.message.includes('\n') ? 1 : 0)) {
				if (seen.has(line)) continue;
				seen.add(line);
				problems.push(problem(file, '', `${line.trim().replace(`${file}: `, '')}${note}`));
			}
		}
	};
	collect({}, '');
	for (const [id, setting] of Object.entries(settings)) {
		for (const option of Object.keys(setting.options)) collect({ [id]: option }, ` (with ${id}: ${option})`);
	}
	if (problems.length > 0) return configOrThrow({ kind: 'bad', problems });
	const plain = build({});
	return {
		id: plain.id,
		settings,
		with: (answers) => {
			for (const [id, answer] of Object.entries(answers)) {
				if (settings[id]?.options[answer] !== undefined) continue;
				const known = settings[id] === undefined ? Object.keys(settings) : Object.keys(settings[id].options);
				throw new AppError(
					'FN_CONTRACT_SETTING',
					`${plain.id} has no setting "${id.slice(0, 64)}: ${answer.slice(0, 64)}"; known: ${known.join(', ') || 'none'}`,
					{ status: 400 },
				);
			}
			return Object.keys(answers).length === 0 ? plain : build(answers);
		},
	};
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

function substitute(value: unknown, answer: (id: string) => unknown): unknown {
	if (Array.isArray(value)) return value.map((entry) => substitute(entry, answer));
	if (typeof value !== 'object' || value === null) return value;
	const keys = Object.keys(value);
	const setting = (value as Record<string, unknown>)['$setting'];
	if (keys.length === 1 && typeof setting === 'string') return answer(setting);
	return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, substitute(entry, answer)]));
}

type Report = (path: readonly (string | number)[], message: string) => void;

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

function problem(file: string, path: string, message: string): ConfigProblem {
	return { file, line: 0, path, message };
}
