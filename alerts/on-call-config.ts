import { type Static, Type } from 'typebox';
import type { ConfigCheck } from '../core/config-file.ts';
import { DURATION_PATTERN } from '../core/duration.ts';
import { errorText } from '../core/errors.ts';
import { knownInstead } from '../core/near-name.ts';
import { isZone, parseSchedule, ScheduleSchema } from '../core/schedule.ts';
import { buildPolicy } from './escalation/chain.ts';
import { PolicySchema } from './escalation/config.ts';
import { Id, OverloadSchema, RosterSchema, StaffingSchema } from './roster/config.ts';

const Name = Type.String({ minLength: 1, maxLength: 100 });
const Duration = (byDefault: string) => Type.String({ pattern: DURATION_PATTERN, default: byDefault });
const strict = { additionalProperties: false };

/** Somebody who can be called. */
const PersonSchema = Type.Object(
	{
		id: Id,
		name: Name,
		/** Account of the console: whoever logs in with it speaks for this person. */
		account: Type.String({ maxLength: 64, default: '' }),
		/** Tried in this order; each names an entry of `alerts.channels`. */
		addresses: Type.Array(
			Type.Object({ channel: Type.String({ minLength: 1 }), to: Type.String({ minLength: 1, maxLength: 200 }) }, strict),
			{
				maxItems: 20,
				default: [],
			},
		),
	},
	strict,
);

const TeamSchema = Type.Object(
	{ id: Id, name: Name, lead: Type.Optional(Id), members: Type.Array(Id, { maxItems: 200, uniqueItems: true, default: [] }) },
	strict,
);

const Targets = Type.Array(Type.String({ pattern: '^(roster|next|person|team|lead):[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$' }), {
	maxItems: 20,
	default: [],
});

/** Key `alerts.oncall` of collector.yml. */
export const OnCallConfigSchema = Type.Object(
	{
		zone: Type.String({ minLength: 1, maxLength: 64, default: 'Asia/Shanghai' }),
		people: Type.Array(PersonSchema, { maxItems: 1000, default: [] }),
		teams: Type.Array(TeamSchema, { maxItems: 200, default: [] }),
		rosters: Type.Array(RosterSchema, { maxItems: 100, default: [] }),
		staffing: Type.Array(StaffingSchema, { maxItems: 100, default: [] }),
		overload: OverloadSchema,
		/** How far ahead gaps and overloads are looked for. */
		look_ahead: Duration('14d'),
		policies: Type.Array(PolicySchema, { maxItems: 200, default: [] }),
		handover: Type.Object(
			{
				sign_within: Duration('30m'),
				/** Who hears of a record that is late to be signed. */
				tell: Targets,
			},
			{ ...strict, default: {} },
		),
		drill: Type.Optional(
			Type.Object(
				{
					schedule: ScheduleSchema,
					to: Type.Array(Type.String({ pattern: '^(roster|next|person|team|lead):[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$' }), {
						minItems: 1,
						maxItems: 20,
					}),
					/** After this long it ends, and what did not arrive has failed. */
					lasts: Duration('30m'),
				},
				strict,
			),
		),
	},
	{ ...strict, default: {} },
);
export type OnCallConfig = Static<typeof OnCallConfigSchema>;

