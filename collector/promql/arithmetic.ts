import type { BinaryOperator } from './ast.ts';

/** Go's `math.Pow`: 1 to any power is 1, also NaN; −1 to an infinite power is 1. */
function power(base: number, exponent: number): number {
	if (base === 1) return 1;
	if (base === -1 && (exponent === Number.POSITIVE_INFINITY || exponent === Number.NEGATIVE_INFINITY)) return 1;
	return base ** exponent;
}

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2';
export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';

export const ARITHMETIC: Readonly<Record<ArithmeticOperator, (a: number, b: number) => number>> = {
	'+': (a, b) => a + b,
	'-': (a, b) => a - b,
	'*': (a, b) => a * b,
	'/': (a, b) => a / b,
	'%': (a, b) => a % b,
	'^': power,
	atan2: Math.atan2,
};

/** `operator` on all cells. The four that boards use have loops of their own: a call of a function costs more than an addition. */
export function applyArithmetic(operator: ArithmeticOperator, left: Float64Array, right: Float64Array, target: Float64Array): void {
	const count = target.length;
	switch (operator) {
		case '+':
			for (let i = 0; i < count; i++) target[i] = (left[i] as number) + (right[i] as number);
			return;
		case '-':
			for (let i = 0; i < count; i++) target[i] = (left[i] as number) - (right[i] as number);
			return;
		case '*':
			for (let i = 0; i < count; i++) target[i] = (left[i] as number) * (right[i] as number);
			return;
		case '/':
			for (let i = 0; i < count; i++) target[i] = (left[i] as number) / (right[i] as number);
			return;
		default: {
			const apply = ARITHMETIC[operator];
			for (let i = 0; i < count; i++) target[i] = apply(left[i] as number, right[i] as number);
		}
	}
}

export const COMPARE: Readonly<Record<ComparisonOperator, (a: number, b: number) => boolean>> = {
	'==': (a, b) => a === b,
	'!=': (a, b) => a !== b,
	'<': (a, b) => a < b,
	'<=': (a, b) => a <= b,
	'>': (a, b) => a > b,
	'>=': (a, b) => a >= b,
};

export function isArithmetic(op: BinaryOperator): op is ArithmeticOperator {
	return Object.hasOwn(ARITHMETIC, op);
}

export function isComparison(op: BinaryOperator): op is ComparisonOperator {
	return Object.hasOwn(COMPARE, op);
}
