import type { Profile } from './profile.ts';
import { outcome, type Scenario } from './scenario.ts';

/**
 * What a profile makes otherwise than a case says, one line each, `items "late:F1:ack": worked out -1, the profile makes it -2`; names in the case that
 * the profile does not have. Throws what the assessment throws (`FN_CONTRACT_PERIOD`, `FN_CALENDAR_YEAR`).
 */
export function scenarioDifferences(profile: Profile, scenario: Scenario): readonly string[] {
	const unknown = unknownNames(profile, scenario);
	return unknown.length > 0 ? unknown : differences(scenario.expect, outcome(profile, scenario), '');
}

/** A level or a rule that is misspelt would cost nothing, and the case prove nothing. */
function unknownNames(profile: Profile, { input }: Scenario): readonly string[] {
	const missing = (what: string, known: readonly string[], names: readonly { readonly at: string; readonly name: string }[]) =>
		names
			.filter(({ name }) => !known.includes(name))
			.map(({ at, name }) => `${at}: ${profile.id} has no ${what} "${name}"; known: ${known.join(', ') || 'none'}`);
	const ids = (entries: readonly { readonly id: string }[]) => entries.map(({ id }) => id);
	const faultIds = input.faults.map(({ id }) => id);
	return [
		...missing(
			'level',
			ids(profile.levels),
			input.faults.flatMap(({ id, level }) => (level === null ? [] : { at: `faults ${id}`, name: level })),
		),
		...missing(
			'report',
			ids(profile.reports),
			input.faults.flatMap(({ id, reports }) => reports.map(({ report }) => ({ at: `faults ${id}`, name: report }))),
		),
		...missing(
			'rule that is entered by hand',
			ids(profile.rules.filter(({ kind }) => kind === 'record')),
			input.records.map(({ id, rule }) => ({ at: `records ${id}`, name: rule })),
		),
		...input.services.flatMap(({ service, outages }) =>
			outages.flatMap(({ id, faultId }) =>
				faultId === null || faultIds.includes(faultId)
					? []
					: `services ${service}: outage ${id}: there is no fault "${faultId}" in this case`,
			),
		),
	];
}

function differences(wanted: unknown, made: unknown, path: string): readonly string[] {
	if (isTree(wanted) && isTree(made)) {
		const keys = [...new Set([...Object.keys(wanted), ...Object.keys(made)])];
		return keys.flatMap((key) =>
			differences(wanted[key], made[key], path === '' ? key : `${path} ${/^\w+$/.test(key) ? key : JSON.stringify(key)}`),
		);
	}
	return JSON.stringify(wanted) === JSON.stringify(made)
		? []
		: [`${path}: worked out ${shown(wanted)}, the profile makes it ${shown(made)}`];
}

function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null;
}

function shown(value: unknown): string {
	return value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);
}
