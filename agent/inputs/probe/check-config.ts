import { tryParseDuration } from '../../../core/duration.ts';
import { regexProblem } from '../bounded-regex.ts';
import { RCODES } from '../dns/message.ts';
import { parseJsonPath } from '../json-path.ts';
import { readStatementProblem } from '../sql/session.ts';
import type { ProbeConfig } from './config.ts';

type Path = readonly (string | number)[];
export type Report = (path: Path, message: string) => void;

const HOST_PORT = /^(\[[0-9a-fA-F:.]+\]|[^\s:/]+):[0-9]{1,5}$/;

/** What the schema cannot say of a probe. */
export function checkProbe(probe: ProbeConfig, path: Path, options: { readonly defaultInterval: string; readonly report: Report }): void {
	const { report } = options;
	const interval = probe.interval ?? options.defaultInterval;
	for (const key of ['interval', 'timeout', 'degraded_after'] as const) {
		const text = probe[key];
		if (text !== undefined && (tryParseDuration(text) ?? 0) <= 0) report([...path, key], 'must be longer than zero');
	}
	if ((tryParseDuration(probe.timeout) ?? 0) > (tryParseDuration(interval) ?? 0))
		report([...path, 'timeout'], `longer than the interval (${interval}); the next run would be skipped`);
	checkReach(probe, path, report);
	if (probe.kind === 'http') {
		if (!isHttpUrl(probe.target)) report([...path, 'target'], 'a http probe needs an address such as http://127.0.0.1:8080/health');
		checkExpect(probe.expect, [...path, 'expect'], report);
		checkRequest(probe.http, [...path, 'http'], report);
	} else {
		const { status, text, not_text, matches, not_matches, json, headers } = probe.expect;
		const asked = status ?? text ?? not_text;
		if (asked !== undefined || matches.length + not_matches.length + json.length + Object.keys(headers).length > 0)
			report([...path, 'expect'], `a ${probe.kind} probe has no status and no text; leave "expect" out`);
	}
	if ((probe.kind === 'tcp' || probe.kind === 'tls') && !HOST_PORT.test(probe.target) && !probe.target.startsWith('/'))
		report([...path, 'target'], `a ${probe.kind} probe needs host:port`);
	if (probe.kind === 'tls' && probe.target.startsWith('/')) report([...path, 'target'], 'a tls probe needs host:port');
	if (probe.dialogue.length > 0 && probe.kind !== 'tcp' && probe.kind !== 'tls')
		report([...path, 'dialogue'], `a ${probe.kind} probe has no dialogue`);
	probe.dialogue.forEach((step, i) => {
		if (step.expect !== undefined) pattern(step.expect, [...path, 'dialogue', i, 'expect'], report);
		if (step.starttls === true && probe.kind === 'tls')
			report([...path, 'dialogue', i, 'starttls'], 'TLS runs already; use kind: tcp for STARTTLS');
	});
	if (probe.kind === 'dns') {
		if (probe.dns === undefined) report(path, 'a dns probe needs "dns" with the name that is asked for');
		probe.dns?.rcodes.forEach((rcode, i) => {
			if (!RCODES.some((known) => known === rcode))
				report([...path, 'dns', 'rcodes', i], `"${rcode}" is not known; write one of ${RCODES.join(', ')}`);
		});
	} else if (probe.dns !== undefined) report([...path, 'dns'], `a ${probe.kind} probe asks for no name; leave "dns" out`);
	if (probe.kind === 'icmp' && !probe.icmp.allow_child_process) {
		report(
			[...path, 'icmp', 'allow_child_process'],
			'there are no raw sockets, so an icmp probe starts the ping command each time; allow it with true, or use a tcp probe of an open port',
		);
	}
	if (probe.kind === 'sql') {
		if (probe.sql === undefined) report(path, 'a sql probe needs "sql" with an account');
		const problem = probe.sql === undefined ? null : readStatementProblem(probe.sql.query);
		if (problem !== null) report([...path, 'sql', 'query'], problem);
	} else if (probe.sql !== undefined) report([...path, 'sql'], `a ${probe.kind} probe has no statement; leave "sql" out`);
}

export function checkReach(entry: Pick<ProbeConfig, 'cert_file' | 'key_file' | 'resolver'>, path: Path, report: Report): void {
	if ((entry.cert_file === undefined) !== (entry.key_file === undefined))
		report([...path, entry.cert_file === undefined ? 'key_file' : 'cert_file'], 'a client certificate needs both cert_file and key_file');
	if (entry.resolver !== undefined && !/^([0-9.]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?$|^[0-9a-fA-F:]+$/.test(entry.resolver))
		report([...path, 'resolver'], `"${entry.resolver}" is not an address; write 10.0.0.2 or 10.0.0.2:53`);
}

export function checkExpect(expect: ProbeConfig['expect'], path: Path, report: Report): void {
	expect.matches.forEach((source, i) => {
		pattern(source, [...path, 'matches', i], report);
	});
	expect.not_matches.forEach((source, i) => {
		pattern(source, [...path, 'not_matches', i], report);
	});
	if (expect.final_url !== undefined) pattern(expect.final_url, [...path, 'final_url'], report);
	for (const [name, source] of Object.entries(expect.headers)) pattern(source, [...path, 'headers', name], report);
	expect.json.forEach((condition, i) => {
		const at = [...path, 'json', i];
		jsonPath(condition.path, [...at, 'path'], report);
		if (condition.matches !== undefined) pattern(condition.matches, [...at, 'matches'], report);
		if (condition.min !== undefined && condition.max !== undefined && condition.min > condition.max)
			report([...at, 'min'], 'greater than "max"');
	});
	if (expect.min_bytes !== undefined && expect.max_bytes !== undefined && expect.min_bytes > expect.max_bytes)
		report([...path, 'min_bytes'], 'greater than "max_bytes"');
}

export function checkRequest(http: ProbeConfig['http'], path: Path, report: Report): void {
	if (http.bearer !== undefined && http.username !== undefined)
		report([...path, 'bearer'], 'either a bearer token or a username, not both');
	if (http.password !== undefined && http.username === undefined) report([...path, 'password'], 'a password without a username');
	if (http.body !== undefined && (http.method === 'GET' || http.method === 'HEAD'))
		report([...path, 'body'], `a ${http.method} request has no body; set "method"`);
	if (http.proxy !== undefined && !isHttpUrl(http.proxy)) report([...path, 'proxy'], 'a proxy is an address such as http://10.0.0.8:3128');
}

export function jsonPath(text: string, path: Path, report: Report): void {
	if (parseJsonPath(text) === null) report(path, `"${text}" is not a JSON path; write for example $.data.items[0].state`);
}

export function pattern(source: string, path: Path, report: Report): void {
	const problem = regexProblem(source);
	if (problem !== null) report(path, problem);
}

export function isHttpUrl(text: string): boolean {
	try {
		const { protocol } = new URL(text);
		return protocol === 'http:' || protocol === 'https:';
	} catch {
		return false;
	}
}
