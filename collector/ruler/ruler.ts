import { readFile } from 'node:fs/promises';
import type { Registry } from 'prom-client';
import type { Clock } from '../../core/clock.ts';
import { type ConfigProblem, formatProblem } from '../../core/config-file.ts';
import { AppError, errorText, systemErrorCode } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { AlertSink } from '../../protocol/alert.ts';
import type { Engine } from '../promql/engine.ts';
import type { ArrivalMarks } from '../storage/arrival-marks.ts';
import type { Appendable } from '../storage/storage.ts';
import { ArrivalPath } from './arrival-path.ts';
import type { ThresholdConfig } from './config.ts';
import { type Evaluation, RuleGroup, type RunningRule } from './group.ts';
import { createRulerMetrics, dropGroupMetrics } from './metrics.ts';
import { type GroupDefinition, parseRuleFile } from './rule-file.ts';
import { applyThresholds, type InCalendar } from './thresholds.ts';

export interface RulerOptions {
	readonly engine: Engine;
	readonly appendable: Appendable;
	readonly sink: AlertSink;
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: Registry;
	/** Base address of the product as people reach it, for links in alerts. */
	readonly externalUrl: string;
	readonly externalLabels?: Readonly<Record<string, string>>;
	/** Of groups that name no interval. Default 15 s. */
	readonly evaluationIntervalMs?: number;
	/** Default 1 min. */
	readonly resendDelayMs?: number;
	/** Default 1 h. */
	readonly outageToleranceMs?: number;
	/** Default 10 min. */
	readonly gracePeriodMs?: number;
	/** Rules of a group that do not depend on each other and may be under way at once. Default 1: all in their order. */
	readonly concurrency?: number;
	/** Calendars of the inventory, for thresholds that hold at some hours. Default: there are none. */
	readonly inCalendar?: InCalendar;
	/** Where the store notes what comes; without it rules are evaluated at their slots only. */
	readonly arrivals?: ArrivalMarks;
	/** Share of one core's time that evaluations on arrival may take; 0: none. Default 0.1. */
	readonly arrivalShare?: number;
	/** From the first sample to that evaluation. Default 100 ms. */
	readonly arrivalSettleMs?: number;
	/** Least time between two of them of one rule. Default 250 ms. */
	readonly arrivalGapMs?: number;
}

/** Evaluates rule files. */
export interface Ruler {
	/**
	 * Reads the files. Throws `FN_RULER_FILES` with every problem of every file, `FN_RULER_THRESHOLDS` with those of the thresholds.
	 * What is returned replaces the groups; rules that stay keep their alerts.
	 */
	prepare(files: readonly string[], more?: LoadOptions): Promise<() => Promise<void>>;
	/** Prepares and replaces. When it throws, the old rules go on unchanged. */
	load(files: readonly string[], more?: LoadOptions): Promise<void>;
	/** Begins evaluation. Groups that are loaded later begin at once. */
	start(): void;
	/** Ends after the evaluations that run. */
	stop(): Promise<void>;
	/** In order of files and groups. */
	groups(): readonly RuleGroup[];
	/** Evaluates every group once at `timeMs`, in order: for tests and the rule tester, which have no running clock. */
	evaluateOnce(timeMs: number): Promise<void>;
}

export interface LoadOptions {
	/** Other thresholds than the rules are written with. */
	readonly thresholds?: readonly ThresholdConfig[];
	/** Whether thresholds may ask for a calendar. Default: those that `inCalendar` knows. */
	readonly hasCalendar?: (id: string) => boolean;
}

