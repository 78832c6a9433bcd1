import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import { labelsKey } from '../../core/labels.ts';
import type { Logger } from '../../core/log.ts';
import type { AlertSink } from '../../protocol/alert.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { Appendable } from '../storage/storage.ts';
import { AlertingRule, type RuleSettings } from './alerting-rule.ts';
import { independentSteps } from './dependencies.ts';
import type { RulerMetrics } from './metrics.ts';
import { evaluateRecording } from './recording-rule.ts';
import type { GroupDefinition, RuleDefinition } from './rule-file.ts';
import type { RulePart } from './rule-part.ts';
import type { RuleRun, RuleSample } from './rule-query.ts';
import { groupOffset, slotAt } from './schedule.ts';

/** Longest time that the rules of a group keep the thread before others get a turn. */
const SLICE_MS = 5;

export interface GroupServices extends RuleSettings {
	readonly appendable: Appendable;
	readonly sink: AlertSink;
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: RulerMetrics;
	readonly resendDelayMs: number;
	readonly defaultIntervalMs: number;
	/** Rules of a group that do not depend on each other and may be under way at once; 1 keeps all in their order. */
	readonly concurrency: number;
	/** Told of every evaluation when it has ended. */
	readonly evaluated?: (rule: RunningRule, evaluation: Evaluation) => void;
}

export interface Evaluation {
	/** The time that was looked at. */
	readonly timeMs: number;
	/** Monotonic. */
	readonly begunMs: number;
	/** Not only a part of the rule. */
	readonly isWhole: boolean;
}

/** A rule of a running group with what its last evaluation came to. */
export interface RunningRule {
	readonly definition: RuleDefinition;
	readonly alerting: AlertingRule | null;
	health: 'unknown' | 'ok' | 'err';
	lastError: string;
	lastEvaluationMs: number | null;
	evaluationSeconds: number;
	/** Time of the last evaluation on arrival of all of it, and of a part. */
	arrivalMs: number | null;
	partMs: number | null;
	/** Series of the last successful evaluation, by key: what vanishes gets a stale marker. */
	readonly series: Map<string, Labels>;
}

/** Evaluates the rules of one group at its own slots, in order, or those that do not depend on each other at once. */
export class RuleGroup {
	readonly definition: GroupDefinition;
	readonly rules: readonly RunningRule[];
	readonly intervalMs: number;
	lastEvaluationMs: number | null = null;
	evaluationSeconds = 0;
	readonly #services: GroupServices;
	readonly #key: string;
	/** Indexes of rules; those of one step may run at once. */
	readonly #steps: readonly (readonly number[])[];
	/** Series of rules that a reload removed. */
	#orphans: readonly Labels[] = [];
	#stop = new AbortController();
	#loop: Promise<void> = Promise.resolve();
	/** Ends with the turn that runs or waits last. */
	#turn: Promise<unknown> = Promise.resolve();
	/** Ends with the evaluation of the rule that runs or waits last. */
	readonly #underWay = new Map<RunningRule, Promise<void>>();

