import type { ConfigCheck } from '../../core/config-file.ts';
import { parseDuration } from '../../core/duration.ts';
import { errorText } from '../../core/errors.ts';
import { AnchoredTemplate } from './anchored-template.ts';
import type { RelabelAction, RelabelConfig, ScrapeConfig, ScrapeJobConfig } from './config.ts';

type Report = (path: readonly (string | number)[], message: string) => void;

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const LABEL_TEMPLATE = /^(?:[a-zA-Z_]|\$\{\w+\}|\$\w+)(?:\w|\$\{\w+\}|\$\w+)*$/;

/** What the schema cannot say: names that must be unique, patterns that must compile, a timeout within its interval. */
export const checkScrapeConfig: ConfigCheck<ScrapeConfig> = (config, report) => {
	const jobs = new Map<string, number>();
	for (const [i, job] of config.scrape_configs.entries()) {
		const within: Report = (path, message) => report(['scrape_configs', i, ...path], message);
		const first = jobs.get(job.job_name);
		if (first !== undefined) within(['job_name'], `"${job.job_name}" is also the name of scrape_configs[${first}]; names must be unique`);
		else jobs.set(job.job_name, i);
		checkTimes(job, config, within);
		checkAccess(job, within);
		checkTargets(job, within);
		for (const list of ['relabel_configs', 'metric_relabel_configs'] as const) {
			for (const [j, step] of job[list].entries()) checkRelabel(step, (path, message) => within([list, j, ...path], message));
		}
	}
	if (parseDuration(config.scrape_interval) === 0) report(['scrape_interval'], 'must be longer than 0');
	if (parseDuration(config.scrape_timeout) === 0) report(['scrape_timeout'], 'must be longer than 0');
};

function checkTimes(job: ScrapeJobConfig, config: ScrapeConfig, report: Report): void {
	const interval = job.scrape_interval ?? config.scrape_interval;
	if (parseDuration(interval) === 0) report(['scrape_interval'], 'must be longer than 0');
	if (job.scrape_timeout === undefined) return;
	const timeoutMs = parseDuration(job.scrape_timeout);
	if (timeoutMs === 0) report(['scrape_timeout'], 'must be longer than 0');
	if (timeoutMs > parseDuration(interval)) report(['scrape_timeout'], `${job.scrape_timeout} is longer than the interval of ${interval}`);
}

function checkAccess(job: ScrapeJobConfig, report: Report): void {
	if (job.basic_auth !== undefined && job.authorization !== undefined) {
		report(['authorization'], 'stands beside basic_auth; a request has only one of them');
	}
	if (job.authorization !== undefined && !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(job.authorization.type)) {
		report(['authorization', 'type'], 'must be one word, for example Bearer');
	}
	if (job.authorization?.type.toLowerCase() === 'basic') report(['authorization', 'type'], 'use basic_auth for Basic');
	if (!job.metrics_path.startsWith('/')) report(['metrics_path'], 'must begin with /');
}

function checkTargets(job: ScrapeJobConfig, report: Report): void {
	for (const [i, group] of job.static_configs.entries()) {
		for (const [j, target] of group.targets.entries()) {
			const problem = addressProblem(target);
			if (problem !== null) report(['static_configs', i, 'targets', j], problem);
		}
		for (const name of Object.keys(group.labels)) {
			if (!LABEL_NAME.test(name)) report(['static_configs', i, 'labels', name], 'is not a valid label name');
		}
	}
	for (const [i, discovery] of job.file_sd_configs.entries()) {
		for (const [j, file] of discovery.files.entries()) {
			if (!/^[^*]*\*?[^/*]*\.(json|yml|yaml)$/.test(file)) {
				report(['file_sd_configs', i, 'files', j], 'must end with .json, .yml or .yaml, and may have one * in its last part');
			}
		}
	}
}

/** What is wrong with a `host:port`, or `null`. */
export function addressProblem(address: string): string | null {
	if (/^[a-z]+:\/\//i.test(address)) return 'is a URL; write host:port, and the rest as scheme and metrics_path';
	if (address.includes('/')) return 'has a path; write host:port, and the path as metrics_path';
	if (!/^[^\s@?#]+$/.test(address) || !URL.canParse(`http://${address}`)) return 'is not a host:port';
	return null;
}

const NEEDS_TARGET: readonly RelabelAction[] = ['replace', 'hashmod', 'lowercase', 'uppercase', 'keepequal', 'dropequal'];
const ONLY_REGEX: readonly RelabelAction[] = ['labeldrop', 'labelkeep'];

function checkRelabel(step: RelabelConfig, report: Report): void {
	try {
		new AnchoredTemplate(step.regex);
	} catch (error) {
		report(['regex'], `is not an RE2 pattern: ${errorText(error)}`);
	}
	if (NEEDS_TARGET.includes(step.action) && step.target_label === '') {
		report(['target_label'], `is needed for the action ${step.action}`);
		return;
	}
	for (const [i, name] of step.source_labels.entries()) {
		if (!LABEL_NAME.test(name)) report(['source_labels', i], 'is not a valid label name');
	}
	if (step.action === 'hashmod' && step.modulus === 0) report(['modulus'], 'is needed for the action hashmod');
	if (step.action === 'replace' && !LABEL_TEMPLATE.test(step.target_label)) {
		report(['target_label'], 'is neither a label name nor a template of one');
	} else if (step.action !== 'replace' && NEEDS_TARGET.includes(step.action) && !LABEL_NAME.test(step.target_label)) {
		report(['target_label'], 'is not a valid label name');
	}
	if (ONLY_REGEX.includes(step.action) && (step.source_labels.length > 0 || step.target_label !== '' || step.modulus > 0)) {
		report(['action'], `${step.action} takes a regex and nothing else`);
	}
	if (step.action === 'labelmap' && !LABEL_TEMPLATE.test(step.replacement)) {
		report(['replacement'], 'is neither a label name nor a template of one');
	}
}
