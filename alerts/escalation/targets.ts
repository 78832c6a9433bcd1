import type { Address } from '../delivery/personal.ts';
import { type DutyContext, nextShift, onDuty, type Roster } from '../roster/roster.ts';

/** Somebody who can be called. */
export interface Person {
	readonly id: string;
	readonly name: string;
	/** Account of the console that speaks for them; `''` for none. */
	readonly account: string;
	readonly addresses: readonly Address[];
}

export interface Team {
	readonly id: string;
	readonly name: string;
	/** `''` for none. */
	readonly lead: string;
	readonly members: readonly string[];
}

/** Everybody and every roster, as configured now. */
export interface Directory {
	readonly people: ReadonlyMap<string, Person>;
	readonly teams: ReadonlyMap<string, Team>;
	readonly rosters: ReadonlyMap<string, Roster>;
}

/** The people behind targets at that moment, in their order, nobody twice. Who has no address cannot be called and is left out. */
export function resolveTargets(targets: readonly string[], directory: Directory, nowMs: number, context: DutyContext): readonly Person[] {
	const ids = targets.flatMap((target) => idsOf(target, directory, nowMs, context));
	return [...new Set(ids)].flatMap((id) => {
		const person = directory.people.get(id);
		return person === undefined || person.addresses.length === 0 ? [] : [person];
	});
}

function idsOf(target: string, { teams, rosters }: Directory, nowMs: number, context: DutyContext): readonly string[] {
	const colon = target.indexOf(':');
	const kind = target.slice(0, colon);
	const id = target.slice(colon + 1);
	const roster = rosters.get(id);
	switch (kind) {
		case 'person':
			return [id];
		case 'team':
			return teams.get(id)?.members ?? [];
		case 'lead':
			return [teams.get(id)?.lead ?? ''];
		case 'roster':
			return roster === undefined ? [] : onDuty(roster, nowMs, context);
		case 'next':
			return roster === undefined ? [] : (nextShift(roster, nowMs, context)?.people ?? []);
		default:
			return [];
	}
}

export function personOfAccount({ people }: Directory, account: string): Person | null {
	for (const person of people.values()) if (person.account !== '' && person.account === account) return person;
	return null;
}

/** Whose telephone or user id it is. */
export function personAt({ people }: Directory, { channel, to }: Address): Person | null {
	for (const person of people.values())
		if (person.addresses.some((one) => one.channel === channel && sameAddress(one.to, to))) return person;
	return null;
}

/** Gateways write one number as 138…, +86138… or 86138…. */
function sameAddress(a: string, b: string): boolean {
	if (a === b) return true;
	const bare = (text: string) => text.replace(/[\s-]/g, '').replace(/^(\+|00)?86(?=1\d{10}$)/, '');
	return /^[+\d\s-]+$/.test(a) && bare(a) === bare(b);
}
