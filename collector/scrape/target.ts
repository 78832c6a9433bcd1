import { parseDuration, tryParseDuration } from '../../core/duration.ts';
import { fingerprint, labelsFromObject } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import { addressProblem } from './check-config.ts';
import type { ScrapeConfig, ScrapeJobConfig } from './config.ts';
import { type LabelMap, type RelabelStep, relabel } from './relabel.ts';

/** Something to scrape. */
export interface Target {
	/** Equal exactly for targets with the same labels and URL, the same before and after a restart. */
	readonly key: string;
	/** Before relabelling, with `__address__` and `__meta_*`. */
	readonly discoveredLabels: Labels;
	/** What every sample gets. */
	readonly labels: Labels;
	readonly url: string;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	/** As written, for people. */
	readonly interval: string;
	readonly timeout: string;
}

export type TargetVerdict =
	| { readonly kind: 'target'; readonly target: Target }
	| { readonly kind: 'dropped'; readonly discoveredLabels: Labels }
	| { readonly kind: 'invalid'; readonly discoveredLabels: Labels; readonly reason: string };

export interface TargetDefaults {
	readonly job: ScrapeJobConfig;
	readonly global: Pick<ScrapeConfig, 'scrape_interval' | 'scrape_timeout'>;
	readonly steps: readonly RelabelStep[];
}

/**
 * Makes a target of what discovery found: the job's defaults as `__` labels, relabelling, then the URL and the final labels, in the order
 * of Prometheus' `PopulateLabels`. As in Prometheus 3 no port is added to an address that has none.
 */
export function buildTarget(discovered: Readonly<Record<string, string>>, defaults: TargetDefaults): TargetVerdict {
	const { job, global, steps } = defaults;
	const interval = job.scrape_interval ?? global.scrape_interval;
	const labels: LabelMap = new Map(Object.entries(discovered).filter(([, value]) => value !== ''));
	const byDefault = (name: string, value: string) => {
		if (!labels.has(name) && value !== '') labels.set(name, value);
	};
	byDefault('job', job.job_name);
	byDefault('__scrape_interval__', interval);
	byDefault('__scrape_timeout__', job.scrape_timeout ?? shorter(global.scrape_timeout, interval));
	byDefault('__metrics_path__', job.metrics_path);
	byDefault('__scheme__', job.scheme);
	for (const [name, values] of Object.entries(job.params)) byDefault(`__param_${name}`, values[0] ?? '');
	const discoveredLabels = labelsFromObject(Object.fromEntries(labels));
	const invalid = (reason: string): TargetVerdict => ({ kind: 'invalid', discoveredLabels, reason });

	if (!relabel(labels, steps)) return { kind: 'dropped', discoveredLabels };
	const get = (name: string) => labels.get(name) ?? '';
	const address = get('__address__');
	if (address === '') return invalid('it has no address');
	const problem = addressProblem(address);
	if (problem !== null) return invalid(`its address "${address}" ${problem}`);
	const scheme = get('__scheme__');
	if (scheme !== 'http' && scheme !== 'https') return invalid(`its scheme "${scheme}" is neither http nor https`);
	const times = [get('__scrape_interval__'), get('__scrape_timeout__')] as const;
	const [intervalMs, timeoutMs] = times.map((text) => tryParseDuration(text) ?? 0) as [number, number];
	if (intervalMs === 0 || timeoutMs === 0) return invalid('its scrape interval or timeout is not a duration longer than 0');
	if (timeoutMs > intervalMs) return invalid(`its timeout of ${times[1]} is longer than its interval of ${times[0]}`);

	const url = targetUrl(`${scheme}://${address}`, labels, job);
	const final = Object.fromEntries([...labels].filter(([name]) => !name.startsWith('__')));
	if (get('instance') === '') final['instance'] = address;
	const finalLabels = labelsFromObject(final);
	return {
		kind: 'target',
		target: {
			key: `${fingerprint(finalLabels)} ${url}`,
			discoveredLabels,
			labels: finalLabels,
			url,
			intervalMs,
			timeoutMs,
			interval: times[0],
			timeout: times[1],
		},
	};
}

/** The global timeout does not have to fit a job with a short interval that names none of its own. */
function shorter(timeout: string, interval: string): string {
	return parseDuration(timeout) > parseDuration(interval) ? interval : timeout;
}

function targetUrl(base: string, labels: LabelMap, job: ScrapeJobConfig): string {
	const params = new Map(Object.entries(job.params).map(([name, values]) => [name, [...values]]));
	for (const [label, value] of labels) {
		if (!label.startsWith('__param_')) continue;
		const name = label.slice('__param_'.length);
		const values = params.get(name);
		if (values === undefined || values.length === 0) params.set(name, [value]);
		else values[0] = value;
	}
	const query = new URLSearchParams();
	for (const [name, values] of [...params].sort(([a], [b]) => (a < b ? -1 : 1))) for (const value of values) query.append(name, value);
	const path = labels.get('__metrics_path__') ?? '/';
	const text = query.toString();
	return `${base}${path.startsWith('/') ? path : `/${path}`}${text === '' ? '' : `${path.includes('?') ? '&' : '?'}${text}`}`;
}
