import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, errorText, systemErrorCode } from '../../core/errors.ts';
import { makeFolder } from '../../core/folder.ts';
import type { TailPosition } from './tail-file.ts';

/** What must survive a restart, written only after the collector's answer. */
export interface StreamState {
	readonly stream: string;
	/** Number of the next record. */
	readonly nextSeq: number;
	readonly position: TailPosition;
	/** Where earlier records began, oldest first, for a collector that has to be given some of them again. */
	readonly history: readonly { readonly seq: number; readonly position: TailPosition }[];
}

/** One small file per stream. */
export class PositionStore {
	readonly #folder: string;

	/** Throws `FN_AGENT_POSITIONS` when the folder cannot be used. */
	constructor(folder: string) {
		this.#folder = folder;
		try {
			makeFolder(folder, 0o700);
		} catch (error) {
			throw positionsError(folder, error);
		}
	}

	/** `null` for a stream that was never followed, and for a state that cannot be read: following begins anew then, which repeats and does not lose. */
	load(name: string): StreamState | null {
		let text: string;
		try {
			text = readFileSync(this.#file(name), 'utf8');
		} catch (error) {
			if (systemErrorCode(error) === 'ENOENT') return null;
			throw positionsError(this.#folder, error);
		}
		try {
			return parseState(JSON.parse(text));
		} catch (error) {
			if (error instanceof SyntaxError) return null;
			throw error;
		}
	}

	save(name: string, state: StreamState): void {
		const file = this.#file(name);
		try {
			writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 });
			renameSync(`${file}.new`, file);
		} catch (error) {
			throw positionsError(this.#folder, error);
		}
	}

	#file(name: string): string {
		return join(this.#folder, `${name}.json`);
	}
}

function positionsError(folder: string, error: unknown): AppError {
	return new AppError(
		'FN_AGENT_POSITIONS',
		`positions in log files cannot be kept in ${folder} (${systemErrorCode(error) || errorText(error)}); give the agent's user write access`,
		{ cause: error, retryable: true },
	);
}

function parseState(value: unknown): StreamState | null {
	if (typeof value !== 'object' || value === null) return null;
	const { stream, nextSeq, position, history } = value as Record<string, unknown>;
	const parsed = parsePosition(position);
	if (typeof stream !== 'string' || !Number.isSafeInteger(nextSeq) || parsed === null || !Array.isArray(history)) return null;
	const entries = history.flatMap((entry: unknown) => {
		if (typeof entry !== 'object' || entry === null) return [];
		const { seq, position: at } = entry as Record<string, unknown>;
		const known = parsePosition(at);
		return Number.isSafeInteger(seq) && known !== null ? [{ seq: seq as number, position: known }] : [];
	});
	return { stream, nextSeq: nextSeq as number, position: parsed, history: entries };
}

function parsePosition(value: unknown): TailPosition | null {
	if (typeof value !== 'object' || value === null) return null;
	const { headChecksum, headBytes, offset } = value as Record<string, unknown>;
	if (![headChecksum, headBytes, offset].every((number) => Number.isSafeInteger(number))) return null;
	return { headChecksum: headChecksum as number, headBytes: headBytes as number, offset: offset as number };
}
