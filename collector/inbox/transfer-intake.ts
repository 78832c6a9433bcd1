import { verify } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { LogBatch, LogBatchAnswer, LogRecord } from '../../protocol/log-record.ts';
import { ProtocolError } from '../../protocol/remote-write/protocol-error.ts';
import { parseTransfer, type Transfer } from '../../protocol/transfer.ts';
import type { InboxMetrics } from './metrics.ts';
import type { SenderState } from './sender-state.ts';

const unzip = promisify(gunzip);
const UNZIPPED_BYTES = 64 * 1024 * 1024;
const SAMPLES_TYPE = 'application/x-protobuf;proto=io.prometheus.write.v2.Request';

/** Where what the files hold goes. */
export interface TransferTargets {
	/** As `POST /api/v1/write` with these headers. */
	readonly samples: (contentType: string, encoding: string, body: Buffer) => Promise<{ readonly status: number; readonly body: string }>;
	/** As `POST /api/fournines/v1/logs`; throws `FN_AUDIT_GAP` when records are missing. */
	readonly logs: (batch: LogBatch) => LogBatchAnswer;
	/** The number that a stream goes on with. */
	readonly nextLogSeq: (stream: string) => number;
	/** Streams that begin so. */
	readonly logStreams: (prefix: string) => readonly string[];
}

export interface TransferIntakeOptions {
	readonly state: SenderState;
	readonly targets: TransferTargets;
	/** PEM of the key of a sender; `null` when nobody has vouched for it. */
	readonly publicKey: (sender: string) => Promise<string | null>;
	readonly metrics: InboxMetrics;
	readonly clock: Clock;
	readonly log: Logger;
}

/** `taken`: everything in it is kept. `duplicate`: it was taken before. `early`: files before it are still missing, nothing was taken. */
export type TransferResult = 'taken' | 'duplicate' | 'early';

/** Takes transfer files, in the order of their numbers, each once. */
export class TransferIntake {
	readonly #options: TransferIntakeOptions;
	#turn: Promise<unknown> = Promise.resolve();

	constructor(options: TransferIntakeOptions) {
		this.#options = options;
	}

	/**
	 * With `declareGap`, missing files are given up for now: they are noted, and taken when they come after all. Throws
	 * `FN_TRANSFER_MALFORMED` (400), `FN_TRANSFER_SENDER` and `FN_TRANSFER_SIGNATURE` (403), and whatever keeps the store from taking the
	 * samples, which is retryable; then nothing of the file counts as taken.
	 */
	take(bytes: Uint8Array, path: string, declareGap: boolean): Promise<TransferResult> {
		const turn = this.#turn.then(() => this.#take(bytes, path, declareGap));
		this.#turn = turn.catch(() => {});
		return turn;
	}

