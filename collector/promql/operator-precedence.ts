import type { AppError } from '../../core/errors.ts';
import type { AtModifier, BinaryOperator, Expr, Span, VectorMatching } from './ast.ts';
import { parseError } from './query-error.ts';

/**
 * Operators and operands in source order. The grammar's own tree reads `-1 ^ 2` as `(-1) ^ 2` and lets `a + b offset 5m`
 * shift the sum, so precedence is decided here, as Prometheus' grammar does.
 */
export type Token =
	| { readonly kind: 'operand'; readonly expr: Expr }
	| { readonly kind: 'prefix'; readonly op: '-' | '+'; readonly span: Span }
	| {
			readonly kind: 'infix';
			readonly op: BinaryOperator;
			readonly bool: boolean;
			readonly matching: VectorMatching | null;
			readonly span: Span;
	  }
	| { readonly kind: 'offset'; readonly offsetMs: number; readonly span: Span }
	| { readonly kind: 'at'; readonly at: AtModifier; readonly span: Span }
	| { readonly kind: 'range'; readonly rangeMs: number; readonly span: Span }
	| { readonly kind: 'subquery'; readonly rangeMs: number; readonly stepMs: number | null; readonly span: Span };

export const PRECEDENCE: Readonly<Record<BinaryOperator, number>> = {
	or: 1,
	and: 2,
	unless: 2,
	'==': 3,
	'!=': 3,
	'<': 3,
	'<=': 3,
	'>': 3,
	'>=': 3,
	'+': 4,
	'-': 4,
	'*': 5,
	'/': 5,
	'%': 5,
	atan2: 5,
	'^': 6,
};

/** A sign binds weaker than `^` and stronger than `*`. */
export const SIGN_PRECEDENCE = 6;

export function buildExpression(text: string, tokens: readonly Token[]): Expr {
	let next = 0;

	const operand = (): Expr => {
		const token = tokens[next];
		next += 1;
		if (token?.kind === 'prefix') return signed(token.op, expression(SIGN_PRECEDENCE), token.span.start);
		if (token?.kind !== 'operand') throw parseError(text, { start: text.length, end: text.length }, 'unexpected end of input');
		let expr = token.expr;
		for (;;) {
			const postfix = tokens[next];
			if (postfix === undefined || postfix.kind === 'infix' || postfix.kind === 'prefix' || postfix.kind === 'operand') return expr;
			next += 1;
			expr = applyPostfix(text, expr, postfix);
		}
	};

	const expression = (minimum: number): Expr => {
		let left = operand();
		for (;;) {
			const token = tokens[next];
			if (token?.kind !== 'infix' || PRECEDENCE[token.op] < minimum) return left;
			next += 1;
			const own = PRECEDENCE[token.op];
			const right = expression(token.op === '^' ? own : own + 1);
			left = {
				kind: 'binary',
				op: token.op,
				left,
				right,
				bool: token.bool,
				matching: token.matching,
				opSpan: token.span,
				span: { start: left.span.start, end: right.span.end },
			};
		}
	};

	return expression(0);
}

function signed(op: '-' | '+', operand: Expr, start: number): Expr {
	const span = { start, end: operand.span.end };
	if (operand.kind === 'number') return { kind: 'number', value: op === '-' ? -operand.value : operand.value, span };
	return { kind: 'unary', op, expr: operand, span };
}

function applyPostfix(text: string, expr: Expr, token: Exclude<Token, { kind: 'operand' | 'prefix' | 'infix' }>): Expr {
	const span = { start: expr.span.start, end: token.span.end };
	const fail = (message: string): AppError => parseError(text, expr.span, message);
	switch (token.kind) {
		case 'range':
			if (expr.kind !== 'selector') throw fail('ranges only allowed for vector selectors');
			if (expr.offsetMs !== 0) throw fail('no offset modifiers allowed before range');
			if (expr.at !== null) throw fail('no @ modifiers allowed before range');
			return { kind: 'matrix', selector: expr, rangeMs: token.rangeMs, span };
		case 'subquery':
			return { kind: 'subquery', expr, rangeMs: token.rangeMs, stepMs: token.stepMs, offsetMs: 0, at: null, span };
		case 'offset': {
			const target = expr.kind === 'matrix' ? expr.selector : expr;
			if (target.kind !== 'selector' && target.kind !== 'subquery') {
				throw fail('offset modifier must be preceded by an instant vector selector or range vector selector or a subquery');
			}
			if (target.offsetMs !== 0) throw fail('offset may not be set multiple times');
			if (expr.kind === 'matrix') return { ...expr, selector: { ...expr.selector, offsetMs: token.offsetMs }, span };
			return { ...target, offsetMs: token.offsetMs, span };
		}
		case 'at': {
			const target = expr.kind === 'matrix' ? expr.selector : expr;
			if (target.kind !== 'selector' && target.kind !== 'subquery') {
				throw fail('@ modifier must be preceded by an instant vector selector or range vector selector or a subquery');
			}
			if (target.at !== null) throw fail('@ <timestamp> may not be set multiple times');
			if (expr.kind === 'matrix') return { ...expr, selector: { ...expr.selector, at: token.at }, span };
			return { ...target, at: token.at, span };
		}
	}
}
