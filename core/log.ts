import pino from 'pino';

/** What the product's parts log with: structured fields first, then a sentence. */
export interface Logger {
	debug(fields: object, message: string): void;
	info(fields: object, message: string): void;
	warn(fields: object, message: string): void;
	error(fields: object, message: string): void;
	child(fields: object): Logger;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * JSON lines on standard error by default. Keys that usually carry a secret are masked wherever they appear up to two
 * levels deep; the real protection is that secrets are `Secret` objects, which print as `[redacted]`.
 */
export function createLogger(component: string, options: { readonly level?: LogLevel; readonly fd?: number } = {}): Logger {
	return pino(
		{
			name: component,
			level: options.level ?? 'info',
			base: { component },
			timestamp: pino.stdTimeFunctions.isoTime,
			formatters: { level: (label) => ({ level: label }) },
			redact: {
				paths: [
					'password',
					'token',
					'secret',
					'authorization',
					'cookie',
					'*.password',
					'*.token',
					'*.secret',
					'*.authorization',
					'*.cookie',
				],
				censor: '[redacted]',
			},
		},
		pino.destination({ dest: options.fd ?? 2, sync: true }),
	);
}

/** For tests and one-shot commands. */
export const silentLogger: Logger = {
	debug: () => {},
	info: () => {},
	warn: () => {},
	error: () => {},
	child: () => silentLogger,
};
