import type { Clock } from '../../core/clock.ts';
import { AppError, errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { ExpositionFamily, ExpositionSample } from '../../protocol/exposition/write.ts';
import type { WriteSeries } from '../../protocol/remote-write/write-series.ts';
import { type Input, type MetricFamily, singleGauge } from '../inputs/input.ts';
import { SeriesTracker } from './series-tracker.ts';

export interface RoundsOptions {
	readonly inputs: readonly Input[];
	/** Labels of the agent's own series about an input, without `instance`, which is the input's. */
	readonly agentTarget: Readonly<Record<string, string>>;
	/** Takes the samples of what was read at the same time, stale markers included. The series are good until it returns. */
	readonly sink: (batch: readonly WriteSeries[], nowMs: number) => void;
	readonly onMissed: (input: string) => void;
	readonly clock: Clock;
	readonly log: Logger;
	/**
	 * 0 to 1; the first rounds are put off by this share of their interval, at most 2 s, so that agents which start together
	 * do not report together. One number for all inputs: what is read at the same time travels in one request. Default random.
	 */
	readonly phase?: number;
	/** Of rounds that were stopped: the same sources go on with the same series, what is no longer measured is marked stale. */
	readonly remains?: RoundsRemains;
}

interface Tracked {
	readonly series: SeriesTracker;
	readonly about: SeriesTracker;
}

/** The series of stopped rounds, by their sources. */
export type RoundsRemains = ReadonlyMap<string, Tracked>;

interface Source extends Tracked {
	readonly key: string;
	/** Place among the sources: what is read together is told in this order. */
	readonly place: number;
	readonly input: Input;
	/** The collection that is still outstanding, also when its deadline has passed. */
	outstanding: Promise<unknown> | null;
	failing: boolean;
}

interface Gathered {
	readonly place: number;
	readonly batch: readonly WriteSeries[];
	readonly nowMs: number;
}

/** Inputs that are read at the same time travel together; one that is slow keeps the others for no longer than this. */
const GATHER_MS = 100;
/** Timers that are due at the same time may fire in different milliseconds. */
const SETTLE_MS = 5;

/**
 * Reads every input at its own pace. A slow or failing source costs only itself: each has a deadline and at most one
 * collection outstanding, and a round that comes due meanwhile is skipped, counted and reported as a failure.
 */
export class Rounds {
	readonly #options: RoundsOptions;
	readonly #sources: readonly Source[];
	readonly #stopping = new AbortController();
	readonly #phase: number;
	#loops: Promise<void>[] = [];
	#underWay = 0;
	#gathered: Gathered[] = [];
	#gatherTimer: NodeJS.Timeout | undefined;
	#tellAtMs = Number.POSITIVE_INFINITY;

	constructor(options: RoundsOptions) {
		this.#options = options;
		this.#phase = options.phase ?? Math.random();
		const keys = new Set<string>();
		this.#sources = options.inputs.map((input, place) => {
			const about = { ...options.agentTarget, instance: input.target['instance'] ?? '', input: input.name };
			let key = JSON.stringify([about, input.target]);
			while (keys.has(key)) key += '+';
			keys.add(key);
			const before = options.remains?.get(key);
			return {
				key,
				place,
				input,
				series: before?.series ?? new SeriesTracker(input.target),
				about: before?.about ?? new SeriesTracker(about),
				outstanding: null,
				failing: false,
			};
		});
		const nowMs = options.clock.now();
		for (const [key, { series, about }] of options.remains ?? []) {
			if (!keys.has(key)) options.sink([...series.update([], nowMs), ...about.update([], nowMs)], nowMs);
		}
	}

	/** To go on from, once these rounds are stopped. */
	remains(): RoundsRemains {
		return new Map(this.#sources.map(({ key, series, about }) => [key, { series, about }]));
	}

	start(): void {
		const startedMs = this.#options.clock.monotonic();
		this.#loops = this.#sources.map((source) => this.#loop(source, startedMs, this.#stopping.signal));
	}

	/** One round of every input, all at the same time. Whether all of them succeeded. */
	async once(): Promise<boolean> {
		const results = await Promise.all(this.#sources.map((source) => this.#round(source)));
		this.#tell();
		return results.every((ok) => ok);
	}

	/** The newest values of all inputs, grouped by metric name. */
	current(): readonly ExpositionFamily[] {
		const families = new Map<string, { name: string; type: ExpositionFamily['type']; help: string; samples: ExpositionSample[] }>();
		for (const source of this.#sources) {
			for (const tracker of [source.series, source.about]) {
				for (const series of tracker.current()) {
					let family = families.get(series.name);
					if (family === undefined) {
						family = { name: series.name, type: series.type, help: series.help, samples: [] };
						families.set(series.name, family);
					}
					family.samples.push({ labels: series.labels, value: series.value });
				}
			}
		}
		return [...families.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
	}

	/** Starts no further round, aborts the outstanding ones, and closes the inputs. */
	async stop(): Promise<void> {
		this.#stopping.abort();
		await Promise.all(this.#loops);
		this.#tell();
		for (const { input } of this.#sources) {
			try {
				await input.close();
			} catch (error) {
				this.#options.log.warn({ input: input.name, error: errorText(error) }, 'an input could not be closed');
			}
		}
	}

	async #loop(source: Source, startedMs: number, signal: AbortSignal): Promise<void> {
		const { clock } = this.#options;
		const { intervalMs } = source.input;
		const delayMs = Math.min(2000, intervalMs * this.#phase);
		await clock.sleep(delayMs, signal);
		let due = startedMs + delayMs;
		while (!signal.aborted) {
			await this.#round(source);
			due += intervalMs;
			const late = clock.monotonic() - due;
			// After a suspended machine the missed rounds are not made up for: their time is over.
			if (late > intervalMs) due += Math.floor(late / intervalMs) * intervalMs;
			await clock.sleep(Math.max(0, due - clock.monotonic()), signal);
		}
	}

	async #round(source: Source): Promise<boolean> {
		this.#underWay++;
		try {
			return await this.#read(source);
		} finally {
			this.#underWay--;
			if (this.#gathered.length > 0) this.#tellIn(this.#underWay > 0 ? GATHER_MS : SETTLE_MS);
		}
	}

	#tellIn(ms: number): void {
		const atMs = performance.now() + ms;
		if (atMs > this.#tellAtMs) return;
		clearTimeout(this.#gatherTimer);
		this.#tellAtMs = atMs;
		this.#gatherTimer = setTimeout(() => {
			// Another round has begun meanwhile: its result belongs here as well.
			if (this.#underWay > 0 && ms < GATHER_MS) {
				this.#tellAtMs = Number.POSITIVE_INFINITY;
				this.#tellIn(GATHER_MS);
			} else this.#tell();
		}, ms);
	}

	/** Hands over what was gathered. */
	#tell(): void {
		clearTimeout(this.#gatherTimer);
		this.#tellAtMs = Number.POSITIVE_INFINITY;
		const gathered = this.#gathered;
		if (gathered.length === 0) return;
		this.#gathered = [];
		gathered.sort((a, b) => a.place - b.place);
		this.#options.sink(
			gathered.flatMap(({ batch }) => batch),
			Math.max(...gathered.map(({ nowMs }) => nowMs)),
		);
	}

	async #read(source: Source): Promise<boolean> {
		const { clock, log } = this.#options;
		const { input } = source;
		const nowMs = clock.now();
		const started = clock.monotonic();
		let families: readonly MetricFamily[];
		let ok = true;
		try {
			families = await this.#collect(source, nowMs);
		} catch (error) {
			if (this.#stopping.signal.aborted) return false;
			ok = false;
			families = input.onFailure;
			const fields = { input: input.name, instance: input.target['instance'], error: errorText(error) };
			// Said once when it begins; the metric says it every round.
			if (!source.failing) log.warn(fields, 'an input fails');
		}
		if (ok && source.failing) log.info({ input: input.name, instance: input.target['instance'] }, 'an input works again');
		source.failing = !ok;
		const seconds = (clock.monotonic() - started) / 1000;
		// The series of its round before are the same objects.
		if (this.#gathered.some(({ place }) => place === source.place)) this.#tell();
		const batch = source.series.update(families, nowMs);
		const about = source.about.update(
			[
				singleGauge('fournines_agent_input_up', 'Whether the last collection of the input succeeded.', ok ? 1 : 0),
				singleGauge('fournines_agent_input_duration_seconds', 'How long the last collection of the input took.', seconds),
			],
			nowMs,
		);
		this.#gathered.push({ place: source.place, batch, nowMs }, { place: source.place, batch: about, nowMs });
		return ok;
	}

	async #collect(source: Source, nowMs: number): Promise<readonly MetricFamily[]> {
		const { input } = source;
		if (source.outstanding !== null) {
			this.#options.onMissed(input.name);
			throw new AppError(
				'FN_AGENT_INPUT_BUSY',
				`the collection before is still running, although its deadline of ${input.timeoutMs} ms is over`,
				{
					retryable: true,
				},
			);
		}
		const abort = new AbortController();
		const stop = () => abort.abort();
		this.#stopping.signal.addEventListener('abort', stop, { once: true });
		let timer: NodeJS.Timeout | undefined;
		try {
			const deadline = new Promise<never>((_, reject) => {
				const give = () => reject(new AppError('FN_AGENT_INPUT_TIMEOUT', `no result within ${input.timeoutMs} ms`, { retryable: true }));
				timer = setTimeout(() => {
					give();
					abort.abort();
				}, input.timeoutMs);
				abort.signal.addEventListener('abort', give, { once: true });
			});
			const collection = input.collect(abort.signal, nowMs);
			const settled = collection.then(
				() => {
					source.outstanding = null;
				},
				() => {
					source.outstanding = null;
				},
			);
			source.outstanding = settled;
			return await Promise.race([collection, deadline]);
		} finally {
			clearTimeout(timer);
			this.#stopping.signal.removeEventListener('abort', stop);
		}
	}
}
