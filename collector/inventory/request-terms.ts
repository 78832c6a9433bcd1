import { AppError } from '../../core/errors.ts';
import { type Expr, unwrapParens } from '../promql/ast.ts';
import { createMatcher } from '../promql/matcher.ts';
import { parseQuery } from '../promql/parser.ts';
import type { Matcher } from '../storage/storage.ts';
import type { RequestsConfig } from './requests-config.ts';

/** Counters that are added or taken away. */
export interface RequestTerm {
	readonly sign: 1 | -1;
	readonly matchers: readonly Matcher[];
}

/** As PromQL; `alive` is 1 while the source of the counters is read, `null` where the counters themselves must say so. */
export interface RequestExpressions {
	readonly good: string;
	readonly total: string;
	readonly alive: string | null;
}

/** What the simple forms stand for. */
export function requestExpressions(requests: RequestsConfig): RequestExpressions {
	if ('access_log' in requests) {
		const { kind, hosts, instances, servers, routes, methods, bad } = requests.access_log;
		const place = [`job="${kind}"`, ...oneOf('host', hosts), ...oneOf('instance', instances)];
		const total = [...place, ...oneOf('server', servers), ...oneOf('route', routes), ...oneOf('method', methods)];
		const metric = `${kind}_http_response_count_total`;
		return {
			good: `${metric}{${[...total, `status!~"${bad.map((status) => status.replace('xx', '..')).join('|')}"`].join(', ')}}`,
			total: `${metric}{${total.join(', ')}}`,
			alive: `fournines_access_log_up{${place.join(', ')}}`,
		};
	}
	if ('tomcat' in requests) {
		const { hosts, instances, connectors } = requests.tomcat;
		const place = ['job="tomcat"', ...oneOf('host', hosts), ...oneOf('instance', instances), ...oneOf('worker', connectors)].join(', ');
		const total = `tomcat_global_request_total{${place}}`;
		return { good: `${total} - tomcat_global_error_total{${place}}`, total, alive: null };
	}
	if ('interface' in requests) {
		const place = `interface=${quoted(requests.interface.id)}`;
		const total = `interface_records_sent_total{${place}}`;
		return { good: `${total} - interface_records_rejected_total{${place}}`, total, alive: null };
	}
	return { ...requests, alive: null };
}

function oneOf(label: string, values: readonly string[] | undefined): readonly string[] {
	if (values === undefined) return [];
	return [`${label}=~${quoted(values.map((value) => value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'))}`];
}

function quoted(text: string): string {
	return `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`;
}

/**
 * The counters of an expression. Only sums and differences of selectors: everything else (`increase`, `rate`) guesses what lay between
 * samples, and a guess is no count. Throws `FN_REQUESTS_EXPRESSION`, and `FN_QUERY_PARSE` for what is not PromQL.
 */
export function requestTerms(expression: string): readonly RequestTerm[] {
	return termsOf(parseQuery(expression), 1, expression);
}

function termsOf(node: Expr, sign: 1 | -1, text: string): readonly RequestTerm[] {
	const expr = unwrapParens(node);
	if (expr.kind === 'selector' && expr.offsetMs === 0 && expr.at === null)
		return [{ sign, matchers: expr.matchers.map(({ kind, name, value }) => createMatcher(kind, name, value)) }];
	if (expr.kind === 'aggregation' && expr.op === 'sum') return termsOf(expr.expr, sign, text);
	if (expr.kind === 'binary' && (expr.op === '+' || expr.op === '-'))
		return [...termsOf(expr.left, sign, text), ...termsOf(expr.right, expr.op === '-' ? (-sign as 1 | -1) : sign, text)];
	throw new AppError(
		'FN_REQUESTS_EXPRESSION',
		`"${text.slice(expr.span.start, expr.span.end).slice(0, 100)}" cannot be counted; write counters as selectors, joined by + or -, for example http_requests_total{code!~"5.."}, without increase() or a range`,
		{ status: 400 },
	);
}
