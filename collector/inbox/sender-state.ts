import type { Clock } from '../../core/clock.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { StateDatabase } from '../state/database.ts';

export interface TransferGap {
	readonly id: string;
	readonly fromSeq: number;
	readonly toSeq: number;
}

/** Which files of a sender were taken. */
export interface SenderState {
	/** Number of the file that is expected, and when the newest that was taken had been made; `null` for a sender that was never heard of. */
	last(sender: string): Promise<{ readonly nextSeq: number; readonly newestMs: number } | null>;
	/** The declared gap that this number lies in. */
	gapOf(sender: string, seq: number): Promise<TransferGap | null>;
	/** Notes that these files are missing, and expects the one after them. */
	declareGap(sender: string, fromSeq: number, toSeq: number): Promise<void>;
	/** Expects this number, which is lower than what was expected before. */
	beginAnew(sender: string, seq: number): Promise<void>;
	/** Notes that a file was taken. */
	took(sender: string, seq: number, createdMs: number): Promise<void>;
	/** Notes that a file came after all. */
	closeGap(sender: string, gap: TransferGap, seq: number): Promise<void>;
	/** Number of files that are missing, by sender. */
	missing(): Promise<ReadonlyMap<string, number>>;
	/** By how much a stream's numbers are moved. */
	movedBy(stream: string): Promise<number>;
	move(stream: string, by: number): Promise<void>;
}

export function createSenderState(state: StateDatabase, clock: Clock): SenderState {
	const insertGap = (sender: string, fromSeq: number, toSeq: number, db: Pick<StateDatabase, 'insertInto'>) =>
		db
			.insertInto('transfer_gap')
			.values({ id: uuidv7(clock.now()), sender, from_seq: fromSeq, to_seq: toSeq, declared_at_ms: clock.now() })
			.execute();
	return {
		last: async (sender) => {
			const row = await state
				.selectFrom('transfer_sender')
				.select(['next_seq', 'created_at_ms'])
				.where('sender', '=', sender)
				.executeTakeFirst();
			return row === undefined ? null : { nextSeq: row.next_seq, newestMs: row.created_at_ms };
		},
		beginAnew: async (sender, seq) => {
			await state.updateTable('transfer_sender').set({ next_seq: seq }).where('sender', '=', sender).execute();
		},
		gapOf: async (sender, seq) => {
			const row = await state
				.selectFrom('transfer_gap')
				.selectAll()
				.where('sender', '=', sender)
				.where('from_seq', '<=', seq)
				.where('to_seq', '>=', seq)
				.executeTakeFirst();
			return row === undefined ? null : { id: row.id, fromSeq: row.from_seq, toSeq: row.to_seq };
		},
		declareGap: (sender, fromSeq, toSeq) =>
			state.transaction().execute(async (transaction) => {
				await insertGap(sender, fromSeq, toSeq, transaction);
				await transaction
					.updateTable('transfer_sender')
					.set({ next_seq: toSeq + 1 })
					.where('sender', '=', sender)
					.execute();
			}),
		took: (sender, seq, createdMs) =>
			state.transaction().execute(async (transaction) => {
				const before = await transaction
					.selectFrom('transfer_sender')
					.select('created_at_ms')
					.where('sender', '=', sender)
					.executeTakeFirst();
				await transaction.deleteFrom('transfer_sender').where('sender', '=', sender).execute();
				await transaction
					.insertInto('transfer_sender')
					.values({ sender, next_seq: seq + 1, created_at_ms: Math.max(createdMs, before?.created_at_ms ?? 0), taken_at_ms: clock.now() })
					.execute();
			}),
		closeGap: (sender, gap, seq) =>
			state.transaction().execute(async (transaction) => {
				await transaction.deleteFrom('transfer_gap').where('id', '=', gap.id).execute();
				if (gap.fromSeq < seq) await insertGap(sender, gap.fromSeq, seq - 1, transaction);
				if (seq < gap.toSeq) await insertGap(sender, seq + 1, gap.toSeq, transaction);
			}),
		missing: async () => {
			const missing = new Map<string, number>();
			for (const row of await state.selectFrom('transfer_gap').selectAll().execute()) {
				missing.set(row.sender, (missing.get(row.sender) ?? 0) + row.to_seq - row.from_seq + 1);
			}
			return missing;
		},
		movedBy: async (stream) =>
			(await state.selectFrom('transfer_stream').select('moved_by').where('stream', '=', stream).executeTakeFirst())?.moved_by ?? 0,
		move: (stream, by) =>
			state.transaction().execute(async (transaction) => {
				await transaction.deleteFrom('transfer_stream').where('stream', '=', stream).execute();
				await transaction.insertInto('transfer_stream').values({ stream, moved_by: by }).execute();
			}),
	};
}
