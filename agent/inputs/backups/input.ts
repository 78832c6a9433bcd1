import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../core/clock.ts';
import { AppError, errorText, systemErrorCode } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { dueTime, expectedIntervalMs, type Schedule } from '../../../core/schedule.ts';
import { globPattern } from '../glob.ts';
import { FamilySet, type Input, singleGauge } from '../input.ts';
import { type ArchiveKind, archiveKindOf } from './archive-kind.ts';
import { type Verdict, verifyBackup } from './verify.ts';

export interface BackupInputOptions {
	/** `job` is `backup`; `backup` names it. */
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	readonly directory: string;
	readonly pattern: string;
	readonly schedule: Schedule;
	readonly graceMs: number;
	readonly earlyMs: number;
	readonly minBytes: number;
	readonly history: number;
	readonly settleMs: number;
	readonly checksum: 'auto' | 'required' | 'off';
	/** `null`: by the name. */
	readonly archive: ArchiveKind | null;
	readonly expectTail: string | null;
	readonly bytesPerSecond: number;
	readonly clock: Clock;
	readonly log: Logger;
}

interface BackupFile {
	readonly name: string;
	readonly path: string;
	readonly sizeBytes: number;
	readonly mtimeMs: number;
}

const UP_HELP = 'Whether the folder could be read.';
/** Files of one job that are looked at. A folder with more is not cleared up by anybody. */
const MOST_FILES = 2000;
/** Newest files that are read in search of a sound one. */
const MOST_VERIFIED = 3;
const SIDECAR = /\.(sha256|sha1|md5|asc|sig|part|tmp|filepart)$/i;

/**
 * The newest file of a backup job: its age, its size against the files before, its checksum, and whether it can be read to its end.
 * Reading happens beside the rounds, once per file and at a bounded pace.
 */
export function createBackupInput(options: BackupInputOptions): Input {
	const pattern = globPattern(options.pattern);
	const stopping = new AbortController();
	const verdicts = new Map<string, Verdict>();
	let running: Promise<void> | null = null;
	/** The newest that was found sound since the start, kept when its file is cleared away. */
	let lastGoodMs: number | null = null;

	const verify = (file: BackupFile): void => {
		if (running !== null || verdicts.has(identity(file))) return;
		running = verifyBackup(
			{
				file: file.path,
				kind: options.archive ?? archiveKindOf(file.name),
				checksum: options.checksum,
				expectTail: options.expectTail,
				bytesPerSecond: options.bytesPerSecond,
				clock: options.clock,
			},
			stopping.signal,
		)
			.then((verdict) => {
				verdicts.set(identity(file), verdict);
				if (verdict.problem !== '') options.log.warn({ file: file.path, problem: verdict.problem }, 'a backup is not sound');
			})
			.catch((error: unknown) => {
				if (!stopping.signal.aborted) options.log.warn({ file: file.path, error: errorText(error) }, 'a backup cannot be verified');
			})
			.finally(() => {
				running = null;
			});
	};

	return {
		name: 'backups',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs,
		onFailure: [singleGauge('backup_up', UP_HELP, 0)],
		async collect(signal, nowMs) {
			const files = await listFiles(options.directory, pattern, signal);
			const families = new FamilySet();
			families.gauge('backup_up', UP_HELP, 1);
			families.gauge('backup_file_count', 'Files of the job.', files.length);
			const known = new Set(files.map(identity));
			for (const key of verdicts.keys()) if (!known.has(key)) verdicts.delete(key);
			// What is being written now would look like a small and broken backup.
			const settled = files.filter((file) => nowMs - file.mtimeMs >= options.settleMs);
			families.gauge('backup_file_in_progress', 'Files that were written to a moment ago.', files.length - settled.length);
			const newest = settled[0];
			if (newest !== undefined) {
				families.gauge('backup_file_mtime_seconds', 'When the newest file was last written to.', newest.mtimeMs / 1000);
				families.gauge('backup_file_size_bytes', 'Size of the newest file.', newest.sizeBytes);
				const median = medianOf(settled.slice(1, 1 + options.history).map((file) => file.sizeBytes));
				if (median !== null) families.gauge('backup_file_size_median_bytes', 'Median size of the files before the newest.', median);
				const verdict = verdicts.get(identity(newest));
				families.gauge('backup_file_verified', 'Whether the newest file has been read and judged.', verdict === undefined ? 0 : 1);
				if (verdict !== undefined) {
					families.gauge('backup_file_readable', 'Whether the newest file is a whole archive.', verdict.readable ? 1 : 0);
					if (verdict.checksumOk !== null)
						families.gauge(
							'backup_file_checksum_ok',
							'Whether the newest file has the checksum that lies beside it.',
							verdict.checksumOk ? 1 : 0,
						);
				}
			}
			let verifying = false;
			// A broken newest one does not make the one before it worse: they are looked at in turn until a sound one is found.
			for (const file of settled.slice(0, MOST_VERIFIED)) {
				const verdict = verdicts.get(identity(file));
				if (verdict === undefined) {
					verifying = true;
					verify(file);
					break;
				}
				if (!verdict.readable || verdict.checksumOk === false || file.sizeBytes < options.minBytes) continue;
				lastGoodMs = Math.max(lastGoodMs ?? 0, file.mtimeMs);
				break;
			}
			if (lastGoodMs !== null || !verifying) {
				families.gauge(
					'backup_last_success_timestamp_seconds',
					'Time of the newest file that was found sound; 0 when there is none.',
					lastGoodMs === null ? 0 : lastGoodMs / 1000,
				);
				const due = dueTime(options.schedule, lastGoodMs, { nowMs, graceMs: options.graceMs, earlyMs: options.earlyMs });
				if (due !== null) families.gauge('backup_due_timestamp_seconds', 'When the next backup is late, its grace included.', due / 1000);
			}
			const interval = expectedIntervalMs(options.schedule, nowMs);
			if (interval !== null)
				families.gauge('backup_expected_interval_seconds', 'How long lies between two expected backups at this time.', interval / 1000);
			return families.list();
		},
		async close() {
			stopping.abort();
			await running;
		},
	};
}

function identity(file: BackupFile): string {
	return `${file.path}\u0000${file.sizeBytes}\u0000${file.mtimeMs}`;
}

/** Newest first. */
async function listFiles(directory: string, pattern: RegExp, signal: AbortSignal): Promise<readonly BackupFile[]> {
	let names: readonly string[];
	try {
		names = (await readdir(directory)).filter((name) => pattern.test(name) && !SIDECAR.test(name));
	} catch (error) {
		throw new AppError(
			'FN_AGENT_FILE_UNREADABLE',
			`${directory} cannot be read (${systemErrorCode(error)}); let the agent's user read it`,
			{
				cause: error,
			},
		);
	}
	const files: BackupFile[] = [];
	for (const name of [...names].sort().slice(-MOST_FILES)) {
		if (signal.aborted) throw new AppError('FN_AGENT_INPUT_TIMEOUT', `${directory} was not looked through in time`, { retryable: true });
		const path = join(directory, name);
		try {
			const found = await stat(path);
			if (found.isFile()) files.push({ name, path, sizeBytes: found.size, mtimeMs: found.mtimeMs });
		} catch (error) {
			// Cleared away while we looked.
			if (systemErrorCode(error) !== 'ENOENT') throw error;
		}
	}
	return files.sort((a, b) => b.mtimeMs - a.mtimeMs);
}

export function medianOf(numbers: readonly number[]): number | null {
	if (numbers.length === 0) return null;
	const sorted = [...numbers].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
