import { AppError } from '../errors.ts';

/** A mistake in the template's text. */
export function templateParseError(name: string, line: number, message: string): AppError {
	return new AppError('FN_TEMPLATE_PARSE', `template: ${name}:${line}: ${message}`, { status: 400 });
}

/** A template that cannot be carried out on the given data. */
export function templateExecuteError(name: string, line: number, message: string): AppError {
	return new AppError('FN_TEMPLATE_EXECUTE', `template: ${name}:${line}: ${message}`, { status: 422 });
}
