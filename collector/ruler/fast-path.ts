import type { Clock } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { dependsOn } from './dependencies.ts';
import type { RuleGroup, RunningRule } from './group.ts';

/** Metrics whose samples are answered at once unless others are named: what a service's availability hangs on. */
export const FAST_METRICS: readonly string[] = ['probe_success'];

export interface FastPathOptions {
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: readonly string[];
	/** From the first sample to the evaluation, so that samples that come together are judged together. */
	readonly delayMs: number;
	/** Least time between two evaluations: checks that trickle in must not cost more than the slots do. */
	readonly gapMs: number;
	/** The groups that run now, in order. */
	readonly groups: () => readonly RuleGroup[];
}

/**
 * Evaluates rules that depend on a check as soon as its sample is there, instead of at their next slot. The time of such an
 * evaluation is that of the clock, so `for` begins when the sample is seen. Rules that read what such a rule records are
 * evaluated with it. Groups with a `query_offset` wait for their slots: they mean to look later.
 */
export class FastPath {
	readonly #options: FastPathOptions;
	readonly #metrics: ReadonlySet<string>;
	#plan: readonly { readonly group: RuleGroup; readonly rules: ReadonlySet<RunningRule> }[] = [];
	#stop = new AbortController();
	#stopped = true;
	#lastMs = Number.NEGATIVE_INFINITY;
	/** The evaluation that is due or under way. */
	#run: Promise<void> | null = null;
	/** Samples came while an evaluation was under way. */
	#again = false;

	constructor(options: FastPathOptions) {
		this.#options = options;
		this.#metrics = new Set(options.metrics);
	}

	/** To be called when the groups have changed. */
	plan(): void {
		const names = new Set(this.#metrics);
		const groups = this.#options.groups().filter(({ definition }) => definition.queryOffsetMs === 0);
		const chosen = new Map<RuleGroup, Set<RunningRule>>();
		// A record may be read by a rule of an earlier group: until nothing is added.
		for (let before = -1; before !== names.size; ) {
			before = names.size;
			for (const group of groups) {
				for (const rule of group.rules) {
					if (!dependsOn(rule.definition.expr, names)) continue;
					const rules = chosen.get(group) ?? new Set();
					chosen.set(group, rules.add(rule));
					if (rule.definition.kind === 'recording') names.add(rule.definition.name);
				}
			}
		}
		this.#plan = [...chosen].map(([group, rules]) => ({ group, rules }));
	}

	start(): void {
		this.#stop = new AbortController();
		this.#stopped = false;
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		this.#stop.abort();
		await this.#run;
	}

	/** Samples of these metrics have been committed. Cheap, and returns at once. */
	notify(metrics: Iterable<string>): void {
		if (this.#stopped || this.#plan.length === 0 || !this.#concerns(metrics)) return;
		if (this.#run !== null) {
			this.#again = true;
			return;
		}
		this.#run = this.#evaluate(this.#stop.signal).finally(() => {
			this.#run = null;
			const again = this.#again;
			this.#again = false;
			if (again) this.notify(this.#metrics);
		});
	}

	#concerns(metrics: Iterable<string>): boolean {
		for (const metric of metrics) if (this.#metrics.has(metric)) return true;
		return false;
	}

	async #evaluate(signal: AbortSignal): Promise<void> {
		const { clock, delayMs, gapMs, log } = this.#options;
		await clock.sleep(Math.max(delayMs, this.#lastMs + gapMs - clock.monotonic()), signal);
		if (signal.aborted) return;
		// What came until now is seen by this evaluation.
		this.#again = false;
		this.#lastMs = clock.monotonic();
		for (const { group, rules } of this.#plan) {
			if (signal.aborted) return;
			try {
				await group.evaluateBetweenSlots(clock.now(), rules, signal);
			} catch (error) {
				log.error({ group: group.definition.name, error: errorText(error) }, 'evaluating rules on arrival failed');
			}
		}
	}
}
