import { Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { type RepeatedTurn, repeatedTurn } from '../../core/repeated-turn.ts';
import type { ContractStandingAnswer } from '../../protocol/contract-api.ts';
import type { Contracts } from './contracts.ts';
import type { Profile } from './profile.ts';

export interface StandingWatchOptions {
	readonly contracts: Pick<Contracts, 'profile' | 'standing' | 'term'>;
	/** Contracts that services or faults count under. */
	readonly inUse: () => readonly string[];
	/** Whoever answers for contracts on the contractor's side; `''` where nobody is named. */
	readonly manager: () => string;
	readonly metrics: Registry;
	readonly clock: Clock;
	readonly log: Logger;
}

const TURN_MS = 10 * 60_000;
/** Every period is priced for it, which the start of the product need not wait for. */
const FIRST_AFTER_MS = 2 * 60_000;
const STATES = { far: 0, near: 1, reached: 2 } as const;

/** Says in metrics how near each running contract is to what ends it, and to the next line of its yearly mean; rules tell the manager. */
export function standingWatch(options: StandingWatchOptions): RepeatedTurn & { turn(): Promise<void> } {
	const { contracts, clock, log } = options;
	const registers = [options.metrics];
	const termination = new Gauge({
		name: 'fournines_contract_termination_state',
		help: 'How near a condition is that lets the client end or review the contract: 0 far, 1 near, 2 reached.',
		labelNames: ['contract', 'condition', 'owner'],
		registers,
	});
	const share = new Gauge({
		name: 'fournines_contract_termination_ratio',
		help: 'How much of the bound of such a condition is used.',
		labelNames: ['contract', 'condition', 'owner'],
		registers,
	});
	const margin = new Gauge({
		name: 'fournines_contract_year_margin_points',
		help: 'Points by which the final mean of the contract year that runs lies above the next line of payment.',
		labelNames: ['contract', 'owner'],
		registers,
	});
	const turn = async (): Promise<void> => {
		const owner = options.manager();
		const found: { readonly contract: string; readonly standing: ContractStandingAnswer; readonly margin: number | null }[] = [];
		for (const contract of options.inUse()) {
			if (contracts.term(contract).state !== 'running') continue;
			const standing = await contracts.standing(contract);
			found.push({ contract, standing, margin: yearMargin(contracts.profile(contract), standing) });
		}
		for (const gauge of [termination, share, margin]) gauge.reset();
		for (const { contract, standing, margin: points } of found) {
			for (const rule of standing.termination) {
				const labels = { contract, condition: rule.kind, owner };
				termination.set(labels, STATES[rule.state]);
				share.set(labels, usedShare(rule));
			}
			if (points !== null) margin.set({ contract, owner }, points);
		}
	};
	let first = true;
	const turns = repeatedTurn({
		turn: async (signal) => {
			if (first) await clock.sleep(FIRST_AFTER_MS, signal);
			first = false;
			if (!signal.aborted) await turn();
		},
		everyMs: TURN_MS,
		clock,
		failed: (error) => log.error({ error: errorText(error) }, 'the standing of contracts could not be computed; the next turn tries again'),
	});
	return { ...turns, turn };
}

/** `null` before a period of the year is over, and where no line lies below the mean. */
export function yearMargin({ payment }: Pick<Profile, 'payment'>, { years }: Pick<ContractStandingAnswer, 'years'>): number | null {
	const final = years.at(-1)?.final ?? null;
	if (final === null) return null;
	const lines = payment.steps.map(({ below }) => Math.round(below * 100)).filter((line) => line <= final);
	return lines.length === 0 ? null : (final - Math.max(...lines)) / 100;
}

function usedShare(rule: ContractStandingAnswer['termination'][number]): number {
	switch (rule.kind) {
		case 'money-share':
			return rule.limitFen === 0 ? 0 : rule.fen / rule.limitFen;
		case 'outage':
			return rule.seconds / rule.limitSeconds;
		case 'records':
			return rule.most / rule.limit;
		case 'low-scores':
			return Math.max(rule.inARow / rule.mostInARow, rule.inAll / rule.mostInAll);
	}
}
