import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { SilenceStore } from '../ports.ts';
import type { DayKindOf } from '../roster/duty-window.ts';
import { matchesAll } from '../route/matcher.ts';
import type { Occurrence, TimeSpecConfig } from '../time/time-interval.ts';
import { type CompiledSilence, compileSilence, type Silence, type SilenceMatcher, silencedBy, silenceState } from './silence.ts';

/** What a person asks for. With `id`, that silence is changed. */
export interface SilenceRequest {
	readonly id?: string;
	readonly matchers: readonly SilenceMatcher[];
	readonly startsAtMs: number;
	readonly endsAtMs: number;
	readonly createdBy: string;
	readonly comment: string;
	/** Times inside of which it hides; absent or empty for all the time. */
	readonly recurrence?: readonly TimeSpecConfig[];
}

/** Silences in force, about to be, and ended within the retention. Every change is durable before it counts. */
export class Silences {
	readonly #store: SilenceStore;
	readonly #clock: Clock;
	readonly #kindOf: DayKindOf | undefined;
	readonly #silences = new Map<string, CompiledSilence>();

	/** `kindOf` decides what `days` of a recurrence means; by weekday when absent. */
	constructor(store: SilenceStore, clock: Clock, kindOf?: DayKindOf) {
		this.#kindOf = kindOf;
		this.#store = store;
		this.#clock = clock;
	}

	async load(retentionMs: number): Promise<void> {
		for (const silence of await this.#store.silences(this.#clock.now() - retentionMs))
			this.#silences.set(silence.id, compileSilence(silence, this.#kindOf));
	}

	list(): readonly Silence[] {
		return [...this.#silences.values()].map(({ silence }) => silence);
	}

	get(id: string): Silence | undefined {
		return this.#silences.get(id)?.silence;
	}

	/** When it hides next, or hides now; `null` when it is over, and when no such time comes before its end. */
	next(id: string): Occurrence | null {
		const compiled = this.#silences.get(id);
		if (compiled === undefined) return null;
		const { silence, times } = compiled;
		const fromMs = Math.max(this.#clock.now(), silence.startsAtMs);
		if (fromMs >= silence.endsAtMs) return null;
		const found = times === null ? { fromMs, toMs: silence.endsAtMs } : times.next(fromMs);
		if (found === null || found.fromMs >= silence.endsAtMs) return null;
		return { fromMs: Math.max(found.fromMs, silence.startsAtMs), toMs: Math.min(found.toMs, silence.endsAtMs) };
	}

	silencedBy(labels: Readonly<Record<string, string>>, nowMs: number): string[] {
		return silencedBy(this.#silences.values(), labels, nowMs);
	}

	/**
	 * Creates or changes a silence and answers its id. As in Alertmanager, a silence that is in force keeps its matchers
	 * and its start: changing them ends it and creates another one, so that the record of what was hidden stays true.
	 * Throws `FN_ALERTS_SILENCE_INVALID` and `FN_ALERTS_SILENCE_UNKNOWN`.
	 */
	async set(request: SilenceRequest): Promise<string> {
		const nowMs = this.#clock.now();
		const existing = request.id === undefined || request.id === '' ? null : this.#known(request.id);
		const startsAtMs = existing === null ? Math.max(request.startsAtMs, nowMs) : request.startsAtMs;
		const silence: Silence = {
			id: uuidv7(nowMs),
			matchers: request.matchers,
			startsAtMs,
			endsAtMs: request.endsAtMs,
			updatedAtMs: nowMs,
			createdBy: request.createdBy.trim(),
			comment: request.comment.trim(),
			// Alertmanager's clients know nothing of it and must not take it away.
			recurrence: request.recurrence ?? existing?.recurrence ?? [],
		};
		validate(silence, nowMs);
		if (existing !== null && changesInPlace(existing, silence, nowMs)) {
			const changed = { ...silence, id: existing.id, startsAtMs: existing.startsAtMs <= nowMs ? existing.startsAtMs : startsAtMs };
			await this.#save(changed);
			return changed.id;
		}
		if (existing !== null && silenceState(existing, nowMs) !== 'expired') await this.expire(existing.id);
		const created = { ...silence, startsAtMs: Math.max(startsAtMs, nowMs) };
		await this.#save(created);
		return created.id;
	}

	/** Ends a silence now. Throws `FN_ALERTS_SILENCE_UNKNOWN`, and `FN_ALERTS_SILENCE_INVALID` when it has ended already. */
	async expire(id: string): Promise<void> {
		const nowMs = this.#clock.now();
		const silence = this.#known(id);
		const state = silenceState(silence, nowMs);
		if (state === 'expired') throw invalid(`the silence ${id} has already ended`);
		await this.#save({ ...silence, startsAtMs: Math.min(silence.startsAtMs, nowMs), endsAtMs: nowMs, updatedAtMs: nowMs });
	}

	#known(id: string): Silence {
		const silence = this.#silences.get(id)?.silence;
		if (silence === undefined) {
			throw new AppError('FN_ALERTS_SILENCE_UNKNOWN', `there is no silence ${id}; list the silences to find its id`, { status: 404 });
		}
		return silence;
	}

	async #save(silence: Silence): Promise<void> {
		const compiled = compileSilence(silence, this.#kindOf);
		await this.#store.saveSilence(silence);
		this.#silences.set(silence.id, compiled);
	}
}

function changesInPlace(existing: Silence, wanted: Silence, nowMs: number): boolean {
	if (silenceState(existing, nowMs) === 'expired') return false;
	if (JSON.stringify([existing.matchers, existing.recurrence]) !== JSON.stringify([wanted.matchers, wanted.recurrence])) return false;
	// In force: the start is history. Alertmanager's clients send the old start back unchanged.
	return silenceState(existing, nowMs) === 'pending' ? wanted.startsAtMs >= nowMs : wanted.startsAtMs === existing.startsAtMs;
}

function validate(silence: Silence, nowMs: number): void {
	if (silence.matchers.length === 0) throw invalid('a silence needs at least one matcher');
	if (matchesAll(compileSilence(silence).matchers, {})) {
		throw invalid('a silence whose matchers all accept an empty value would hide every alert; name at least one value');
	}
	if (silence.createdBy === '') throw invalid('a silence needs its owner in createdBy');
	if (silence.comment === '') throw invalid('a silence needs its reason in comment');
	if (silence.endsAtMs <= silence.startsAtMs) throw invalid('the end of a silence must be after its start');
	if (silence.endsAtMs <= nowMs) throw invalid('the end of a silence must be in the future');
}

function invalid(message: string): AppError {
	return new AppError('FN_ALERTS_SILENCE_INVALID', message, { status: 400 });
}
