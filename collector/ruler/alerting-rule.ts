import { AppError, errorText } from '../../core/errors.ts';
import type { Template } from '../../core/go-template/template.ts';
import { labelsKey, labelsToObject, withLabel, withoutName } from '../../core/labels.ts';
import type { Logger } from '../../core/log.ts';
import type { PostedAlert } from '../../protocol/alert.ts';
import type { Labels } from '../../protocol/labels.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import type { Engine } from '../promql/engine.ts';
import { type ActiveAlert, advanceAlerts, deadlineOf, needsSending, newAlert, restoreAlert } from './alert-state.ts';
import type { AlertingDefinition } from './rule-file.ts';
import type { RulePart } from './rule-part.ts';
import { queryOptions, queryVector, type RuleRun, type RuleSample } from './rule-query.ts';
import { alertTemplateData, parseRuleTemplate } from './rule-template.ts';
import { type TemplateSample, tableLink } from './template-functions.ts';
import { type InCalendar, THRESHOLD_ANNOTATION, variantsAt } from './thresholds.ts';

export interface RuleSettings {
	readonly engine: Engine;
	readonly log: Logger;
	readonly externalUrl: string;
	readonly externalLabels: Readonly<Record<string, string>>;
	readonly outageToleranceMs: number;
	readonly gracePeriodMs: number;
	readonly inCalendar: InCalendar;
}

interface EarlierAlert {
	readonly lastSeenMs: number;
	readonly activeAtMs: number;
}

/** A rule at work: its definition, the alerts that it has, and what its last evaluation came to. */
export class AlertingRule {
	readonly definition: AlertingDefinition;
	readonly active: Map<string, ActiveAlert>;
	readonly #settings: RuleSettings;
	readonly #labels: readonly (readonly [string, Template])[];
	readonly #annotations: readonly (readonly [string, Template])[];
	#restored: boolean;
	/** Alerts of before the process began, until the rule has been evaluated as a whole. */
	#earlier: ReadonlyMap<string, EarlierAlert> | null = null;
	/** Time at which the templates' `query` function asks. */
	#timeMs = 0;

