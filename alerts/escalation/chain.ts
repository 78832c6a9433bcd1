import { parseDuration } from '../../core/duration.ts';
import { type Matcher, matchesAll, parseMatchers } from '../route/matcher.ts';
import type { PolicyConfig } from './config.ts';

export interface ChainStep {
	readonly to: readonly string[];
	readonly waitMs: number;
	readonly times: number;
}

/** A policy as it was when the incident began: a later change of the configuration does not reach into a night that is under way. */
export interface Chain {
	readonly policy: string;
	readonly steps: readonly ChainStep[];
	readonly rounds: number;
	/** 0: never. */
	readonly unacknowledgeAfterMs: number;
}

/** Where a chain stands. All numbers count from 0. */
export interface ChainPosition {
	readonly round: number;
	/** `steps.length` once the last one has been waited for in vain. */
	readonly step: number;
	/** Calls of this step so far. */
	readonly time: number;
	/** Whether somebody was called in this round. */
	readonly reached: boolean;
	/** When the next call is due; `null` while somebody has the incident, and when the chain has ended. */
	readonly dueAtMs: number | null;
}

export interface EscalationPolicy {
	readonly name: string;
	readonly faultLevels: readonly string[];
	readonly chain: Chain;
	readonly applies: (about: PolicySubject) => boolean;
}

export interface PolicySubject {
	/** Of the most severe alert. */
	readonly severity: string;
	readonly labels: Readonly<Record<string, string>>;
	/** Level of the fault that belongs to it; `null` where there is none. */
	readonly faultLevel: string | null;
}

/** Throws `FN_ALERTS_MATCHER`. */
export function buildPolicy(config: PolicyConfig): EscalationPolicy {
	const matchers: readonly Matcher[] = config.matchers.flatMap(parseMatchers);
	return {
		name: config.name,
		faultLevels: config.fault_levels,
		chain: {
			policy: config.name,
			steps: config.steps.map(({ to, wait, times }) => ({ to, waitMs: parseDuration(wait), times })),
			rounds: config.rounds,
			unacknowledgeAfterMs: parseDuration(config.unacknowledge_after),
		},
		applies: ({ severity, labels, faultLevel }) =>
			among(config.severities, severity) &&
			among(config.services, labels['service'] ?? '') &&
			among(config.fault_levels, faultLevel ?? '') &&
			matchesAll(matchers, labels),
	};
}

function among(wanted: readonly string[], value: string): boolean {
	return wanted.length === 0 || wanted.includes(value);
}

export function chooseChain(policies: readonly EscalationPolicy[], about: PolicySubject): Chain | null {
	return policies.find((policy) => policy.applies(about))?.chain ?? null;
}

export function beginChain(nowMs: number): ChainPosition {
	return { round: 0, step: 0, time: 0, reached: false, dueAtMs: nowMs };
}

/** Nobody is waited for: the incident was taken, or is over. */
export function pauseChain(position: ChainPosition): ChainPosition {
	return { ...position, dueAtMs: null };
}

const SHORTEST_IDLE_MS = 60_000;

/**
 * The position after the call that is due now. `reached` false: there was nobody to call, so the next step is taken at once. A round in
 * which nobody at all could be called was no round: it is tried again after the chain's longest wait, because somebody may have come on
 * duty by then.
 */
export function advance(chain: Chain, position: ChainPosition, call: { readonly nowMs: number; readonly reached: boolean }): ChainPosition {
	const step = chain.steps[position.step];
	if (step === undefined) return pauseChain(position);
	const dueAtMs = call.nowMs + (call.reached ? step.waitMs : 0);
	const reached = position.reached || call.reached;
	if (call.reached && position.time + 1 < step.times) return { ...position, time: position.time + 1, reached, dueAtMs };
	if (position.step + 1 < chain.steps.length) return { ...position, step: position.step + 1, time: 0, reached, dueAtMs };
	if (!reached) return { ...beginChain(call.nowMs + idleMs(chain)), round: position.round };
	if (position.round + 1 < chain.rounds) return { ...beginChain(dueAtMs), round: position.round + 1 };
	return { ...position, step: chain.steps.length, time: 0, reached, dueAtMs };
}

function idleMs({ steps }: Chain): number {
	return Math.max(SHORTEST_IDLE_MS, ...steps.map(({ waitMs }) => waitMs));
}

/** Whether every call was made and the last wait is over. */
export function isExhausted(chain: Chain, position: ChainPosition): boolean {
	return position.step >= chain.steps.length;
}

/** The same chain with one person in front, for a hand-over: when they do not take it, the rest goes on. */
export function chainVia(chain: Chain | null, target: string): Chain {
	const waitMs = chain?.steps[0]?.waitMs ?? 300_000;
	const first: ChainStep = { to: [target], waitMs, times: 1 };
	if (chain === null) return { policy: 'hand-over', steps: [first], rounds: 1, unacknowledgeAfterMs: 0 };
	const steps = chain.steps.filter((step) => step.to.length > 1 || step.to[0] !== target);
	return { ...chain, steps: [first, ...steps] };
}
