import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { OnCallStore, StreamEvent } from './on-call-store.ts';
import { samePeople } from './roster.ts';

/** What whoever takes over must know, as it was at the change of duty. */
export interface HandoverFacts {
	readonly incidents: readonly { readonly number: number; readonly title: string; readonly state: string; readonly owner: string }[];
	readonly alerts: readonly { readonly title: string; readonly severity: string; readonly sinceMs: number }[];
	/** About to end. */
	readonly silences: readonly { readonly id: string; readonly comment: string; readonly by: string; readonly endsAtMs: number }[];
	/** Begins, or is under way. */
	readonly maintenance: readonly { readonly title: string; readonly fromMs: number; readonly toMs: number }[];
	readonly budgets: readonly { readonly service: string; readonly remainingSeconds: number; readonly totalSeconds: number }[];
}

export type HandoverSide = 'outgoing' | 'incoming';

export interface Signature {
	readonly side: HandoverSide;
	readonly person: string;
	readonly by: string;
	readonly atMs: number;
	readonly note: string;
}

/** 交接班: one change of duty. */
export interface Handover {
	readonly id: string;
	readonly roster: string;
	readonly atMs: number;
	readonly outgoing: readonly string[];
	readonly incoming: readonly string[];
	readonly facts: HandoverFacts;
	readonly signatures: readonly Signature[];
	/** Requests by which the lead was told that it is late to be signed. */
	readonly told: readonly string[];
	readonly seq: number;
}

type HandoverEvent =
	| {
			readonly kind: 'opened';
			readonly roster: string;
			readonly outgoing: readonly string[];
			readonly incoming: readonly string[];
			readonly facts: HandoverFacts;
	  }
	| { readonly kind: 'signed'; readonly side: HandoverSide; readonly person: string; readonly note: string }
	| { readonly kind: 'told'; readonly requests: readonly string[] };

const KEPT = 1000;

/** Sides that have somebody and have not signed. */
export function missingSignatures({ outgoing, incoming, signatures }: Handover): readonly HandoverSide[] {
	const signed = new Set(signatures.map(({ side }) => side));
	return (
		[
			['outgoing', outgoing],
			['incoming', incoming],
		] as const
	).flatMap(([side, people]) => (people.length > 0 && !signed.has(side) ? [side] : []));
}

/** Hand-over records, append-only. */
export class Handovers {
	readonly #store: OnCallStore;
	readonly #clock: Clock;
	readonly #records = new Map<string, Handover>();
	#turn: Promise<unknown> = Promise.resolve();

	constructor(store: OnCallStore, clock: Clock) {
		this.#store = store;
		this.#clock = clock;
	}

	async load(): Promise<void> {
		for (const event of await this.#store.read<HandoverEvent>('handover:')) this.#apply(event);
	}

	/** Newest first. */
	list(limit: number): readonly Handover[] {
		return [...this.#records.values()].reverse().slice(0, limit);
	}

	unsigned(): readonly Handover[] {
		return [...this.#records.values()].filter((record) => missingSignatures(record).length > 0);
	}

	/** Makes a record when other people have duty than at the last one. The facts are asked for only then. */
	watch(roster: string, people: readonly string[], facts: () => Promise<HandoverFacts>): Promise<Handover | null> {
		return this.#serial(async () => {
			const last = [...this.#records.values()].reverse().find((record) => record.roster === roster);
			if (last === undefined ? people.length === 0 : samePeople(last.incoming, people)) return null;
			const id = uuidv7(this.#clock.now());
			const body = { kind: 'opened' as const, roster, outgoing: last?.incoming ?? [], incoming: people, facts: await facts() };
			return this.#append(id, 0, { actor: 'fournines', body });
		});
	}

	/** Throws `FN_ONCALL_HANDOVER`. `person` signs; `by` is the account that says so. */
	sign(id: string, side: HandoverSide, signer: { readonly person: string; readonly by: string; readonly note: string }): Promise<Handover> {
		return this.#serial(async () => {
			const record = this.#records.get(id);
			if (record === undefined) throw refused(404, `there is no hand-over record "${id.slice(0, 64)}"`);
			const { person, by, note } = signer;
			if (!record[side].includes(person))
				throw refused(409, `"${person}" is not on the ${side} side; it is for ${record[side].join(', ') || 'nobody'}`);
			if (record.signatures.some((signature) => signature.side === side)) throw refused(409, `the ${side} side has signed already`);
			return this.#append(id, record.seq, { actor: by, body: { kind: 'signed', side, person, note } });
		});
	}

	/** On record before anybody is told. */
	told(id: string, requests: readonly string[]): Promise<Handover> {
		return this.#serial(() => this.#append(id, this.#records.get(id)?.seq ?? 0, { actor: 'fournines', body: { kind: 'told', requests } }));
	}

	async #append(id: string, seq: number, { actor, body }: { readonly actor: string; readonly body: HandoverEvent }): Promise<Handover> {
		const event = { stream: `handover:${id}`, seq: seq + 1, atMs: this.#clock.now(), actor, body };
		await this.#store.append(event);
		return this.#apply(event);
	}

	#apply({ stream, seq, atMs, actor, body }: StreamEvent<HandoverEvent>): Handover {
		const id = stream.slice('handover:'.length);
		const before = this.#records.get(id);
		const next =
			body.kind === 'opened' ? openedRecord(id, atMs, body) : before === undefined ? null : signedRecord(before, { atMs, actor, body });
		if (next === null) throw refused(500, `hand-over record ${id} does not begin with its opening`);
		const record = { ...next, seq };
		this.#records.set(id, record);
		if (this.#records.size > KEPT) {
			const [oldest] = this.#records.keys();
			if (oldest !== undefined) this.#records.delete(oldest);
		}
		return record;
	}

	#serial<T>(work: () => Promise<T>): Promise<T> {
		const next = this.#turn.then(work);
		this.#turn = next.catch(() => {});
		return next;
	}
}

function openedRecord(id: string, atMs: number, body: Extract<HandoverEvent, { kind: 'opened' }>): Handover {
	const { kind: _kind, ...rest } = body;
	return { id, atMs, ...rest, signatures: [], told: [], seq: 1 };
}

function signedRecord(
	record: Handover,
	{ atMs, actor, body }: { readonly atMs: number; readonly actor: string; readonly body: Exclude<HandoverEvent, { kind: 'opened' }> },
): Handover {
	if (body.kind === 'told') return { ...record, told: body.requests };
	const { side, person, note } = body;
	return { ...record, signatures: [...record.signatures, { side, person, by: actor, atMs, note }] };
}

function refused(status: number, why: string): AppError {
	return new AppError('FN_ONCALL_HANDOVER', why, { status });
}
