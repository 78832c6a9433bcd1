import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import { labelValue } from '../../core/labels.ts';
import type { Logger } from '../../core/log.ts';
import { type ArrivalMarks, type ArrivalReader, NO_CLASS } from '../storage/arrival-marks.ts';
import { ArrivalBudget } from './arrival-budget.ts';
import { type PlannedRule, planArrivals } from './arrival-plan.ts';
import { ArrivalRounds } from './arrival-rounds.ts';
import type { Evaluation, RuleGroup, RunningRule } from './group.ts';
import type { RulerMetrics } from './metrics.ts';
import { MAX_INPUTS } from './rule-inputs.ts';
import { rulePart } from './rule-part.ts';
import { SeriesInterest } from './series-interest.ts';

/** Longest time that evaluations keep the thread before others get a turn. */
const SLICE_MS = 5;
/** One rule takes at most this part of the share, so that a dear one leaves room for the others. */
const RULE_PART = 0.25;
/** How much the newest cost counts. */
const NEWEST = 0.3;
const LONGEST_SLEEP_MS = 60_000;
/** Tells subjects of rules apart that cannot be evaluated for one alone. */
const DEFAULT_LABEL = 'instance';

export interface ArrivalOptions {
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: RulerMetrics;
	/** Where the store notes what comes. */
	readonly marks: ArrivalMarks;
	/** Of one core's time; 0: nothing is evaluated on arrival. */
	readonly share: number;
	/** From the first sample to the evaluation, so that samples that come together are judged together. */
	readonly settleMs: number;
	/** Least time between two evaluations of a rule; dear rules wait longer. */
	readonly gapMs: number;
	/** The groups that run now, in order. */
	readonly groups: () => readonly RuleGroup[];
}

interface Entry {
	readonly plan: PlannedRule;
	/** Place among all rules: of those that are equal the first goes first. */
	readonly order: number;
	/** `null`: the rule has one input, which is always whole. */
	readonly rounds: ArrivalRounds | null;
	/** Values of the label that are to be evaluated. */
	parts: Set<string>;
	whole: boolean;
	/** Monotonic: when the first and the last of it was added. */
	sinceMs: number;
	addedMs: number;
	notBeforeMs: number;
	costMs: number;
	/** Wall clock: when the next alert has waited long enough. */
	deadlineMs: number;
	/** Wall clock: of all alerts of the rule, what was over until then has been looked at. A part says nothing of the others. */
	lookedMs: number;
}

/**
 * Evaluates rules as soon as their samples are there instead of at their next slot, and when the time that an alert waits for
 * is over; of rules that allow it only the part that the samples belong to. It spends no more than its share of a core: the most
 * severe rules go first, and what is left waits for its slot. The slots stay, and decide about what no longer arrives.
 */
export class ArrivalPath implements ArrivalReader {
	readonly #options: ArrivalOptions;
	readonly #budget: ArrivalBudget;
	#entries: ReadonlyMap<RunningRule, Entry> = new Map();
	#interest: SeriesInterest<Entry> | null = null;
	readonly #pending = new Set<Entry>();
	/** Monotonic: when marks are taken. */
	#settledAtMs = Number.POSITIVE_INFINITY;
	#stop = new AbortController();
	#nap = new AbortController();
	#loop: Promise<void> | null = null;

	constructor(options: ArrivalOptions) {
		this.#options = options;
		this.#budget = new ArrivalBudget(options.share, options.clock.monotonic());
	}

