import { formatDuration } from '../../core/duration.ts';
import type { AtModifier, Binary, Expr, MatcherSpec, VectorSelector } from './ast.ts';
import { formatFixed } from './go-float.ts';
import { formatSeconds } from './result-json.ts';

/** The expression on one line in Prometheus' canonical spelling. Parsing the text gives an equal tree. */
export function printExpression(expr: Expr): string {
	switch (expr.kind) {
		case 'number':
			return formatFixed(expr.value);
		case 'string':
			return quote(expr.value);
		case 'selector':
			return printSelector(expr) + printModifiers(expr.offsetMs, expr.at);
		case 'matrix':
			return `${printSelector(expr.selector)}[${formatDuration(expr.rangeMs)}]${printModifiers(expr.selector.offsetMs, expr.selector.at)}`;
		case 'subquery':
			return `${printExpression(expr.expr)}[${formatDuration(expr.rangeMs)}:${expr.stepMs === null ? '' : formatDuration(expr.stepMs)}]${printModifiers(expr.offsetMs, expr.at)}`;
		case 'call':
			return `${expr.name}(${expr.args.map(printExpression).join(', ')})`;
		case 'aggregation': {
			const grouping = expr.without
				? ` without (${labels(expr.grouping)}) `
				: expr.grouping.length > 0
					? ` by (${labels(expr.grouping)}) `
					: '';
			const param = expr.param === null ? '' : `${printExpression(expr.param)}, `;
			return `${expr.op}${grouping}(${param}${printExpression(expr.expr)})`;
		}
		case 'binary':
			return `${printExpression(expr.left)} ${expr.op}${printMatching(expr)} ${printExpression(expr.right)}`;
		case 'unary':
			return `${expr.op}${printExpression(expr.expr)}`;
		case 'paren':
			return `(${printExpression(expr.expr)})`;
	}
}

function quote(text: string): string {
	return JSON.stringify(text);
}

const LEGACY_LABEL = /^[A-Za-z_][A-Za-z0-9_]*$/;
const LEGACY_METRIC = /^[A-Za-z_:][A-Za-z0-9_:]*$/;

function labels(names: readonly string[]): string {
	return names.map((name) => (LEGACY_LABEL.test(name) ? name : quote(name))).join(', ');
}

function printSelector(selector: VectorSelector): string {
	const bare = selector.name !== '' && LEGACY_METRIC.test(selector.name);
	const inner: string[] = [];
	if (selector.name !== '' && !bare) inner.push(quote(selector.name));
	let nameSeen = selector.name === '';
	for (const matcher of selector.matchers) {
		if (!nameSeen && isName(matcher, selector.name)) {
			nameSeen = true;
			continue;
		}
		inner.push(`${labels([matcher.name])}${matcher.kind}${quote(matcher.value)}`);
	}
	if (bare) return inner.length === 0 ? selector.name : `${selector.name}{${inner.join(',')}}`;
	return `{${inner.join(',')}}`;
}

function isName(matcher: MatcherSpec, name: string): boolean {
	return matcher.name === '__name__' && matcher.kind === '=' && matcher.value === name;
}

function printModifiers(offsetMs: number, at: AtModifier | null): string {
	let text = '';
	if (at !== null) text += at.kind === 'time' ? ` @ ${formatSeconds(at.timeMs)}` : ` @ ${at.kind}()`;
	if (offsetMs !== 0) text += ` offset ${offsetMs < 0 ? '-' : ''}${formatDuration(Math.abs(offsetMs))}`;
	return text;
}

function printMatching(expr: Binary): string {
	let text = expr.bool ? ' bool' : '';
	const { matching } = expr;
	if (matching === null) return text;
	text += ` ${matching.on ? 'on' : 'ignoring'} (${labels(matching.labels)})`;
	if (matching.card === 'many-to-one') text += ` group_left (${labels(matching.include)})`;
	if (matching.card === 'one-to-many') text += ` group_right (${labels(matching.include)})`;
	return text;
}
