import { type ChildProcess, spawn } from 'node:child_process';
import { AppError, systemErrorCode } from '../../../core/errors.ts';

export interface CommandOptions {
	readonly command: readonly string[];
	readonly timeoutMs: number;
	readonly maxOutputBytes: number;
	readonly workingDirectory: string | null;
	readonly environment: Readonly<Record<string, string>>;
}

export interface CommandResult {
	/** `null` when a signal ended it. */
	readonly exitCode: number | null;
	readonly output: Buffer;
	/** The first bytes of standard error, for the log. */
	readonly complaint: string;
}

const COMPLAINT_BYTES = 1024;

/**
 * Runs a program in a process group of its own, so that whatever it starts ends with it: at the deadline, at the output cap and when
 * `signal` aborts the whole group is killed. Throws `FN_AGENT_EXEC_FAILED`.
 */
export function runBounded(options: CommandOptions, signal: AbortSignal): Promise<CommandResult> {
	const [program = '', ...args] = options.command;
	return new Promise((resolve, reject) => {
		const fail = (message: string, cause?: unknown) =>
			reject(new AppError('FN_AGENT_EXEC_FAILED', `${program} ${message}`, { retryable: true, ...(cause === undefined ? {} : { cause }) }));
		if (signal.aborted) {
			fail('was not started: there is no time left');
			return;
		}
		let child: ChildProcess;
		try {
			child = spawn(program, args, {
				detached: true,
				stdio: ['ignore', 'pipe', 'pipe'],
				env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', ...options.environment },
				...(options.workingDirectory === null ? {} : { cwd: options.workingDirectory }),
			});
		} catch (error) {
			fail('cannot be started', error);
			return;
		}
		const chunks: Buffer[] = [];
		let size = 0;
		let complaint = '';
		let stopped: string | null = null;
		const stop = (reason: string) => {
			stopped ??= reason;
			killGroup(child);
		};
		const timer = setTimeout(() => stop(`did not end within ${options.timeoutMs} ms and was killed`), options.timeoutMs);
		const onAbort = () => stop('was killed: there was no time left');
		signal.addEventListener('abort', onAbort, { once: true });
		child.stdout?.on('data', (chunk: Buffer) => {
			size += chunk.length;
			if (size > options.maxOutputBytes) stop(`printed more than ${options.maxOutputBytes} bytes and was killed`);
			else chunks.push(chunk);
		});
		child.stderr?.on('data', (chunk: Buffer) => {
			if (complaint.length < COMPLAINT_BYTES) complaint = (complaint + chunk.toString('utf8')).slice(0, COMPLAINT_BYTES);
		});
		let settled = false;
		const settle = (act: () => void) => {
			if (settled) return;
			settled = true;
			clearTimeout(timer);
			signal.removeEventListener('abort', onAbort);
			act();
		};
		child.on('error', (error) =>
			settle(() => fail(`cannot be started (${systemErrorCode(error)}); check the path and its permissions`, error)),
		);
		child.on('exit', (exitCode) => {
			const finish = () =>
				settle(() => {
					// What the program left behind in its group would hold the pipes, and run on.
					killGroup(child);
					child.stdout?.destroy();
					child.stderr?.destroy();
					if (stopped !== null) fail(stopped);
					else resolve({ exitCode, output: Buffer.concat(chunks), complaint });
				});
			child.on('close', finish);
			// A grandchild that keeps the pipes open must not hold us: what was printed until now is what there is.
			setTimeout(finish, 200).unref();
		});
	});
}

function killGroup(child: ChildProcess): void {
	if (child.pid === undefined) return;
	try {
		process.kill(-child.pid, 'SIGKILL');
	} catch {
		// The group is gone already, which is what was wanted.
	}
}
