import type { Clock } from '../../../core/clock.ts';
import { AppError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { readExposition } from '../exposition-families.ts';
import { type Input, singleGauge } from '../input.ts';
import { nagiosFamilies } from './nagios.ts';
import { type CommandOptions, runBounded } from './run-command.ts';

export interface ExecInputOptions extends CommandOptions {
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly format: 'prometheus' | 'nagios';
	readonly clock: Clock;
	readonly log: Logger;
}

const UP_HELP = 'Whether the program ran to its end and printed what it should.';
const MOST_SAMPLES = 10_000;
/** The scheduler's deadline lies behind the program's, so that the message says what was killed. */
const GRACE_MS = 1000;

/** What a program of the operator's prints. Nothing runs unless it is configured. */
export function createExecInput(options: ExecInputOptions): Input {
	const reserved = new Set(Object.keys(options.target));
	return {
		name: 'exec',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs + GRACE_MS,
		onFailure: [singleGauge('exec_up', UP_HELP, 0)],
		async collect(signal) {
			const started = options.clock.monotonic();
			const result = await runBounded(options, signal);
			const about = [
				singleGauge('exec_up', UP_HELP, 1),
				singleGauge('exec_exit_code', 'Exit code of the program; -1 when a signal ended it.', result.exitCode ?? -1),
				singleGauge('exec_duration_seconds', 'How long the program ran.', (options.clock.monotonic() - started) / 1000),
			];
			if (result.complaint !== '') options.log.debug({ program: options.command[0], text: result.complaint }, 'a program complained');
			if (options.format === 'nagios') return [...nagiosFamilies(result.exitCode, result.output.toString('utf8')), ...about];
			if (result.exitCode !== 0)
				throw new AppError('FN_AGENT_EXEC_FAILED', `${options.command[0]} ended with ${result.exitCode ?? 'a signal'}`, {
					retryable: true,
				});
			const { families } = readExposition(result.output, { format: 'text', maxSamples: MOST_SAMPLES, reserved });
			return [...families, ...about];
		},
		async close() {},
	};
}