	/** `earlier`: the group of the same file and name before a reload; alerts and series of equal rules are taken over. */
	constructor(definition: GroupDefinition, services: GroupServices, earlier?: RuleGroup) {
		this.definition = definition;
		this.#services = services;
		this.intervalMs = definition.intervalMs ?? services.defaultIntervalMs;
		this.#key = `${definition.file};${definition.name}`;
		this.#steps = services.concurrency > 1 ? independentSteps(definition.rules) : definition.rules.map((_, index) => [index]);
		const left = new Map<string, RunningRule[]>();
		for (const rule of earlier?.rules ?? []) {
			const key = ruleKey(rule.definition);
			left.set(key, [...(left.get(key) ?? []), rule]);
		}
		this.rules = definition.rules.map((rule) => {
			const before = left.get(ruleKey(rule))?.shift();
			return {
				definition: rule,
				alerting: rule.kind === 'alerting' ? new AlertingRule(rule, services, before?.alerting ?? undefined) : null,
				health: before?.health ?? 'unknown',
				lastError: before?.lastError ?? '',
				lastEvaluationMs: before?.lastEvaluationMs ?? null,
				evaluationSeconds: before?.evaluationSeconds ?? 0,
				arrivalMs: before?.arrivalMs ?? null,
				partMs: before?.partMs ?? null,
				series: before?.series ?? new Map(),
			};
		});
		this.#orphans = [...left.values()].flat().flatMap((rule) => [...rule.series.values()]);
		services.metrics.groupInterval.set({ group: this.#key }, this.intervalMs / 1000);
		services.metrics.groupRules.set({ group: this.#key }, this.rules.length);
		services.metrics.missed.inc({ group: this.#key }, 0);
	}

	get key(): string {
		return this.#key;
	}

	start(): void {
		this.#loop = this.#run(this.#stop.signal);
	}

	/** Resolves when the evaluation that runs has ended. */
	async stop(): Promise<void> {
		this.#stop.abort();
		await this.#loop;
		await this.#turn;
		await Promise.all(this.#underWay.values());
	}

	/** Writes stale markers for everything that the group has written; for a group that a reload removed. */
	async markStale(timeMs: number): Promise<void> {
		const appender = this.#services.appendable.appender();
		for (const rule of this.rules) for (const labels of rule.series.values()) appender.appendStale(labels, timeMs);
		await appender.commit();
	}

	async #run(signal: AbortSignal): Promise<void> {
		const { clock, metrics, log } = this.#services;
		const offsetMs = groupOffset(this.definition.file, this.definition.name, this.intervalMs);
		let slotMs = slotAt(clock.now(), this.intervalMs, offsetMs);
		for (;;) {
			const nextMs = slotMs + this.intervalMs;
			await clock.sleep(Math.max(0, nextMs - clock.now()), signal);
			if (signal.aborted) return;
			slotMs = slotAt(clock.now(), this.intervalMs, offsetMs);
			// A timer may wake a moment early, and the wall clock may have been set back.
			if (slotMs < nextMs) {
				if (nextMs - slotMs <= this.intervalMs) slotMs = nextMs - this.intervalMs;
				continue;
			}
			const missed = Math.round((slotMs - nextMs) / this.intervalMs);
			if (missed > 0) {
				metrics.missed.inc({ group: this.#key }, missed);
				log.warn({ group: this.definition.name, missed }, 'rule evaluations were left out because the one before took too long');
			}
			await this.evaluate(slotMs, signal);
		}
	}

	/** One evaluation of all rules at `timeMs`. Failures are kept in the rules and counted; it never throws. */
	evaluate(timeMs: number, signal: AbortSignal = new AbortController().signal): Promise<void> {
		const turn = this.#turn.then(() => this.#evaluateSlot(timeMs, signal));
		this.#turn = turn.catch(() => {});
		return turn;
	}

	/** Evaluates a rule, or a part of it, now, whatever its slot; gives the milliseconds that it took, 0 when the group is stopped. */
	evaluateOnArrival(rule: RunningRule, part: RulePart | undefined, signal: AbortSignal): Promise<number> {
		return this.#alone(rule, async () => {
			if (signal.aborted || this.#stop.signal.aborted) return 0;
			const begunMs = this.#services.clock.monotonic();
			// A wall clock that steps back must not make results go back behind those that are written.
			const timeMs = notBehind(this.#services.clock.now(), rule.lastEvaluationMs, this.intervalMs);
			await this.#evaluateOne(rule, timeMs, { signal, part });
			if (part === undefined) rule.arrivalMs = timeMs;
			else rule.partMs = timeMs;
			this.#services.metrics.fastEvaluations.inc({ group: this.#key });
			return this.#services.clock.monotonic() - begunMs;
		});
	}

	/** Two evaluations of a rule at once would both change the same alerts. */
	#alone<T>(rule: RunningRule, work: () => Promise<T>): Promise<T> {
		const result = (this.#underWay.get(rule) ?? Promise.resolve()).then(work);
		const ended = result.then(
			() => {},
			() => {},
		);
		this.#underWay.set(rule, ended);
		return result;
	}

	async #evaluateSlot(timeMs: number, signal: AbortSignal): Promise<void> {
		const { clock, metrics } = this.#services;
		const group = this.#key;
		const begun = clock.monotonic();
		let written = 0;
		let turnMs = begun;
		const evaluate = async (rule: RunningRule) => {
			const added = await this.#alone(rule, async () => {
				if (signal.aborted) return 0;
				// Evaluated since this slot began: going back to it would write samples behind newer ones.
				if (notBehind(timeMs, rule.arrivalMs, this.intervalMs) !== timeMs || rule.arrivalMs === timeMs) return 0;
				return this.#evaluateOne(rule, notBehind(timeMs, rule.partMs, this.intervalMs), { signal, part: undefined });
			});
			written += added;
			// Ingest shares this thread, and an evaluation without results never waits for anything.
			if (clock.monotonic() - turnMs < SLICE_MS) return;
			await nextTurn();
			turnMs = clock.monotonic();
		};
		for (const step of this.#steps) {
			const left = step.values();
			const worker = async () => {
				for (const index of left) {
					if (signal.aborted) return;
					await evaluate(this.rules[index] as RunningRule);
				}
			};
			await Promise.all(Array.from({ length: Math.min(this.#services.concurrency, step.length) }, worker));
			if (signal.aborted) return;
		}
		await this.#dropOrphans(timeMs);
		this.evaluationSeconds = (clock.monotonic() - begun) / 1000;
		this.lastEvaluationMs = timeMs;
		metrics.groupSeconds.set({ group }, this.evaluationSeconds);
		metrics.groupSamples.set({ group }, written);
		metrics.lastEvaluation.set({ group }, timeMs / 1000);
	}

	async #evaluateOne(rule: RunningRule, timeMs: number, how: Pick<RuleRun, 'signal' | 'part'>): Promise<number> {
		const { clock, metrics, evaluated } = this.#services;
		const begun = clock.monotonic();
		const written = await this.#evaluateRule(rule, timeMs, how);
		if (rule.alerting !== null) await this.#send(rule.alerting, timeMs, how.part);
		const tookMs = clock.monotonic() - begun;
		// The turns tell what the rule as a whole takes.
		if (how.part === undefined) rule.evaluationSeconds = tookMs / 1000;
		rule.lastEvaluationMs = timeMs;
		metrics.ruleSeconds.observe(tookMs / 1000);
		evaluated?.(rule, { timeMs, begunMs: begun, isWhole: how.part === undefined });
		return written;
	}

	async #evaluateRule(rule: RunningRule, timeMs: number, how: Pick<RuleRun, 'signal' | 'part'>): Promise<number> {
		const { metrics, log, engine } = this.#services;
		const { signal, part } = how;
		const options: RuleRun = { queryOffsetMs: this.definition.queryOffsetMs, limit: this.definition.limit, signal, part };
		metrics.evaluations.inc({ group: this.#key });
		let samples: readonly RuleSample[];
		try {
			samples =
				rule.definition.kind === 'recording'
					? await evaluateRecording(rule.definition, engine, timeMs, options)
					: ((await rule.alerting?.evaluate(timeMs, options)) ?? []);
		} catch (error) {
			if (signal.aborted) return 0;
			rule.health = 'err';
			rule.lastError = errorText(error);
			metrics.failures.inc({ group: this.#key });
			log.warn({ group: this.definition.name, rule: rule.definition.name, error: rule.lastError }, 'evaluating a rule failed');
			return 0;
		}
		rule.health = 'ok';
		rule.lastError = '';
		return this.#write(rule, samples, { timeMs: timeMs - options.queryOffsetMs, part });
	}

	/** Each rule is committed before the next is evaluated, because the next may read it. */
	async #write(
		rule: RunningRule,
		samples: readonly RuleSample[],
		{ timeMs, part }: { readonly timeMs: number; readonly part: RulePart | undefined },
	): Promise<number> {
		const appender = this.#services.appendable.appender();
		const series = new Map<string, Labels>();
		for (const sample of samples) {
			appender.append(sample.labels, timeMs, sample.value);
			series.set(labelsKey(sample.labels), sample.labels);
		}
		const vanished: string[] = [];
		for (const [key, labels] of rule.series) {
			if (series.has(key) || part?.has(labels) === false) continue;
			appender.appendStale(labels, timeMs);
			vanished.push(key);
		}
		if (samples.length === 0 && vanished.length === 0) return 0;
		for (const [key, labels] of series) rule.series.set(key, labels);
		try {
			await appender.commit();
		} catch (error) {
			// The series stay remembered, so that their markers are written when the store takes samples again.
			rule.health = 'err';
			rule.lastError = errorText(error);
			this.#services.metrics.writeFailures.inc({ group: this.#key });
			this.#services.log.error(
				{ group: this.definition.name, rule: rule.definition.name, error: rule.lastError },
				'writing rule results failed',
			);
			return 0;
		}
		for (const key of vanished) rule.series.delete(key);
		return samples.length;
	}

	async #send(rule: AlertingRule, timeMs: number, part: RulePart | undefined): Promise<void> {
		const { sink, metrics, log, resendDelayMs } = this.#services;
		const due = rule.due(timeMs, { resendDelayMs, validForMs: 4 * Math.max(this.intervalMs, resendDelayMs), part });
		if (due.length === 0) return;
		try {
			await sink(due.map((entry) => entry.posted));
		} catch (error) {
			metrics.sendFailures.inc();
			log.error(
				{ rule: rule.definition.name, alerts: due.length, error: errorText(error) },
				'handing over alerts failed; they are repeated',
			);
			return;
		}
		for (const { alert } of due) alert.lastSentAtMs = timeMs;
		metrics.sent.inc(due.length);
	}

	async #dropOrphans(timeMs: number): Promise<void> {
		if (this.#orphans.length === 0) return;
		const appender = this.#services.appendable.appender();
		const live = new Set(this.rules.flatMap((rule) => [...rule.series.keys()]));
		for (const labels of this.#orphans) if (!live.has(labelsKey(labels))) appender.appendStale(labels, timeMs);
		try {
			await appender.commit();
			this.#orphans = [];
		} catch (error) {
			this.#services.metrics.writeFailures.inc({ group: this.#key });
			this.#services.log.error({ group: this.definition.name, error: errorText(error) }, 'writing stale markers failed; it is repeated');
		}
	}
}

/** `timeMs`, or the later time of an evaluation before it: results are never written behind each other. Far ahead is a clock that was set back. */
function notBehind(timeMs: number, earlierMs: number | null, intervalMs: number): number {
	return earlierMs !== null && earlierMs > timeMs && earlierMs - timeMs < intervalMs ? earlierMs : timeMs;
}

/** Rules that are the same for state: kind, name, labels. A changed threshold or `for` keeps its alerts. */
function ruleKey(definition: RuleDefinition): string {
	return JSON.stringify([definition.kind, definition.name, Object.entries(definition.labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
