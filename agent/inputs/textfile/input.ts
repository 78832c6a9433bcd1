import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, errorText, systemErrorCode } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { readExposition } from '../exposition-families.ts';
import type { Input, Measurement, MetricFamily } from '../input.ts';
import { singleGauge } from '../input.ts';

export interface TextfileInputOptions {
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	readonly directory: string;
	readonly maxBytes: number;
	readonly maxFiles: number;
	readonly log: Logger;
}

const ERROR_HELP = '1 if there was an error opening or reading a file, 0 otherwise';
const MOST_SAMPLES = 100_000;

/**
 * Files that other programs leave, with the rules of node_exporter's textfile collector: `*.prom` in one folder, a malformed
 * file is left out and reported, a line with a time of its own is malformed, and each file's age is a metric.
 */
export function createTextfileInput(options: TextfileInputOptions): Input {
	const { directory, log } = options;
	const said = new Map<string, string>();
	return {
		name: 'textfile',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs,
		onFailure: [singleGauge('node_textfile_scrape_error', ERROR_HELP, 1)],
		async collect(signal) {
			const names = (await list(directory)).filter((name) => name.endsWith('.prom')).sort();
			const families = new Map<string, { family: MetricFamily; measurements: Measurement[] }>();
			const ages: Measurement[] = [];
			let failed = names.length > options.maxFiles;
			if (failed) report(log, said, directory, `there are more than ${options.maxFiles} files`);
			for (const name of names.slice(0, options.maxFiles)) {
				if (signal.aborted)
					throw new AppError('FN_AGENT_INPUT_TIMEOUT', `the files of ${directory} were not read in time`, { retryable: true });
				const file = join(directory, name);
				try {
					const { mtimeMs, read } = await readOne(file, options.maxBytes);
					for (const family of read) {
						const known = families.get(family.name);
						if (known === undefined) families.set(family.name, { family, measurements: [...family.measurements] });
						else known.measurements.push(...family.measurements);
					}
					ages.push({ labels: ['file', file], value: mtimeMs / 1000 });
					said.delete(file);
				} catch (error) {
					failed = true;
					report(log, said, file, errorText(error));
				}
			}
			return [
				...[...families.values()].map(({ family, measurements }) => ({ ...family, measurements })),
				{
					name: 'node_textfile_mtime_seconds',
					type: 'gauge',
					help: 'Unixtime mtime of textfiles successfully read.',
					measurements: ages,
				},
				singleGauge('node_textfile_scrape_error', ERROR_HELP, failed ? 1 : 0),
			];
		},
		async close() {},
	};
}

async function list(directory: string): Promise<readonly string[]> {
	try {
		return await readdir(directory);
	} catch (error) {
		throw new AppError('FN_AGENT_FILE_UNREADABLE', `the folder ${directory} cannot be read (${systemErrorCode(error)})`, { cause: error });
	}
}

async function readOne(file: string, maxBytes: number): Promise<{ readonly mtimeMs: number; readonly read: readonly MetricFamily[] }> {
	const handle = await open(file, 'r');
	try {
		const { size, mtimeMs } = await handle.stat();
		if (size > maxBytes) throw new AppError('FN_AGENT_FILE_UNREADABLE', `${file} has ${size} bytes, more than ${maxBytes}`);
		const bytes = Buffer.alloc(size);
		const { bytesRead } = await handle.read(bytes, 0, size, 0);
		const { families } = readExposition(bytes.subarray(0, bytesRead), { format: 'text', maxSamples: MOST_SAMPLES, refuseTimes: true });
		return { mtimeMs, read: families };
	} finally {
		await handle.close();
	}
}

/** Once per file and mistake: the metric says it every round. */
function report(log: Logger, said: Map<string, string>, file: string, error: string): void {
	if (said.get(file) === error) return;
	said.set(file, error);
	log.warn({ file, error }, 'a text file with metrics cannot be read');
}