	async #take(bytes: Uint8Array, path: string, declareGap: boolean): Promise<TransferResult> {
		const { state, metrics, clock, log } = this.#options;
		const transfer = await this.#checked(bytes);
		const { sender, seq, createdMs } = transfer.header;
		// A sender that is new here may begin anywhere: its older files went elsewhere.
		const last = await state.last(sender);
		// A copy of a file that was taken is no newer than the newest: what is counts on, from a number that its sender has forgotten.
		const gap = last !== null && seq < last.nextSeq ? await state.gapOf(sender, seq) : null;
		const anew = last !== null && seq < last.nextSeq && createdMs > last.newestMs && (gap === null || seq === 1);
		if (anew) {
			log.error({ path, sender, seq, expected: last.nextSeq }, 'a sender begins its numbers anew: it has lost its data folder');
			await this.#beginAnew(sender, seq);
		}
		const expected = anew ? seq : (last?.nextSeq ?? seq);
		if (seq < expected) {
			if (gap === null) return 'duplicate';
			await this.#deliver(transfer, true);
			await state.closeGap(sender, gap, seq);
			metrics.missing.set({ sender }, 0);
			log.info({ path, sender, seq }, 'a transfer file that had been given up has come');
		} else {
			if (seq > expected && !declareGap) return 'early';
			if (seq > expected) {
				await state.declareGap(sender, expected, seq - 1);
				metrics.gaps.inc({ path }, seq - expected);
				log.error({ path, sender, from: expected, to: seq - 1 }, 'transfer files are missing; what follows them is taken');
			}
			await this.#deliver(transfer, false);
			await state.took(sender, seq, createdMs);
			metrics.transit.set({ path, sender }, Math.max(0, clock.now() - createdMs) / 1000);
		}
		metrics.files.inc({ path, result: 'taken' });
		for (const [missing, files] of await state.missing()) metrics.missing.set({ sender: missing }, files);
		return 'taken';
	}

	/** Log records of a sender that has forgotten everything are numbered from 0 again: they go on behind those that are there. */
	async #beginAnew(sender: string, seq: number): Promise<void> {
		const { state, targets } = this.#options;
		if (seq === 1) for (const stream of targets.logStreams(`${sender}/`)) await state.move(stream, targets.nextLogSeq(stream));
		// Before anything of it is delivered, so that a second try does not begin anew again.
		await state.beginAnew(sender, seq);
	}

	async #checked(bytes: Uint8Array): Promise<Transfer> {
		let transfer: Transfer;
		try {
			transfer = parseTransfer(bytes);
		} catch (error) {
			if (!(error instanceof ProtocolError)) throw error;
			throw new AppError('FN_TRANSFER_MALFORMED', `the transfer file cannot be read: ${error.message}`, { status: 400 });
		}
		const { sender } = transfer.header;
		const key = await this.#options.publicKey(sender);
		if (key === null) {
			throw new AppError('FN_TRANSFER_SENDER', `nobody has vouched for the sender "${sender}"; name its public key in server.inbox`, {
				status: 403,
			});
		}
		if (!verify(null, transfer.signed, key, transfer.signature)) {
			throw new AppError('FN_TRANSFER_SIGNATURE', `the signature is not that of "${sender}": the file was changed, or the key is another`, {
				status: 403,
			});
		}
		return transfer;
	}

	async #deliver({ header, bodies }: Transfer, late: boolean): Promise<void> {
		for (const [i, { kind }] of header.entries.entries()) {
			const body = Buffer.from(bodies[i] ?? []);
			if (kind === 'samples') await this.#samples(header.sender, body);
			else await this.#logs(await readBatch(body), header.seq, late);
		}
	}

	async #samples(sender: string, body: Buffer): Promise<void> {
		const answer = await this.#options.targets.samples(SAMPLES_TYPE, 'snappy', body);
		if (answer.status < 300) return;
		if (answer.status === 400) {
			// A part was refused, the rest was taken; nobody is there to be told, so the log is.
			this.#options.log.warn({ sender, reason: answer.body.slice(0, 500) }, 'samples of a transfer file were refused');
			return;
		}
		throw new AppError('FN_TRANSFER_BUSY', `the samples could not be stored (${answer.status}): ${answer.body.slice(0, 300)}`, {
			status: 503,
			retryable: true,
		});
	}

	async #logs(batch: LogBatch, transferSeq: number, late: boolean): Promise<void> {
		const { state, targets } = this.#options;
		if (late) {
			// Its numbers were passed: the records are kept beside the stream instead of being taken for duplicates.
			const stream = `${batch.stream}~${transferSeq}`;
			targets.logs(renumbered(batch, stream, 0));
			return;
		}
		const movedBy = await state.movedBy(batch.stream);
		const moved = renumbered(batch, batch.stream, batch.firstSeq + movedBy);
		try {
			targets.logs(moved);
		} catch (error) {
			if (!(error instanceof AppError) || error.code !== 'FN_AUDIT_GAP') throw error;
			const next = targets.nextLogSeq(batch.stream);
			const lost = moved.firstSeq - next;
			await state.move(batch.stream, next + 1 - batch.firstSeq);
			const rest = renumbered(batch, batch.stream, next + 1);
			targets.logs({ ...rest, firstSeq: next, records: [gapRecord(rest, next, lost, this.#options.clock.now()), ...rest.records] });
		}
	}
}

function renumbered(batch: LogBatch, stream: string, firstSeq: number): LogBatch {
	return { stream, firstSeq, records: batch.records.map((record, i) => ({ ...record, stream, seq: firstSeq + i })) };
}

/** Says within the stream that records of it are missing, so that nobody takes it for whole. */
function gapRecord(batch: LogBatch, seq: number, lost: number, nowMs: number): LogRecord {
	const [first] = batch.records;
	const text = `${lost} records were lost on the way here`;
	return {
		v: 1,
		stream: batch.stream,
		seq,
		eventTimeMs: nowMs,
		receiveTimeMs: nowMs,
		host: first?.host ?? '',
		system: first?.system ?? '',
		source: 'fournines',
		kind: 'gap',
		actor: 'collector',
		action: 'transfer',
		object: batch.stream,
		result: 'failure',
		srcAddr: '',
		srcMac: '',
		module: 'inbox',
		severity: 'warning',
		raw: text,
		fields: { lost: String(lost) },
	};
}

async function readBatch(body: Buffer): Promise<LogBatch> {
	try {
		const text = await unzip(body, { maxOutputLength: UNZIPPED_BYTES });
		return JSON.parse(text.toString('utf8')) as LogBatch;
	} catch {
		throw new AppError('FN_TRANSFER_MALFORMED', 'the log records in the transfer file cannot be read', { status: 400 });
	}
}
