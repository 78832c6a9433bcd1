import { type Static, Type } from 'typebox';
import { tryParseDuration } from '../../core/duration.ts';
import { isZone, minuteOfDay } from '../../core/schedule.ts';
import { BackupConfigSchema } from './backups/config.ts';
import { ExecConfigSchema } from './exec/config.ts';
import { JobsConfigSchema } from './jobs/config.ts';
import { JourneyConfigSchema } from './journey/config.ts';
import { checkExpect, checkProbe, checkReach, checkRequest, isHttpUrl, jsonPath, pattern, type Report } from './probe/check-config.ts';
import { ProbeConfigSchema } from './probe/config.ts';
import { PushConfigSchema } from './push/config.ts';
import { ReconcileConfigSchema } from './reconcile/config.ts';
import { checkSchedule } from './schedule-config.ts';
import { ScrapeConfigSchema } from './scrape/config.ts';
import { SqlConfigSchema } from './sql/config.ts';
import { readStatementProblem } from './sql/session.ts';
import { TextfileConfigSchema } from './textfile/config.ts';

type Path = readonly (string | number)[];

/** Inputs for what crosses the border of a host: checks, interfaces, jobs, backups, and whatever other programs measure. */
export function interfaceInputProperties() {
	return {
		probes: Type.Array(ProbeConfigSchema, { default: [] }),
		journeys: Type.Array(JourneyConfigSchema, { default: [] }),
		push: Type.Array(PushConfigSchema, { default: [] }),
		reconcile: Type.Array(ReconcileConfigSchema, { default: [] }),
		sql: Type.Array(SqlConfigSchema, { default: [] }),
		/** Takes reports of scheduled tasks where it stands, if only as `{}`. */
		jobs: Type.Optional(JobsConfigSchema),
		backups: Type.Array(BackupConfigSchema, { default: [] }),
		exec: Type.Array(ExecConfigSchema, { default: [] }),
		textfile: Type.Array(TextfileConfigSchema, { default: [] }),
		scrape: Type.Array(ScrapeConfigSchema, { default: [] }),
	};
}
const InterfaceInputs = Type.Object(interfaceInputProperties());
export type InterfaceInputs = Static<typeof InterfaceInputs>;