	/** To be called when the groups have changed. */
	plan(): void {
		const { groups, metrics, marks, share } = this.#options;
		const rules = groups().flatMap((group) => group.rules);
		const before = this.#entries;
		const entries = planArrivals(share > 0 ? groups() : []).map((plan, order) => newEntry({ plan, order, before: before.get(plan.rule) }));
		this.#entries = new Map(entries.map((entry) => [entry.plan.rule, entry]));
		this.#pending.clear();
		const written = new Set(rules.flatMap(({ definition }) => (definition.kind === 'recording' ? [definition.name] : [])));
		for (const metric of ['ALERTS', 'ALERTS_FOR_STATE']) written.add(metric);
		this.#interest = new SeriesInterest(
			entries.map((entry) => ({ rule: entry, inputs: entry.plan.inputs, label: entry.plan.label ?? DEFAULT_LABEL })),
			{ written, onFull: () => this.#listen() },
		);
		const parts = entries.filter(({ plan }) => plan.label !== null).length;
		metrics.arrivalRules.set({ kind: 'part' }, parts);
		metrics.arrivalRules.set({ kind: 'whole' }, entries.length - parts);
		metrics.arrivalRules.set({ kind: 'slot' }, rules.length - entries.length);
		if (this.#loop !== null) this.#listen();
		else marks.read(null);
		for (const entry of entries) lookedUntil(entry, this.#options.clock.now());
		this.#wake();
	}

	start(): void {
		if (this.#options.share <= 0 || this.#loop !== null) return;
		this.#stop = new AbortController();
		this.#listen();
		this.#loop = this.#run(this.#stop.signal);
	}

	/** Ends after the evaluation that runs. */
	async stop(): Promise<void> {
		this.#options.marks.read(null);
		this.#stop.abort();
		this.#wake();
		await this.#loop;
		this.#loop = null;
		this.#pending.clear();
	}

	classify(labels: Uint8Array): number {
		return this.#interest?.classify(labels) ?? NO_CLASS;
	}

	onMarks(): void {
		this.#settledAtMs = this.#options.clock.monotonic() + this.#options.settleMs;
		this.#wake();
	}

	/** To be called after every evaluation of a rule, whoever asked for it. */
	evaluated(rule: RunningRule, { timeMs, begunMs, isWhole }: Evaluation): void {
		const entry = this.#entries.get(rule);
		if (entry === undefined || this.#loop === null) return;
		if (isWhole && entry.addedMs < begunMs && this.#pending.delete(entry)) {
			entry.parts = new Set();
			entry.whole = false;
			this.#options.metrics.arrivalWaits.inc();
		}
		lookedUntil(entry, isWhole ? timeMs : entry.lookedMs);
		if (entry.deadlineMs < Number.POSITIVE_INFINITY) this.#wake();
	}

	#listen(): void {
		this.#settledAtMs = Number.POSITIVE_INFINITY;
		this.#options.marks.read(this);
	}

	#wake(): void {
		this.#nap.abort();
	}

	async #run(signal: AbortSignal): Promise<void> {
		const { clock } = this.#options;
		while (!signal.aborted) {
			this.#nap = new AbortController();
			await clock.sleep(this.#sleepMs(), this.#nap.signal);
			if (signal.aborted) return;
			const begunMs = clock.monotonic();
			if (this.#settledAtMs <= begunMs) this.#collect();
			this.#takeDeadlines();
			this.#spend(clock.monotonic() - begunMs);
			await this.#drain(signal);
		}
	}

	#sleepMs(): number {
		const { clock } = this.#options;
		const nowMs = clock.monotonic();
		let waitMs = Math.min(LONGEST_SLEEP_MS, this.#settledAtMs - nowMs);
		const budgetMs = this.#pending.size > 0 ? this.#budget.waitMs(nowMs) : 0;
		for (const entry of this.#pending) waitMs = Math.min(waitMs, Math.max(budgetMs, entry.notBeforeMs - nowMs));
		const wallMs = clock.now();
		for (const entry of this.#entries.values()) waitMs = Math.min(waitMs, entry.deadlineMs - wallMs);
		return Math.max(0, waitMs);
	}

	/** Turns marks into what is to be evaluated. */
	#collect(): void {
		const { clock, marks } = this.#options;
		const nowMs = clock.monotonic();
		this.#settledAtMs = Number.POSITIVE_INFINITY;
		const touched = new Map<Entry, Set<string>>();
		marks.take((found, newestMs) => {
			for (const { rule: entry, bits, subject } of this.#interest?.targets(found) ?? []) {
				entry.rounds?.arrived(subject, bits, { timeMs: newestMs, nowMs });
				const subjects = touched.get(entry);
				if (subjects === undefined) touched.set(entry, new Set([subject]));
				else subjects.add(subject);
			}
		});
		for (const [entry, subjects] of touched) {
			const { plan, rounds } = entry;
			const ripe = rounds === null ? [...subjects] : [...subjects].filter((subject) => rounds.isWhole(subject));
			if (ripe.length === 0) continue;
			if (plan.label !== null) for (const subject of ripe) this.#add(entry, subject);
			else if (rounds === null || rounds.allWhole(nowMs)) this.#add(entry, null);
		}
	}

	/** Alerts whose `for` or `keep_firing_for` is over are looked at now, not at the slot behind it. */
	#takeDeadlines(): void {
		const nowMs = this.#options.clock.now();
		for (const entry of this.#entries.values()) {
			if (entry.deadlineMs > nowMs) continue;
			const { rule, label } = entry.plan;
			for (const { labels, atMs } of rule.alerting?.deadlines(entry.lookedMs) ?? [])
				if (atMs <= nowMs) this.#add(entry, label === null ? null : labelValue(labels, label));
			lookedUntil(entry, nowMs);
		}
	}

	/** `subject`: a value of the rule's label; `null`: all of it. */
	#add(entry: Entry, subject: string | null): void {
		// After a start other hosts may not have spoken yet: what adds them up begins with its group's first slot.
		if (subject === null && entry.plan.group.lastEvaluationMs === null) return;
		const nowMs = this.#options.clock.monotonic();
		if (!this.#pending.has(entry)) {
			this.#pending.add(entry);
			entry.sinceMs = nowMs;
		}
		entry.addedMs = nowMs;
		if (subject === null) entry.whole = true;
		else entry.parts.add(subject);
	}

	async #drain(signal: AbortSignal): Promise<void> {
		const { clock } = this.#options;
		let sliceMs = clock.monotonic();
		for (let queue = this.#ready(); queue.length > 0; queue = this.#ready()) {
			for (const entry of queue) {
				if (!this.#pending.has(entry)) continue;
				if (this.#budget.waitMs(clock.monotonic()) > 0) return;
				await this.#evaluate(entry, signal);
				if (signal.aborted) return;
				if (clock.monotonic() - sliceMs >= SLICE_MS) {
					await nextTurn();
					sliceMs = clock.monotonic();
				}
				// What it has recorded is there for those that read it.
				if (entry.plan.rule.definition.kind === 'recording' && this.#settledAtMs < Number.POSITIVE_INFINITY) {
					this.#collect();
					break;
				}
			}
		}
	}

	#ready(): readonly Entry[] {
		const nowMs = this.#options.clock.monotonic();
		return [...this.#pending]
			.filter(({ notBeforeMs }) => notBeforeMs <= nowMs)
			.sort((a, b) => a.plan.rank - b.plan.rank || a.sinceMs - b.sinceMs || a.order - b.order);
	}

	async #evaluate(entry: Entry, signal: AbortSignal): Promise<void> {
		const { clock, log, share, gapMs } = this.#options;
		const { group, rule, label } = entry.plan;
		const part = entry.whole || label === null ? undefined : rulePart(label, entry.parts);
		this.#pending.delete(entry);
		entry.parts = new Set();
		entry.whole = false;
		let tookMs = 0;
		try {
			tookMs = await group.evaluateOnArrival(rule, part, signal);
		} catch (error) {
			log.error(
				{ group: group.definition.name, rule: rule.definition.name, error: errorText(error) },
				'evaluating a rule on arrival failed',
			);
		}
		this.#spend(tookMs);
		entry.costMs += (tookMs - entry.costMs) * NEWEST;
		entry.notBeforeMs = clock.monotonic() + Math.max(gapMs, entry.costMs / (share * RULE_PART));
	}

	#spend(ms: number): void {
		this.#budget.spend(ms, this.#options.clock.monotonic());
		this.#options.metrics.arrivalSeconds.inc(ms / 1000);
	}
}

function newEntry({
	plan,
	order,
	before,
}: {
	readonly plan: PlannedRule;
	readonly order: number;
	readonly before: Entry | undefined;
}): Entry {
	const inputs = Math.min(plan.inputs.length, MAX_INPUTS);
	return {
		plan,
		order,
		rounds: before?.rounds ?? (inputs > 1 ? new ArrivalRounds(inputs) : null),
		parts: new Set(),
		whole: false,
		sinceMs: 0,
		addedMs: 0,
		notBeforeMs: before?.notBeforeMs ?? 0,
		costMs: before?.costMs ?? 0,
		deadlineMs: Number.POSITIVE_INFINITY,
		lookedMs: 0,
	};
}

function lookedUntil(entry: Entry, timeMs: number): void {
	entry.lookedMs = timeMs;
	entry.deadlineMs = Number.POSITIVE_INFINITY;
	for (const { atMs } of entry.plan.rule.alerting?.deadlines(timeMs) ?? []) entry.deadlineMs = Math.min(entry.deadlineMs, atMs);
}
