import { AppError } from '../../core/errors.ts';
import type { Span } from './ast.ts';

/** `line:column`, both from 1, as Prometheus prints positions; columns count UTF-16 units. */
export function positionText(text: string, offset: number): string {
	const before = text.slice(0, offset);
	const line = before.split('\n').length;
	return `${line}:${offset - before.lastIndexOf('\n')}`;
}

/** A mistake in the query text. */
export function parseError(text: string, span: Span, message: string): AppError {
	return new AppError('FN_QUERY_PARSE', `${positionText(text, span.start)}: parse error: ${message}`, { status: 400 });
}

/** The query is well formed but cannot be evaluated on these data. */
export function executionError(message: string): AppError {
	return new AppError('FN_QUERY_EXECUTION', message, { status: 422 });
}
