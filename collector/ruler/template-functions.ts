import { parseDuration } from '../../core/duration.ts';
import type { TemplateFunction } from '../../core/go-template/builtins.ts';
import { humanize, humanize1024, humanizeDuration, humanizePercentage, humanizeTimestamp } from '../../core/go-template/humanize.ts';
import { TEXT_FUNCTIONS } from '../../core/go-template/regexp.ts';

/** A sample as templates see it. */
export interface TemplateSample {
	readonly Labels: ReadonlyMap<string, string>;
	readonly Value: number;
}

export interface TemplateServices {
	/** Instant query at the evaluation time of the rule. */
	readonly query: (expression: string) => Promise<readonly TemplateSample[]>;
	readonly externalUrl: string;
}

function toNumber(value: unknown): number {
	if (typeof value === 'number') return value;
	const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
	if (Number.isNaN(parsed) && value !== 'NaN') throw new Error(`can't convert "${String(value)}" to float`);
	return parsed;
}

function sampleOf(value: unknown): TemplateSample {
	if (typeof value === 'object' && value !== null && 'Labels' in value && value.Labels instanceof Map) return value as TemplateSample;
	throw new Error('the argument is not a sample of a query');
}

function samplesOf(value: unknown): readonly TemplateSample[] {
	if (!Array.isArray(value)) throw new Error('the argument is not the result of a query');
	return value.map(sampleOf);
}

/** Path of the expression browser, as Prometheus writes it. */
export function tableLink(expression: string): string {
	return `/graph?g0.expr=${encodeURIComponent(expression).replaceAll('%20', '+')}&g0.tab=1`;
}

/** The functions that Prometheus gives to rule templates, beside Go's own. */
export function ruleTemplateFunctions(services: TemplateServices): Readonly<Record<string, TemplateFunction>> {
	const path = safePath(services.externalUrl);
	return {
		query: (expression) => services.query(String(expression)),
		first: (vector) => {
			const first = samplesOf(vector)[0];
			if (first === undefined) throw new Error('first() called on vector with no elements');
			return first;
		},
		label: (name, sample) => sampleOf(sample).Labels.get(String(name)) ?? '',
		value: (sample) => sampleOf(sample).Value,
		strvalue: (sample) => sampleOf(sample).Labels.get('__value__') ?? '',
		sortByLabel: (name, vector) =>
			[...samplesOf(vector)].sort((a, b) => ((a.Labels.get(String(name)) ?? '') < (b.Labels.get(String(name)) ?? '') ? -1 : 1)),
		args: (...values) => new Map(values.map((value, index) => [`arg${index}`, value])),
		...TEXT_FUNCTIONS,
		humanize: (value) => humanize(toNumber(value)),
		humanize1024: (value) => humanize1024(toNumber(value)),
		humanizeDuration: (value) => humanizeDuration(toNumber(value)),
		humanizePercentage: (value) => humanizePercentage(toNumber(value)),
		humanizeTimestamp: (value) => humanizeTimestamp(toNumber(value)),
		toTime: (value) => new Date(toNumber(value) * 1000),
		parseDuration: (text) => parseDuration(String(text)) / 1000,
		stripPort: (text) => /^(\[[^\]]*\]|[^:]*):[0-9]*$/.exec(String(text))?.[1]?.replace(/^\[|\]$/g, '') ?? String(text),
		stripDomain: (text) => stripDomain(String(text)),
		safeHtml: (text) => String(text),
		graphLink: (expression) => tableLink(String(expression)).replace(/g0\.tab=1$/, 'g0.tab=0'),
		tableLink: (expression) => tableLink(String(expression)),
		externalURL: () => services.externalUrl,
		pathPrefix: () => path,
	};
}

function safePath(url: string): string {
	return URL.canParse(url) ? new URL(url).pathname.replace(/\/$/, '') : '';
}

function stripDomain(text: string): string {
	const [, host = text, port = ''] = /^(.*?)(:[0-9]+)?$/.exec(text) ?? [];
	const isAddress = /^[0-9.]+$/.test(host) || host.includes(':');
	return isAddress ? text : (host.split('.')[0] ?? host) + port;
}