/** What the schemas cannot say: names that must be unique, values that must fit together, patterns that must parse. */
export function checkInterfaceInputs(inputs: InterfaceInputs, defaultInterval: string, report: Report): void {
	const checks = new Map<string, string>();
	inputs.probes.forEach((probe, i) => {
		unique(checks, probe.id, ['inputs', 'probes', i], { key: 'id', report });
		checkProbe(probe, ['inputs', 'probes', i], { defaultInterval, report });
	});
	inputs.journeys.forEach((journey, i) => {
		const path = ['inputs', 'journeys', i] as const;
		unique(checks, journey.id, path, { key: 'id', report });
		checkJourney(journey, path, report);
	});
	const interfaces = new Map<string, string>();
	inputs.push.forEach((entry, i) => {
		const path = ['inputs', 'push', i] as const;
		unique(interfaces, entry.id, path, { key: 'id', report });
		checkSchedule(entry, path, report);
		checkTiming(entry, path, { defaultInterval, report });
		const given = (['sql', 'file', 'http', 'log'] as const).filter((key) => entry[key] !== undefined);
		if (given.length !== 1)
			report(given[1] === undefined ? path : [...path, given[1]], 'exactly one of sql, file, http and log says when data was delivered');
		if (entry.sql !== undefined) statement(entry.sql.query, [...path, 'sql', 'query'], report);
		if (entry.http !== undefined) {
			checkHttpSource(entry.http, [...path, 'http'], report);
			for (const [name, text] of Object.entries(entry.http.fields))
				if (text !== undefined) jsonPath(text, [...path, 'http', 'fields', name], report);
		}
		if (entry.log !== undefined) {
			pattern(entry.log.success, [...path, 'log', 'success'], report);
			if (entry.log.failure !== undefined) pattern(entry.log.failure, [...path, 'log', 'failure'], report);
		}
	});
	const reconciled = new Map<string, string>();
	inputs.reconcile.forEach((entry, i) => {
		const path = ['inputs', 'reconcile', i] as const;
		unique(reconciled, entry.id, path, { key: 'id', report });
		checkTiming(entry, path, { defaultInterval, report });
		if (!isZone(entry.zone)) report([...path, 'zone'], `"${entry.zone}" is not a time zone; write for example Asia/Shanghai`);
		if (minuteOfDay(entry.cut_off.time) === null)
			report([...path, 'cut_off', 'time'], `"${entry.cut_off.time}" is not a time of day; write for example 02:00`);
		for (const side of ['source', 'target'] as const) {
			const { sql, http } = entry[side];
			if ((sql === undefined) === (http === undefined)) report([...path, side], 'exactly one of sql and http counts this end');
			if (sql !== undefined) statement(sql.query, [...path, side, 'sql', 'query'], report);
			if (http !== undefined) {
				checkHttpSource(http, [...path, side, 'http'], report);
				jsonPath(http.dates, [...path, side, 'http', 'dates'], report);
				jsonPath(http.counts, [...path, side, 'http', 'counts'], report);
			}
		}
	});
	const backups = new Map<string, string>();
	inputs.backups.forEach((entry, i) => {
		const path = ['inputs', 'backups', i] as const;
		unique(backups, entry.id, path, { key: 'id', report });
		checkSchedule(entry, path, report);
		checkTiming(entry, path, { defaultInterval, report });
	});
	const tasks = new Map<string, string>();
	inputs.jobs?.tasks.forEach((task, i) => {
		const path = ['inputs', 'jobs', 'tasks', i];
		const first = tasks.get(task.name);
		if (first === undefined) tasks.set(task.name, `inputs.jobs.tasks[${i}]`);
		else report([...path, 'name'], `"${task.name}" is already the name of ${first}`);
		if (task.schedule !== undefined) checkSchedule({ schedule: task.schedule, grace: task.grace, early: '0s' }, path, report);
		if ((tryParseDuration(task.max_duration) ?? 0) <= 0) report([...path, 'max_duration'], 'must be longer than zero');
	});
	checkPrograms(inputs, defaultInterval, report);
}

function checkPrograms(inputs: InterfaceInputs, defaultInterval: string, report: Report): void {
	const databases = new Map<string, string>();
	inputs.sql.forEach((entry, i) => {
		const path = ['inputs', 'sql', i] as const;
		unique(databases, entry.instance ?? entry.address, path, { key: 'instance', report });
		checkTiming(entry, path, { defaultInterval, report });
		const names = new Map<string, number>();
		entry.queries.forEach((query, n) => {
			const at = [...path, 'queries', n];
			statement(query.query, [...at, 'query'], report);
			const both = query.labels.filter((column) => query.values.includes(column));
			if (both.length > 0) report([...at, 'labels'], `"${both[0]}" is a value already`);
			for (const column of query.values) {
				const name = `${query.name}_${column}`;
				const first = names.get(name);
				if (first === undefined) names.set(name, n);
				else report([...at, 'name'], `${name} is already a metric of queries[${first}]`);
			}
		});
	});
	const programs = new Map<string, string>();
	inputs.exec.forEach((entry, i) => {
		const path = ['inputs', 'exec', i] as const;
		unique(programs, entry.id, path, { key: 'id', report });
		checkTiming(entry, path, { defaultInterval, report });
		if (entry.command[0]?.startsWith('/') !== true) report([...path, 'command', 0], 'a program is named by its absolute path');
	});
	const folders = new Map<string, string>();
	inputs.textfile.forEach((entry, i) => {
		const path = ['inputs', 'textfile', i] as const;
		unique(folders, entry.directory, path, { key: 'directory', report });
		checkTiming(entry, path, { defaultInterval, report });
	});
	const pages = new Map<string, string>();
	inputs.scrape.forEach((entry, i) => {
		const path = ['inputs', 'scrape', i] as const;
		unique(pages, `${entry.job} ${entry.instance ?? entry.url}`, path, { key: 'url', report });
		checkTiming(entry, path, { defaultInterval, report });
		if (!isHttpUrl(entry.url))
			report([...path, 'url'], `"${entry.url}" is not an address; write for example http://127.0.0.1:9100/metrics`);
		if (entry.bearer !== undefined && entry.username !== undefined)
			report([...path, 'bearer'], 'either a bearer token or a username, not both');
		for (const key of ['keep', 'drop'] as const) if (entry[key] !== undefined) pattern(entry[key], [...path, key], report);
	});
}

