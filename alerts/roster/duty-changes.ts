import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { OnCallStore, StreamEvent } from './on-call-store.ts';
import type { DutyChange } from './roster.ts';

/** What a person asks for. A swap is two people who take over from each other. */
export type DutyChangeRequest =
	| {
			readonly kind: 'replace';
			readonly instead: string;
			readonly person: string;
			readonly fromMs: number;
			readonly toMs: number;
			readonly reason: string;
	  }
	| { readonly kind: 'add' | 'alone'; readonly person: string; readonly fromMs: number; readonly toMs: number; readonly reason: string }
	| {
			readonly kind: 'swap';
			/** `a` has duty in the first span and takes the second. */
			readonly a: string;
			readonly b: string;
			readonly first: { readonly fromMs: number; readonly toMs: number };
			readonly second: { readonly fromMs: number; readonly toMs: number };
			readonly reason: string;
	  };

type ChangeEvent =
	| {
			readonly kind: 'changed';
			readonly id: string;
			readonly what: DutyChangeRequest['kind'];
			readonly changes: readonly DutyChange[];
			readonly reason: string;
	  }
	| { readonly kind: 'cancelled'; readonly id: string; readonly reason: string };

/** A change as it is listed; cancelled ones stay on record. */
export interface RecordedChange {
	readonly id: string;
	readonly roster: string;
	readonly what: DutyChangeRequest['kind'];
	readonly changes: readonly DutyChange[];
	readonly reason: string;
	readonly by: string;
	readonly atMs: number;
	readonly cancelled: { readonly by: string; readonly atMs: number; readonly reason: string } | null;
}

/** Changes that ended longer ago than this cannot matter to anybody any more and are not kept in memory. */
const KEPT_MS = 400 * 86_400_000;
const LONGEST_MS = 366 * 86_400_000;

/** Overrides, additions and swaps of all rosters, with their history. */
export class DutyChanges {
	readonly #store: OnCallStore;
	readonly #clock: Clock;
	readonly #records = new Map<string, RecordedChange>();
	readonly #lastSeq = new Map<string, number>();
	#turn: Promise<unknown> = Promise.resolve();
	#revision = 0;

	constructor(store: OnCallStore, clock: Clock) {
		this.#store = store;
		this.#clock = clock;
	}

	/** Another one after every change. */
	get revision(): number {
		return this.#revision;
	}

	async load(): Promise<void> {
		const oldestMs = this.#clock.now() - KEPT_MS;
		for (const event of await this.#store.read<ChangeEvent>('duty:')) this.#apply(event);
		for (const [id, { changes }] of this.#records) if (changes.every(({ toMs }) => toMs < oldestMs)) this.#records.delete(id);
	}

	/** Those in force, in the order in which they were made. */
	inForce(): readonly DutyChange[] {
		return [...this.#records.values()].filter(({ cancelled }) => cancelled === null).flatMap(({ changes }) => changes);
	}

	/** Newest first. */
	history(roster: string): readonly RecordedChange[] {
		return [...this.#records.values()].filter((record) => record.roster === roster).reverse();
	}

	/** `people` are those who exist. Throws `FN_ONCALL_CHANGE`. */
	change(roster: string, request: DutyChangeRequest, by: string, people: ReadonlySet<string>): Promise<RecordedChange> {
		const changes = changesOf(roster, request);
		for (const { fromMs, toMs, person, instead } of changes) {
			if (toMs <= fromMs) throw refused('its end must be after its beginning');
			if (toMs - fromMs > LONGEST_MS) throw refused('it lasts longer than a year; change the roster instead');
			if (toMs <= this.#clock.now()) throw refused('it lies in the past, and who had duty then is history');
			const missing = [person, instead].find((one) => one !== '' && one !== '*' && !people.has(one));
			if (missing !== undefined) throw refused(`there is no person "${missing}" under alerts.oncall.people`);
		}
		const id = uuidv7(this.#clock.now());
		return this.#serial(async () => {
			await this.#append(roster, by, { kind: 'changed', id, what: request.kind, changes, reason: request.reason });
			return this.#known(id);
		});
	}

	/** Throws `FN_ONCALL_CHANGE` (404) when there is none, or it was cancelled. */
	cancel(id: string, reason: string, by: string): Promise<RecordedChange> {
		return this.#serial(async () => {
			const known = this.#known(id);
			if (known.cancelled !== null) throw refused(`"${known.cancelled.by}" has cancelled it already`);
			await this.#append(known.roster, by, { kind: 'cancelled', id, reason });
			return this.#known(id);
		});
	}

	#known(id: string): RecordedChange {
		const known = this.#records.get(id);
		if (known === undefined) throw new AppError('FN_ONCALL_CHANGE', `there is no change of duty "${id.slice(0, 64)}"`, { status: 404 });
		return known;
	}

	async #append(roster: string, actor: string, body: ChangeEvent): Promise<void> {
		const stream = `duty:${roster}`;
		const event = { stream, seq: (this.#lastSeq.get(stream) ?? 0) + 1, atMs: this.#clock.now(), actor, body };
		await this.#store.append(event);
		this.#apply(event);
	}

	#apply({ stream, seq, atMs, actor, body }: StreamEvent<ChangeEvent>): void {
		this.#lastSeq.set(stream, seq);
		this.#revision++;
		if (body.kind === 'changed') {
			const { id, what, changes, reason } = body;
			this.#records.set(id, { id, roster: stream.slice('duty:'.length), what, changes, reason, by: actor, atMs, cancelled: null });
			return;
		}
		const known = this.#records.get(body.id);
		if (known !== undefined) this.#records.set(body.id, { ...known, cancelled: { by: actor, atMs, reason: body.reason } });
	}

	#serial<T>(work: () => Promise<T>): Promise<T> {
		const next = this.#turn.then(work);
		this.#turn = next.catch(() => {});
		return next;
	}
}

function changesOf(roster: string, request: DutyChangeRequest): readonly DutyChange[] {
	if (request.kind === 'swap') {
		const { a, b, first, second } = request;
		return [
			{ roster, ...first, instead: a, person: b },
			{ roster, ...second, instead: b, person: a },
		];
	}
	const { fromMs, toMs, person } = request;
	const instead = request.kind === 'replace' ? request.instead : request.kind === 'alone' ? '*' : '';
	return [{ roster, fromMs, toMs, instead, person }];
}

function refused(why: string): AppError {
	return new AppError('FN_ONCALL_CHANGE', `this change of duty is not possible: ${why}`, { status: 400 });
}
