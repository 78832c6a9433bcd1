import { AppError } from '../../core/errors.ts';
import { zonedTimeMs } from '../../core/zone-time.ts';
import type { ContractTermAnswer } from '../../protocol/contract-api.ts';
import type { ContractsConfig } from './config.ts';
import type { Profile } from './profile.ts';

/** How long a contract runs, `[fromMs, toMs)`; `toMs` is `null` where it has no end. */
export interface Term {
	readonly fromMs: number;
	readonly toMs: number | null;
}

export type TermRules = Pick<Profile, 'id' | 'zone' | 'contract'>;
type SignedTerm = ContractsConfig['terms'][string];

/** From the first day to the last one, that of the latest extension included. */
export function termOf({ contract, zone }: TermRules): Term {
	const { year, month, day } = dayOf(contract.start);
	const ends: number[] = [];
	if (contract.end !== undefined) ends.push(afterDay(contract.end, zone));
	else if (contract.months > 0) {
		const lastDay = new Date(Date.UTC(year, month - 1 + contract.months + 1, 0)).getUTCDate();
		ends.push(zonedTimeMs({ year, month: month + contract.months, day: Math.min(day, lastDay) }, zone));
	}
	// An extension of a contract without an end changes nothing.
	if (ends.length > 0) for (const { until } of contract.extensions ?? []) ends.push(afterDay(until, zone));
	return { fromMs: zonedTimeMs({ year, month, day }, zone), toMs: ends.length === 0 ? null : Math.max(...ends) };
}

/** A contract as it was signed: first and last day and extensions of the configuration stand over those of the profile. */
export function withTerm(profile: Profile, signed: SignedTerm | undefined): Profile {
	if (signed === undefined) return profile;
	const { start, end, extensions = [] } = signed;
	const { end: written, ...contract } = profile.contract;
	// A beginning of one's own makes the profile's own end meaningless; its length stays.
	const kept = end ?? (start === undefined ? written : undefined);
	return {
		...profile,
		contract: {
			...contract,
			start: start ?? contract.start,
			...(kept === undefined ? {} : { end: kept }),
			extensions: [...(contract.extensions ?? []), ...extensions],
		},
	};
}

/** The span as far as the contract runs. Throws `FN_CONTRACT_TERM` (409) where it does not. */
export function withinTerm<T extends { readonly fromMs: number; readonly toMs: number }>(rules: TermRules, span: T, name: string): T {
	const { fromMs, toMs } = termOf(rules);
	const clipped = { ...span, fromMs: Math.max(span.fromMs, fromMs), toMs: Math.min(span.toMs, toMs ?? span.toMs) };
	if (clipped.fromMs < clipped.toMs) return clipped;
	const last = toMs === null ? '' : ` and ends after ${lastDayOf(rules, toMs)}`;
	throw new AppError(
		'FN_CONTRACT_TERM',
		`${rules.id} begins on ${rules.contract.start}${last}; nothing is computed for ${name}. What was signed otherwise, or extended, is written under contracts.terms`,
		{ status: 409 },
	);
}

export function termAnswer(rules: TermRules, nowMs: number): ContractTermAnswer {
	const { fromMs, toMs } = termOf(rules);
	const { term_clause: clause, extensions = [] } = rules.contract;
	const state = nowMs < fromMs ? 'before' : toMs !== null && nowMs >= toMs ? 'over' : 'running';
	return {
		fromMs,
		toMs,
		state,
		firstDay: rules.contract.start,
		lastDay: toMs === null ? null : lastDayOf(rules, toMs),
		clause,
		extensions,
	};
}

function lastDayOf({ zone }: TermRules, toMs: number): string {
	return new Intl.DateTimeFormat('sv-SE', { timeZone: zone }).format(toMs - 1);
}

function afterDay(text: string, zone: string): number {
	const { year, month, day } = dayOf(text);
	return zonedTimeMs({ year, month, day: day + 1 }, zone);
}

export function dayOf(text: string): { readonly year: number; readonly month: number; readonly day: number } {
	const [year = 0, month = 1, day = 1] = text.split('-').map(Number);
	return { year, month, day };
}