type HttpSourceConfig = Omit<NonNullable<InterfaceInputs['push'][number]['http']>, 'fields'>;

function checkJourney(journey: InterfaceInputs['journeys'][number], path: Path, report: Report): void {
	checkTiming(journey, path, { defaultInterval: journey.interval, report });
	checkReach(journey, path, report);
	if (!isHttpUrl(journey.base))
		report([...path, 'base'], `"${journey.base}" is not an address; write for example https://portal.example.cn`);
	const known = new Set([...Object.keys(journey.variables), ...Object.keys(journey.secrets)]);
	for (const name of Object.keys(journey.variables))
		if (name in journey.secrets) report([...path, 'secrets', name], `"${name}" is a variable already`);
	const names = new Set<string>();
	if (journey.steps.every((step) => step.always))
		report([...path, 'steps'], 'every step always runs, so nothing is checked; leave "always" to logging out');
	journey.steps.forEach((step, n) => {
		const at = [...path, 'steps', n];
		if (names.has(step.name)) report([...at, 'name'], `"${step.name}" is already the name of a step`);
		names.add(step.name);
		checkExpect(step.expect, [...at, 'expect'], report);
		if (step.form !== undefined && step.body !== undefined) report([...at, 'body'], 'either a form or a body, not both');
		const texts = [step.url, step.body ?? '', ...Object.values(step.headers), ...Object.values(step.form ?? {})];
		for (const [, name = ''] of texts.flatMap((text) => [...text.matchAll(/\{\{\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}/g)]))
			if (!known.has(name)) report(at, `there is no variable "${name}"; an earlier step must extract it`);
		step.extract.forEach((rule, m) => {
			const here = [...at, 'extract', m];
			if (rule.json !== undefined && (rule.matches !== undefined || rule.header !== undefined))
				report([...here, 'json'], 'either a JSON path or a pattern, not both');
			if (rule.json === undefined && rule.matches === undefined && rule.header === undefined)
				report(here, 'one of matches, json and header says where the value stands');
			if (rule.json !== undefined) jsonPath(rule.json, [...here, 'json'], report);
			if (rule.matches !== undefined) pattern(rule.matches, [...here, 'matches'], report);
			known.add(rule.name);
		});
	});
}

function checkHttpSource(http: HttpSourceConfig, path: Path, report: Report): void {
	if (!isHttpUrl(http.url)) report([...path, 'url'], `"${http.url}" is not an address`);
	checkReach(http, path, report);
	checkExpect(http.expect, [...path, 'expect'], report);
	checkRequest(http.request, [...path, 'request'], report);
}

function checkTiming(
	entry: { readonly interval?: string; readonly timeout: string; readonly degraded_after?: string },
	path: Path,
	{ defaultInterval, report }: { readonly defaultInterval: string; readonly report: Report },
): void {
	for (const key of ['interval', 'timeout', 'degraded_after'] as const) {
		const text = entry[key];
		if (text !== undefined && (tryParseDuration(text) ?? 0) <= 0) report([...path, key], 'must be longer than zero');
	}
	const interval = entry.interval ?? defaultInterval;
	if ((tryParseDuration(entry.timeout) ?? 0) > (tryParseDuration(interval) ?? 0))
		report([...path, 'timeout'], `longer than the interval (${interval}); the next run would be skipped`);
}

function statement(text: string, path: Path, report: Report): void {
	const problem = readStatementProblem(text);
	if (problem !== null) report(path, problem);
}

function unique(
	seen: Map<string, string>,
	name: string,
	path: readonly [string, string, number],
	{ key, report }: { readonly key: string; readonly report: Report },
): void {
	const place = `${path[0]}.${path[1]}[${path[2]}]`;
	const first = seen.get(name);
	if (first === undefined) seen.set(name, place);
	else report([...path, key], `"${name}" is already the ${key} of ${first}`);
}