/** References that must exist. `channels` are the names of `alerts.channels`. */
export function checkOnCall(config: OnCallConfig, channels: readonly string[], report: Parameters<ConfigCheck<OnCallConfig>>[1]): void {
	const known = {
		person: unique(config.people, 'people', report),
		team: unique(config.teams, 'teams', report),
		roster: unique(config.rosters, 'rosters', report),
	};
	const needPerson = (path: readonly (string | number)[], id: string) => {
		if (!known.person.has(id)) report(path, `there is no person "${id}" under alerts.oncall.people${knownInstead(id, [...known.person])}`);
	};
	const needZone = (path: readonly (string | number)[], zone: string | undefined) => {
		if (zone !== undefined && !isZone(zone)) report(path, `"${zone}" is not a time zone; write for example Asia/Shanghai`);
	};
	const needTargets = (path: readonly (string | number)[], targets: readonly string[]) => {
		for (const [i, target] of targets.entries()) {
			const [kind = '', id = ''] = target.split(':');
			const list = kind === 'person' ? known.person : kind === 'team' || kind === 'lead' ? known.team : known.roster;
			if (!list.has(id))
				report(
					[...path, i],
					`"${target}" names something that does not exist under alerts.oncall${knownInstead(
						target,
						[...list].map((name) => `${kind}:${name}`),
					)}`,
				);
			const lead = kind === 'lead' ? config.teams.find((team) => team.id === id) : undefined;
			if (lead !== undefined && lead.lead === undefined) report([...path, i], `the team "${id}" has no lead`);
		}
	};
	needZone(['zone'], config.zone);
	const addresses = new Map<string, string>();
	for (const [i, { id, addresses: own, account }] of config.people.entries()) {
		for (const [j, { channel, to }] of own.entries()) {
			if (!channels.includes(channel))
				report(
					['people', i, 'addresses', j, 'channel'],
					`the channel "${channel}" is not one of alerts.channels${knownInstead(channel, channels)}`,
				);
			// A reply is taken as the word of whoever has the address.
			const other = addresses.get(`${channel}\n${to}`);
			if (other !== undefined) report(['people', i, 'addresses', j, 'to'], `"${other}" has the same address; a reply could be either's`);
			addresses.set(`${channel}\n${to}`, id);
		}
		const twice = config.people.findIndex((person, j) => j < i && account !== '' && person.account === account);
		if (twice >= 0) report(['people', i, 'account'], `"${config.people[twice]?.id}" has the account "${account}" already`);
	}
	for (const [i, { lead, members }] of config.teams.entries()) {
		if (lead !== undefined) needPerson(['teams', i, 'lead'], lead);
		for (const [j, member] of members.entries()) needPerson(['teams', i, 'members', j], member);
	}
	for (const [i, { zone, layers }] of config.rosters.entries()) {
		needZone(['rosters', i, 'zone'], zone);
		for (const [j, { people, turn }] of layers.entries()) {
			for (const [k, entry] of people.entries())
				for (const id of typeof entry === 'string' ? [entry] : entry) needPerson(['rosters', i, 'layers', j, 'people', k], id);
			if (turn.unit === 'hour' && turn.counts === 'active')
				report(
					['rosters', i, 'layers', j, 'turn', 'counts'],
					'hours are counted through; only days and weeks can be counted as active ones',
				);
		}
	}
	for (const [i, { zone, rosters }] of config.staffing.entries()) {
		needZone(['staffing', i, 'zone'], zone);
		for (const [j, id] of rosters.entries())
			if (!known.roster.has(id)) report(['staffing', i, 'rosters', j], `there is no roster "${id}"${knownInstead(id, [...known.roster])}`);
	}
	for (const [i, policy] of config.policies.entries()) {
		for (const [j, step] of policy.steps.entries()) needTargets(['policies', i, 'steps', j, 'to'], step.to);
		try {
			buildPolicy(policy);
		} catch (error) {
			report(['policies', i, 'matchers'], errorText(error));
		}
	}
	needTargets(['handover', 'tell'], config.handover.tell);
	if (config.drill !== undefined) {
		needTargets(['drill', 'to'], config.drill.to);
		const schedule = parseSchedule(config.drill.schedule);
		if (schedule.kind === 'bad') report(['drill', 'schedule', ...(schedule.key === '' ? [] : [schedule.key])], schedule.message);
	}
}

function unique(
	entries: readonly { readonly id: string }[],
	key: string,
	report: Parameters<ConfigCheck<OnCallConfig>>[1],
): ReadonlySet<string> {
	const ids = new Set<string>();
	for (const [i, { id }] of entries.entries()) {
		if (ids.has(id)) report([key, i, 'id'], `"${id}" is defined twice; rename one`);
		ids.add(id);
	}
	return ids;
}
