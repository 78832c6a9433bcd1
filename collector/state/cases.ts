import type { Clock } from '../../core/clock.ts';
import type { AppError } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import { type AttachBody, type AttachedFile, type Attachments, keepAnother, readAttached } from './attachments.ts';
import type { StateDatabase } from './database.ts';

/** One line of a case's history. Never changed, never removed. */
export interface CaseEvent<Body> {
	/** From 1, without gaps. */
	readonly seq: number;
	readonly atMs: number;
	readonly actor: string;
	readonly body: Body;
}

/** What every case says of itself; the rest is its kind's own. */
export interface CaseState {
	readonly id: string;
	readonly stage: string;
	/** When it began; what a range asks for. */
	readonly atMs: number;
	/** Number of the last event. */
	readonly seq: number;
	readonly attachments: readonly AttachedFile[];
}

/** Where files of cases are kept, and how large one may be. */
export interface CaseFiles {
	readonly attachments: Attachments;
	readonly maxBytes: () => number;
}

/** A case with its number for people. */
export interface KeptCase<State extends CaseState> {
	readonly number: number;
	readonly state: State;
}

export interface Cases<State extends CaseState, Body> {
	/** Throws what `apply` throws. */
	open(actor: string, body: Body): Promise<KeptCase<State>>;
	/** `check` sees the case as it stands, before the step, and no other step comes in between. Throws `unknown` and what `apply` and `check` throw. */
	act(
		id: string,
		step: { readonly actor: string; readonly body: Body; readonly check?: (state: State) => Promise<void> },
	): Promise<KeptCase<State>>;
	/** Keeps a file. Throws `unknown`, `FN_DESK_ATTACHMENT` and what `apply` throws. */
	attach(id: string, file: { readonly actor: string; readonly name: string; readonly bytes: Buffer }): Promise<KeptCase<State>>;
	/** Throws `unknown` where there is no such case or file, `FN_DESK_ATTACHMENT` where it was lost. */
	attachment(id: string, attachment: string): Promise<{ readonly name: string; readonly bytes: Buffer }>;
	get(id: string): Promise<KeptCase<State>>;
	events(id: string): Promise<readonly CaseEvent<Body | AttachBody>[]>;
	/** Those that are not over, or all that began in the range, newest first. */
	list(which: 'open' | { readonly fromMs: number; readonly toMs: number }): Promise<readonly KeptCase<State>[]>;
}

const MOST_LISTED = 10_000;

/** Cases of one kind: append-only histories, and where each of them stands. */
export function createCases<State extends CaseState, Body>(options: {
	readonly state: StateDatabase;
	readonly kind: string;
	/** Stages after which nothing is owed. */
	readonly over: readonly string[];
	/** One step; pure. Throws when it is not possible. */
	readonly apply: (id: string, known: State | null, event: CaseEvent<Body | AttachBody>) => State;
	readonly files: CaseFiles;
	readonly unknown: (id: string) => AppError;
	readonly clock: Clock;
}): Cases<State, Body> {
	const { state: database, kind, over, apply, unknown, clock, files } = options;
	let turn: Promise<unknown> = Promise.resolve();
	/** One change at a time: two people who do the same step at once must not both succeed. */
	const serial = <T>(work: () => Promise<T>): Promise<T> => {
		const next = turn.then(work);
		turn = next.catch(() => {});
		return next;
	};
	const kept = (row: { readonly number: number; readonly state: string }): KeptCase<State> => ({
		number: row.number,
		// A state that an older version wrote knows no files.
		state: { attachments: [], ...(JSON.parse(row.state) as object) } as unknown as State,
	});
	const get = async (id: string): Promise<KeptCase<State>> => {
		const row = await database
			.selectFrom('desk_case')
			.select(['number', 'state'])
			.where('id', '=', id)
			.where('kind', '=', kind)
			.executeTakeFirst();
		if (row === undefined) throw unknown(id);
		return kept(row);
	};
	const write = (state: State, event: CaseEvent<Body | AttachBody>, number: number | null): Promise<number> =>
		database.transaction().execute(async (transaction) => {
			// The primary key (case, seq) refuses a second writer that saw the same history.
			await transaction
				.insertInto('desk_event')
				.values({
					case_id: state.id,
					seq: event.seq,
					at_ms: event.atMs,
					actor: event.actor.slice(0, 64),
					body: JSON.stringify(event.body),
				})
				.execute();
			const row = { stage: state.stage, at_ms: state.atMs, updated_at_ms: event.atMs, state: JSON.stringify(state) };
			if (number !== null) {
				await transaction.updateTable('desk_case').set(row).where('id', '=', state.id).execute();
				return number;
			}
			const last = await transaction
				.selectFrom('desk_case')
				.select('number')
				.where('kind', '=', kind)
				.orderBy('number', 'desc')
				.executeTakeFirst();
			const next = (last?.number ?? 0) + 1;
			await transaction
				.insertInto('desk_case')
				.values({ id: state.id, kind, number: next, ...row })
				.execute();
			return next;
		});
	return {
		open: (actor, body) =>
			serial(async () => {
				const atMs = clock.now();
				const event = { seq: 1, atMs, actor, body };
				const state = apply(uuidv7(atMs), null, event);
				return { number: await write(state, event, null), state };
			}),
		act: (id, { actor, body, check }) =>
			serial(async () => {
				const known = await get(id);
				await check?.(known.state);
				const event = { seq: known.state.seq + 1, atMs: clock.now(), actor, body };
				const state = apply(id, known.state, event);
				await write(state, event, known.number);
				return { number: known.number, state };
			}),
		attach: (id, { actor, name, bytes }) =>
			serial(async () => {
				const known = await get(id);
				const at = { seq: known.state.seq + 1, atMs: clock.now(), actor };
				// A case that takes no files any more is seen before one is written.
				apply(id, known.state, { ...at, body: { kind: 'attach', attachment: '', name, sizeBytes: 0, sha256: '' } });
				const body = await keepAnother(files.attachments, known.state.attachments, { name, bytes, maxBytes: files.maxBytes() });
				const event = { ...at, body };
				const state = apply(id, known.state, event);
				await write(state, event, known.number);
				return { number: known.number, state };
			}),
		attachment: async (id, attachment) => {
			const { state } = await get(id);
			return readAttached(files.attachments, state.attachments, { id: attachment, unknown: unknown(`${id}/${attachment}`) });
		},
		get,
		events: async (id) => {
			await get(id);
			const rows = await database.selectFrom('desk_event').selectAll().where('case_id', '=', id).orderBy('seq').execute();
			return rows.map((row) => ({ seq: row.seq, atMs: row.at_ms, actor: row.actor, body: JSON.parse(row.body) as Body | AttachBody }));
		},
		list: async (which) => {
			const query = database
				.selectFrom('desk_case')
				.select(['number', 'state'])
				.where('kind', '=', kind)
				.orderBy('number', 'desc')
				.limit(MOST_LISTED);
			const rows = await (which === 'open'
				? query.where('stage', 'not in', over)
				: query.where('at_ms', '>=', which.fromMs).where('at_ms', '<', which.toMs)
			).execute();
			return rows.map(kept);
		},
	};
}
