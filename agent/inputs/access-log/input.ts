import { systemErrorCode } from '../../../core/errors.ts';
import { TailFile } from '../../tails/tail-file.ts';
import { FamilySet, type Input, singleGauge } from '../input.ts';
import { compileLogFormat, lineParser } from './log-format.ts';
import { RequestCounts, type Route } from './request-counts.ts';

export interface AccessLogInputOptions {
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	readonly path: string;
	readonly kind: 'nginx' | 'tomcat';
	readonly format: string;
	readonly durationUnit: 'ms' | 'us';
	readonly server: string;
	readonly routes: readonly Route[];
}

const LINES_PER_READ = 5000;
/** Lines of one round; the rest is read in the next. At 10 s this is 20,000 requests a second. */
const LINES_PER_ROUND = 200_000;

/**
 * Counts the requests of an access log. Begins at the end of the file: what was written while the agent did not run is
 * not counted, because it would be counted at the wrong time. Follows rotation by rename and by copying.
 */
export function createAccessLogInput(options: AccessLogInputOptions): Input {
	const parse = lineParser(compileLogFormat(options.format, options.durationUnit));
	const counts = new RequestCounts({ prefix: options.kind, routes: options.routes, server: options.server });
	let lost = 0;
	const tail = new TailFile({
		path: options.path,
		position: null,
		begin: 'end',
		startsEvent: null,
		onLost: () => {
			lost++;
		},
	});
	let reading: Promise<void> = Promise.resolve();
	return {
		name: 'access_log',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs,
		onFailure: [singleGauge('fournines_access_log_up', 'Whether the access log can be read.', 0)],
		async collect(signal) {
			const read = async () => {
				for (let lines = 0; lines < LINES_PER_ROUND && !signal.aborted; ) {
					const events = await tail.read(LINES_PER_READ);
					if (events.length === 0) break;
					lines += events.length;
					for (const event of events) counts.add(parse(event.bytes.toString('utf8')));
				}
			};
			let up = 1;
			reading = read();
			try {
				await reading;
			} catch (error) {
				// Not there yet, or not ours to read: the counts go on where they were.
				if (!['ENOENT', 'EACCES', 'EPERM', 'ENOTDIR'].includes(systemErrorCode(error))) throw error;
				up = 0;
			}
			const families = new FamilySet();
			counts.families(families);
			families.gauge('fournines_access_log_up', 'Whether the access log can be read.', tail.isOpen ? up : 0);
			families.gauge('fournines_access_log_behind_bytes', 'Bytes of the log that were not read yet.', tail.behindBytes);
			families.counter(
				'fournines_access_log_gaps_total',
				'Times that lines may have been lost, because the file was cut or replaced before its end was read.',
				lost,
			);
			return families.list();
		},
		async close() {
			await reading.catch(() => undefined);
			await tail.close();
		},
	};
}