	/** `earlier` is the same rule before a reload: its alerts are taken over. */
	constructor(definition: AlertingDefinition, settings: RuleSettings, earlier?: AlertingRule) {
		this.definition = definition;
		this.#settings = settings;
		this.active = earlier?.active ?? new Map();
		this.#restored = earlier === undefined ? false : earlier.#restored;
		this.#earlier = earlier === undefined ? null : earlier.#earlier;
		const services = {
			externalUrl: settings.externalUrl,
			query: async (expression: string) => (await queryVector(settings.engine, expression, this.#timeMs)).map(templateSample),
		};
		const compile = (texts: Readonly<Record<string, string>>) =>
			Object.entries(texts).map(([name, text]) => [name, parseRuleTemplate(text, definition.name, services)] as const);
		this.#labels = compile(definition.labels);
		this.#annotations = compile(definition.annotations);
	}

	/** Evaluates at `timeMs` and returns the samples of `ALERTS` and `ALERTS_FOR_STATE`, of the part that was looked at. */
	async evaluate(timeMs: number, options: RuleRun): Promise<readonly RuleSample[]> {
		this.#timeMs = timeMs - options.queryOffsetMs;
		const current = new Map<string, ActiveAlert>();
		for (const { sample, threshold } of await this.#results(options)) {
			const alert = await this.#alertOf(sample, threshold, timeMs);
			const key = labelsKey(alert.labels);
			if (current.has(key)) {
				throw new AppError(
					'FN_RULER_DUPLICATE_LABELS',
					`alert "${this.definition.name}": two results have the same labels once the rule's labels are set; keep a label in the expression that tells them apart`,
					{ status: 422 },
				);
			}
			current.set(key, alert);
		}
		if (options.limit > 0 && current.size > options.limit) {
			this.active.clear();
			throw new AppError(
				'FN_RULER_LIMIT',
				`alert "${this.definition.name}" has ${current.size} alerts, more than the group's limit of ${options.limit}`,
				{ status: 422 },
			);
		}
		const { part } = options;
		if (!this.#restored) await this.#restore(current, timeMs, options.signal);
		if (part === undefined) {
			this.#restored = true;
			this.#earlier = null;
		}
		const { forMs, keepFiringForMs } = this.definition;
		advanceAlerts(this.active, current, { forMs, keepFiringForMs, timeMs, looksAt: part?.has });
		return this.#samples(part);
	}

	/** What the expression finds, each result by the threshold that is its own. */
	async #results(options: RuleRun): Promise<readonly { readonly sample: RuleSample; readonly threshold: string | null }[]> {
		const { engine, inCalendar } = this.#settings;
		const results: { readonly sample: RuleSample; readonly threshold: string | null }[] = [];
		for (const { query, threshold, keeps } of variantsAt(this.definition, this.definition.thresholds, this.#timeMs, inCalendar)) {
			const samples = await queryVector(engine, query, this.#timeMs, queryOptions(options));
			for (const sample of samples) if (keeps(sample.labels)) results.push({ sample, threshold });
		}
		return results;
	}

	async #alertOf(sample: RuleSample, threshold: string | null, timeMs: number): Promise<ActiveAlert> {
		const { externalLabels, externalUrl } = this.#settings;
		const data = alertTemplateData({ labels: sample.labels, value: sample.value, externalLabels, externalUrl });
		let labels = withoutName(sample.labels);
		for (const [name, template] of this.#labels) labels = withLabel(labels, name, await this.#expand(name, template, data));
		labels = withLabel(labels, 'alertname', this.definition.name);
		const annotations: Record<string, string> = {};
		for (const [name, template] of this.#annotations) annotations[name] = await this.#expand(name, template, data);
		if (threshold !== null) annotations[THRESHOLD_ANNOTATION] = threshold;
		return newAlert(labels, annotations, sample.value, timeMs);
	}

	/** A template that fails must not stop an alert: its text says what went wrong. */
	async #expand(name: string, template: Template, data: object): Promise<string> {
		try {
			return await template.execute(data);
		} catch (error) {
			this.#settings.log.warn({ alert: this.definition.name, field: name, error: errorText(error) }, 'expanding an alert template failed');
			return `<error expanding template: ${errorText(error)}>`;
		}
	}

	/** Continues the clocks of alerts that were there before the process began. */
	async #restore(current: ReadonlyMap<string, ActiveAlert>, timeMs: number, signal: AbortSignal): Promise<void> {
		if (current.size === 0) return;
		this.#earlier ??= await this.#readEarlier(timeMs, signal);
		const { gracePeriodMs: graceMs } = this.#settings;
		for (const [key, alert] of current) {
			const earlier = this.#earlier.get(key);
			if (earlier !== undefined && !this.active.has(key)) restoreAlert(alert, earlier, { forMs: this.definition.forMs, graceMs, timeMs });
		}
	}

	async #readEarlier(timeMs: number, signal: AbortSignal): Promise<ReadonlyMap<string, EarlierAlert>> {
		const { engine, outageToleranceMs: lookbackMs } = this.#settings;
		const selector = `ALERTS_FOR_STATE{alertname=${JSON.stringify(this.definition.name)}}`;
		const activeAt = await queryVector(engine, selector, timeMs, { lookbackMs, signal });
		const lastSeen = await queryVector(engine, `timestamp(${selector})`, timeMs, { lookbackMs, signal });
		const seen = new Map(lastSeen.map((sample) => [labelsKey(sample.labels), sample.value]));
		const earlier = new Map<string, EarlierAlert>();
		for (const sample of activeAt) {
			const key = labelsKey(withoutName(sample.labels));
			const lastSeconds = seen.get(key);
			if (lastSeconds !== undefined) earlier.set(key, { lastSeenMs: lastSeconds * 1000, activeAtMs: sample.value * 1000 });
		}
		return earlier;
	}

	#samples(part: RulePart | undefined): readonly RuleSample[] {
		const samples: RuleSample[] = [];
		for (const alert of this.active.values()) {
			if (alert.state === 'inactive' || part?.has(alert.labels) === false) continue;
			const named = (name: string) => withLabel(alert.labels, METRIC_NAME, name);
			samples.push({ labels: withLabel(named('ALERTS'), 'alertstate', alert.state), value: 1 });
			samples.push({ labels: named('ALERTS_FOR_STATE'), value: Math.floor(alert.activeAtMs / 1000) });
		}
		return samples;
	}

	/** The labels of alerts that wait for a time (`for`, `keep_firing_for`) that comes after `afterMs`, and that time. */
	*deadlines(afterMs: number): Generator<{ readonly labels: Labels; readonly atMs: number }> {
		for (const alert of this.active.values()) {
			const atMs = deadlineOf(alert, this.definition);
			if (atMs !== null && atMs > afterMs) yield { labels: alert.labels, atMs };
		}
	}

	/** Alerts that the sink is owed now. `validForMs`: how long a firing one counts without another word from us. */
	due(
		timeMs: number,
		{
			resendDelayMs,
			validForMs,
			part,
		}: { readonly resendDelayMs: number; readonly validForMs: number; readonly part: RulePart | undefined },
	): readonly { readonly alert: ActiveAlert; readonly posted: PostedAlert }[] {
		const due: { readonly alert: ActiveAlert; readonly posted: PostedAlert }[] = [];
		for (const alert of this.active.values()) {
			if (part?.has(alert.labels) === false || !needsSending(alert, timeMs, resendDelayMs)) continue;
			due.push({
				alert,
				posted: {
					labels: { ...this.#settings.externalLabels, ...labelsToObject(alert.labels) },
					annotations: alert.annotations,
					startsAtMs: alert.firedAtMs ?? alert.activeAtMs,
					endsAtMs: alert.resolvedAtMs ?? timeMs + validForMs,
					generatorUrl: this.#settings.externalUrl.replace(/\/$/, '') + tableLink(this.definition.query),
				},
			});
		}
		return due;
	}

	/** `firing` over `pending` over `inactive`. */
	get state(): 'inactive' | 'pending' | 'firing' {
		let state: 'inactive' | 'pending' | 'firing' = 'inactive';
		for (const alert of this.active.values()) {
			if (alert.state === 'firing') return 'firing';
			if (alert.state === 'pending') state = 'pending';
		}
		return state;
	}
}

function templateSample(sample: { readonly labels: Labels; readonly value: number }): TemplateSample {
	return { Labels: new Map(Object.entries(labelsToObject(sample.labels))), Value: sample.value };
}
