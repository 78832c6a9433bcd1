import { type Static, Type } from 'typebox';
import { errorText } from '../../../core/errors.ts';
import { entryProperties } from '../entry-schema.ts';
import { compileLogFormat } from './log-format.ts';

export const AccessLogConfigSchema = Type.Object(
	{
		path: Type.String({ minLength: 1 }),
		/** Label `job`, and beginning of the metrics' names. */
		kind: Type.Union([Type.Literal('nginx'), Type.Literal('tomcat')], { default: 'nginx' }),
		/** `combined`, `tomcat-common`, `tomcat-combined`, or the text of the server's own `log_format` or `pattern`. */
		format: Type.Optional(Type.String({ minLength: 1 })),
		/** Unit of `%D`: milliseconds up to Tomcat 9, microseconds from Tomcat 10 on. */
		duration_unit: Type.Union([Type.Literal('ms'), Type.Literal('us')], { default: 'ms' }),
		/** Label `server` of lines that do not name one. */
		server: Type.String({ default: '' }),
		/** Groups of addresses that are told apart; the first whose pattern fits the path is taken, everything else is `other`. */
		routes: Type.Array(
			Type.Object({ name: Type.String({ minLength: 1 }), path: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
			{ default: [], maxItems: 50 },
		),
		...entryProperties(),
	},
	{ additionalProperties: false },
);
export type AccessLogConfig = Static<typeof AccessLogConfigSchema>;

export function formatOf(config: Pick<AccessLogConfig, 'kind' | 'format'>): string {
	return config.format ?? (config.kind === 'tomcat' ? 'tomcat-common' : 'combined');
}

/** What the schema cannot say. */
export function checkAccessLogs(
	entries: readonly AccessLogConfig[],
	report: (path: readonly (string | number)[], message: string) => void,
): void {
	const paths = new Map<string, number>();
	entries.forEach((entry, i) => {
		const path = ['inputs', 'access_logs', i] as const;
		try {
			compileLogFormat(formatOf(entry));
		} catch (error) {
			report([...path, 'format'], errorText(error));
		}
		entry.routes.forEach((route, k) => {
			try {
				new RegExp(route.path);
			} catch {
				report([...path, 'routes', k, 'path'], `"${route.path}" is not a regular expression`);
			}
		});
		const first = paths.get(entry.path);
		if (first === undefined) paths.set(entry.path, i);
		else report([...path, 'path'], `inputs.access_logs[${first}] counts this file already`);
	});
}
