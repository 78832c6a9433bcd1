import type { Transaction } from 'kysely';
import { uuidv7 } from '../../core/ids.ts';
import type { StateDatabase } from '../state/database.ts';
import type { StateSchema } from '../state/schema.ts';
import type { Fault } from './fault.ts';
import type { FaultEvent } from './fault-event.ts';

/** A fault with its number for people. */
export interface StoredFault {
	readonly number: number;
	readonly fault: Fault;
}

/** One change: the events that were added to a fault, and where they leave it. */
export interface FaultChange {
	readonly fault: Fault;
	readonly events: readonly FaultEvent[];
}

export interface FaultStore {
	newId(nowMs: number): string;
	get(id: string): Promise<StoredFault | null>;
	/** By its id alone. */
	events(id: string): Promise<readonly FaultEvent[]>;
	/** Open ones, or all whose onset lies in the range, newest first. */
	list(which: 'open' | { readonly fromMs: number; readonly toMs: number }, limit?: number): Promise<readonly StoredFault[]>;
	/** The newest fault that was opened for this. */
	findSource(sourceKey: string): Promise<StoredFault | null>;
	/** All or nothing. Events are only ever added: a number that is taken makes the whole change fail. */
	write(changes: readonly FaultChange[], nowMs: number): Promise<void>;
}

const OVER = ['closed', 'dismissed', 'merged'];

export function createFaultStore(state: StateDatabase): FaultStore {
	return {
		newId: (nowMs) => uuidv7(nowMs),
		get: async (id) => {
			// People name a fault by its number.
			const all = state.selectFrom('fault').select(['number', 'state']);
			const row = await (/^\d{1,9}$/.test(id) ? all.where('number', '=', Number(id)) : all.where('id', '=', id)).executeTakeFirst();
			return row === undefined ? null : stored(row);
		},
		events: async (id) => {
			const rows = await state.selectFrom('fault_event').selectAll().where('fault_id', '=', id).orderBy('seq').execute();
			return rows.map((row) => ({ seq: row.seq, atMs: row.at_ms, actor: row.actor, body: JSON.parse(row.body) as FaultEvent['body'] }));
		},
		list: async (which, limit = 100_000) => {
			const query = state.selectFrom('fault').select(['number', 'state']).orderBy('number', 'desc').limit(limit);
			const rows = await (which === 'open'
				? query.where('stage', 'not in', OVER)
				: query.where('onset_ms', '>=', which.fromMs).where('onset_ms', '<', which.toMs)
			).execute();
			return rows.map(stored);
		},
		findSource: async (sourceKey) => {
			const row = await state
				.selectFrom('fault')
				.select(['number', 'state'])
				.where('source_key', '=', sourceKey)
				.orderBy('number', 'desc')
				.executeTakeFirst();
			return row === undefined ? null : stored(row);
		},
		write: (changes, nowMs) =>
			state.transaction().execute(async (transaction) => {
				for (const change of changes) await writeChange(transaction, change, nowMs);
			}),
	};
}

async function writeChange(transaction: Transaction<StateSchema>, { fault, events }: FaultChange, nowMs: number): Promise<void> {
	for (const { seq, atMs, actor, body } of events) {
		await transaction
			.insertInto('fault_event')
			.values({ fault_id: fault.id, seq, at_ms: atMs, actor: actor.slice(0, 64), body: JSON.stringify(body) })
			.execute();
	}
	const row = {
		profile: fault.profile,
		stage: fault.stage,
		service: fault.service ?? '',
		source_key: fault.sourceKey,
		onset_ms: fault.moments.onset ?? 0,
		updated_at_ms: nowMs,
		state: JSON.stringify(fault),
	};
	if (events[0]?.seq !== 1) {
		await transaction.updateTable('fault').set(row).where('id', '=', fault.id).execute();
		return;
	}
	const last = await transaction.selectFrom('fault').select('number').orderBy('number', 'desc').executeTakeFirst();
	await transaction
		.insertInto('fault')
		.values({ id: fault.id, number: (last?.number ?? 0) + 1, ...row })
		.execute();
}

function stored(row: { readonly number: number; readonly state: string }): StoredFault {
	// A state that an older version wrote does not know these.
	const fault = JSON.parse(row.state) as Omit<Fault, 'affected' | 'accident'> & Partial<Pick<Fault, 'affected' | 'accident'>>;
	return { number: row.number, fault: { ...fault, affected: fault.affected ?? [], accident: fault.accident ?? null } };
}