export function createRuler(options: RulerOptions): Ruler {
	const metrics = createRulerMetrics(options.metrics);
	const services = {
		engine: options.engine,
		appendable: options.appendable,
		sink: options.sink,
		clock: options.clock,
		log: options.log,
		metrics,
		externalUrl: options.externalUrl,
		externalLabels: options.externalLabels ?? {},
		outageToleranceMs: options.outageToleranceMs ?? 3_600_000,
		gracePeriodMs: options.gracePeriodMs ?? 600_000,
		resendDelayMs: options.resendDelayMs ?? 60_000,
		defaultIntervalMs: options.evaluationIntervalMs ?? 15_000,
		concurrency: options.concurrency ?? 1,
		inCalendar: options.inCalendar ?? (() => null),
		evaluated: (rule: RunningRule, evaluation: Evaluation) => arrivals?.evaluated(rule, evaluation),
	};
	let groups: readonly RuleGroup[] = [];
	let running = false;
	let loading: Promise<void> = Promise.resolve();
	const arrivals =
		options.arrivals === undefined
			? null
			: new ArrivalPath({
					clock: options.clock,
					log: options.log,
					metrics,
					marks: options.arrivals,
					share: options.arrivalShare ?? 0.1,
					settleMs: options.arrivalSettleMs ?? 100,
					gapMs: options.arrivalGapMs ?? 250,
					groups: () => groups,
				});

	const replace = async (definitions: readonly GroupDefinition[]) => {
		const before = new Map(groups.map((group) => [group.key, group]));
		const next: RuleGroup[] = [];
		const fresh: RuleGroup[] = [];
		for (const definition of definitions) {
			const key = `${definition.file};${definition.name}`;
			const earlier = before.get(key);
			before.delete(key);
			if (earlier !== undefined && sameGroup(earlier.definition, definition)) {
				next.push(earlier);
				continue;
			}
			// The old group must have ended before its alerts change hands.
			await earlier?.stop();
			const group = new RuleGroup(definition, services, earlier);
			next.push(group);
			fresh.push(group);
		}
		for (const gone of before.values()) {
			await gone.stop();
			dropGroupMetrics(metrics, gone.key);
			try {
				await gone.markStale(options.clock.now());
			} catch (error) {
				options.log.error({ group: gone.definition.name, error: errorText(error) }, 'writing stale markers of a removed group failed');
			}
		}
		groups = next;
		arrivals?.plan();
		if (running) for (const group of fresh) group.start();
	};

	const isKnown = (id: string) => services.inCalendar(id, options.clock.now()) !== null;
	const prepare = async (files: readonly string[], { thresholds = [], hasCalendar = isKnown }: LoadOptions = {}) => {
		const definitions: GroupDefinition[] = [];
		const problems: ConfigProblem[] = [];
		for (const file of files) {
			const result = await readRuleFile(file);
			definitions.push(...result.groups);
			problems.push(...result.problems);
		}
		if (problems.length > 0) {
			throw new AppError(
				'FN_RULER_FILES',
				`the rule files have ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n  ${problems.map(formatProblem).join('\n  ')}`,
				{ status: 400 },
			);
		}
		const applied = applyThresholds(definitions, thresholds, hasCalendar);
		if (applied.problems.length > 0) {
			throw new AppError(
				'FN_RULER_THRESHOLDS',
				`rules.thresholds of the configuration cannot be used:\n  ${applied.problems.join('\n  ')}`,
				{ status: 400 },
			);
		}
		return () => {
			// One after the other: two at once would both take over the same alerts.
			const result = loading.then(() => replace(applied.groups));
			loading = result.catch(() => {});
			return result;
		};
	};

	return {
		prepare,
		load: async (files, more) => (await prepare(files, more))(),
		start: () => {
			if (running) return;
			running = true;
			for (const group of groups) group.start();
			arrivals?.start();
		},
		stop: async () => {
			running = false;
			await loading;
			await arrivals?.stop();
			await Promise.all(groups.map((group) => group.stop()));
		},
		groups: () => groups,
		evaluateOnce: async (timeMs) => {
			for (const group of groups) await group.evaluate(timeMs);
		},
	};
}

async function readRuleFile(file: string): Promise<ReturnType<typeof parseRuleFile>> {
	let text: string;
	try {
		text = await readFile(file, 'utf8');
	} catch (error) {
		const code = systemErrorCode(error);
		const message = code === 'ENOENT' ? 'the rule file does not exist' : `the rule file cannot be read (${code})`;
		return { groups: [], problems: [{ file, line: 0, path: '', message }] };
	}
	return parseRuleFile(text, file);
}

function sameGroup(a: GroupDefinition, b: GroupDefinition): boolean {
	return JSON.stringify(a) === JSON.stringify(b);
}
