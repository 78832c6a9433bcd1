import { AppError } from '../core/errors.ts';

/** One subcommand of `fournines`. */
export interface Command {
	/** Teaches: what it does, examples that can be pasted, every option. */
	readonly help: string;
	/** Returns the exit code. */
	readonly run: (args: readonly string[]) => Promise<number>;
}

/** A mistake in the command line: the message, then how to get help; exit code 2. */
export function usageError(message: string): AppError {
	return new AppError('FN_CLI_USAGE', message, { status: 400 });
}
