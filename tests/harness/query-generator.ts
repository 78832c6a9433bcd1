import { labelsFromObject } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';

/** A reproducible source of numbers in [0, 1): mulberry32. */
export function seededRandom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
	};
}

export interface GeneratedSeries {
	readonly labels: Labels;
	readonly samples: readonly (readonly [timeMs: number, value: number])[];
}

export const DATA_START_MS = 1_700_000_400_000;
const SAMPLES = 240;
const STEP_MS = 15_000;

/**
 * Series for the generated queries: counters that stay far from zero, gauges, classic buckets, and one with gaps. Samples lie
 * 7.123 seconds off every round time, so that no window begins or ends on one: there Prometheus 2 and 3 differ.
 */
export function generatedSeries(random: () => number): readonly GeneratedSeries[] {
	const series: GeneratedSeries[] = [];
	const times = Array.from({ length: SAMPLES }, (_, i) => DATA_START_MS + i * STEP_MS + 7123);
	const add = (name: string, labels: Readonly<Record<string, string>>, value: (i: number) => number | null) => {
		const samples = times.flatMap((time, i) => {
			const now = value(i);
			return now === null ? [] : [[time, now] as const];
		});
		series.push({ labels: labelsFromObject({ __name__: name, ...labels }), samples });
	};
	for (const job of ['api', 'web']) {
		for (const instance of ['a', 'b', 'c']) {
			let total = 1e7 + Math.floor(random() * 1e6);
			add('c_total', { job, instance, zone: instance === 'a' ? 'z1' : 'z2' }, (i) => {
				total = i > 0 && i % 97 === 0 ? 5e6 + Math.floor(random() * 1e5) : total + Math.floor(random() * 500);
				return total;
			});
			add('g', { job, instance, zone: instance === 'a' ? 'z1' : 'z2' }, () => Math.round((random() * 200 - 100) * 1000) / 1000);
		}
		add('one', { job }, () => 1 + random());
		const counts = [0, 0, 0, 0];
		const bounds = ['0.1', '0.5', '2', '+Inf'];
		for (let b = 0; b < bounds.length; b++) counts[b] = 1000 * (b + 1);
		const steps = times.map(() => bounds.map(() => Math.floor(random() * 20)));
		bounds.forEach((le, b) => {
			let total = counts[b] ?? 0;
			add('h_bucket', { job, le }, (i) => {
				for (let lower = 0; lower <= b; lower++) total += steps[i]?.[lower] ?? 0;
				return total;
			});
		});
	}
	add('gap', { instance: 'a' }, (i) => (i % 60 < 30 ? Math.round(random() * 1e4) / 100 : null));
	return series;
}

/** Well-typed random queries over those series, of what Prometheus 2.42 knows. */
export class QueryGenerator {
	readonly #random: () => number;

	constructor(random: () => number) {
		this.#random = random;
	}

	query(): string {
		return this.#chance(0.12) ? this.#scalar(2) : this.#vector(3);
	}

	#pick<T>(list: readonly T[]): T {
		return list[Math.floor(this.#random() * list.length)] as T;
	}

	#chance(probability: number): boolean {
		return this.#random() < probability;
	}

	#number(): string {
		return this.#pick(['0.5', '1', '2', '3.25', '10', '-1.5', '100']);
	}

	#selector(names: readonly string[] = ['c_total', 'g', 'one', 'gap', 'h_bucket']): string {
		const name = this.#pick(names);
		const matcher = this.#pick([
			'',
			'',
			'',
			'job="api"',
			'job=~"a.*"',
			'instance!="b"',
			'instance=~"a|c"',
			'zone!~"z1|x"',
			'job=~".+",instance!=""',
			'nope=""',
		]);
		return matcher === '' ? name : `${name}{${matcher}}`;
	}

	#modifiers(): string {
		return this.#pick([
			'',
			'',
			'',
			'',
			' offset 5m',
			' offset -2m',
			` @ ${(DATA_START_MS + 1_803_000) / 1000}`,
			' @ start()',
			' @ end() offset 1m',
		]);
	}

	#range(): string {
		return this.#pick(['1m', '2m', '5m', '10m30s', '20m']);
	}

	#matrix(depth: number, names?: readonly string[]): string {
		if (depth > 0 && this.#chance(0.2))
			return `${this.#pick([this.#selector(names), `(${this.#vector(depth - 1)})`])}[${this.#range()}:${this.#pick(['30s', '1m', ''])}]${this.#modifiers()}`;
		return `${this.#selector(names)}[${this.#range()}]${this.#modifiers()}`;
	}

	#scalar(depth: number): string {
		if (depth === 0 || this.#chance(0.4)) return this.#number();
		return this.#pick([
			() => `scalar(${this.#vector(depth - 1)})`,
			() => `(${this.#scalar(depth - 1)} ${this.#pick(['+', '-', '*', '/', '^'])} ${this.#scalar(depth - 1)})`,
			() => `(${this.#scalar(depth - 1)} ${this.#pick(['>', '<', '>=', '<='])} bool ${this.#scalar(depth - 1)})`,
			() => `-${this.#number().replace('-', '')} ^ 2`,
			() => 'pi()',
			() => 'time() / 1e9',
		])();
	}

	#vector(depth: number): string {
		if (depth === 0) return this.#selector() + this.#modifiers();
		const inner = () => this.#vector(depth - 1);
		return this.#pick([
			() => this.#selector() + this.#modifiers(),
			() => `${this.#pick(['rate', 'increase', 'irate'])}(${this.#matrix(0, ['c_total', 'h_bucket'])})`,
			() => `${this.#pick(['delta', 'idelta', 'deriv'])}(${this.#matrix(0, ['g', 'gap'])})`,
			() =>
				`${this.#pick(['sum', 'avg', 'min', 'max', 'count', 'last', 'stddev', 'stdvar', 'present'])}_over_time(${this.#matrix(depth - 1)})`,
			() => `${this.#pick(['changes', 'resets'])}(${this.#matrix(0)})`,
			() => `quantile_over_time(${this.#pick(['0', '0.25', '0.9', '1'])}, ${this.#matrix(0)})`,
			() =>
				`predict_linear(${this.#selector(['g', 'gap'])}[${this.#range()}]${this.#pick(['', ' offset 5m'])}, ${this.#pick(['60', '3600'])})`,
			() => `absent_over_time(${this.#matrix(0, ['gap', 'nothing'])})`,
			() => this.#aggregation(inner()),
			() => this.#aggregation(inner()),
			() => `${this.#pick(['topk', 'bottomk'])}${this.#grouping()}(${this.#pick(['1', '2', '4'])}, ${this.#selector(['g', 'c_total'])})`,
			() => `quantile${this.#grouping()}(${this.#pick(['0.1', '0.5', '0.95'])}, ${inner()})`,
			() => `count_values${this.#grouping()}("v", ${this.#selector(['g'])})`,
			() => `${this.#pick(['abs', 'exp', 'sqrt', 'ln', 'log2', 'log10', 'sgn', 'sin', 'cos', 'atan', 'tanh', 'deg', 'rad'])}(${inner()})`,
			() => `${this.#pick(['ceil', 'floor', 'round'])}(${this.#selector(['g', 'gap'])})`,
			() => `round(${this.#selector(['g'])}, ${this.#pick(['0.1', '5', '0.25'])})`,
			() => `clamp(${inner()}, ${this.#pick(['-10', '0'])}, ${this.#pick(['10', '50'])})`,
			() => `${this.#pick(['clamp_min', 'clamp_max'])}(${inner()}, ${this.#number()})`,
			() => `-${this.#pick([this.#selector(), `(${inner()})`])}`,
			() => `${inner()} ${this.#pick(['+', '-', '*', '/'])} ${this.#scalar(1)}`,
			() => `${this.#scalar(1)} ${this.#pick(['+', '-', '*', '/'])} ${inner()}`,
			() => `${inner()} ${this.#pick(['>', '<', '>=', '<='])}${this.#pick(['', ' bool'])} ${this.#number()}`,
			() => `${this.#number()} ${this.#pick(['>', '<'])}${this.#pick(['', ' bool'])} ${inner()}`,
			() =>
				`c_total ${this.#pick(['+', '-', '*', '/', '>', '<', '> bool', '< bool'])} ${this.#pick(['', 'ignoring (nope) ', 'on (job, instance) '])}g`,
			() => `g ${this.#pick(['*', '/', '+', '<'])} ${this.#pick(['on (job) group_left ', 'ignoring (instance, zone) group_left '])}one`,
			() => `one ${this.#pick(['*', '-', '>'])} on (job) group_right (zone) g`,
			() =>
				`${this.#selector(['c_total', 'g'])} ${this.#pick(['and', 'or', 'unless'])} ${this.#pick(['', 'on (job) ', 'on (instance) ', 'ignoring (zone) '])}${this.#selector(['g', 'gap', 'one'])}`,
			() =>
				`label_replace(${this.#selector(['g', 'one'])}, "${this.#pick(['new', 'job'])}", "${this.#pick(['$1-x', `$\{1}_x`, ''])}", "${this.#pick(['job', 'instance'])}", "${this.#pick(['(.*)', '(a).*', 'zz'])}")`,
			() => `label_join(${this.#selector(['g', 'one'])}, "new", "${this.#pick(['-', ''])}", "job", "instance")`,
			() =>
				`histogram_quantile(${this.#pick(['0', '0.3', '0.9', '1'])}, ${this.#pick(['rate(h_bucket[5m])', 'h_bucket', 'sum by (le) (rate(h_bucket[10m]))', 'sum without (job) (h_bucket)'])})`,
			() => `${this.#pick(['timestamp', 'absent'])}(${this.#selector()})`,
			() =>
				`${this.#pick(['hour', 'minute', 'day_of_week', 'day_of_month', 'days_in_month', 'month', 'year', 'day_of_year'])}(${this.#pick(['', 'c_total * 100'])})`,
			() => `vector(${this.#scalar(1)})`,
			() => `sort${this.#pick(['', '_desc'])}(${this.#selector(['g'])})`,
			() => `(${inner()})`,
		])();
	}

	#grouping(): string {
		return this.#pick(['', ' by (job)', ' by (job, zone)', ' without (instance)', ' by ()', ' by (nope)']);
	}

	#aggregation(inner: string): string {
		const op = this.#pick(['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar']);
		const grouping = this.#grouping();
		return this.#chance(0.5) ? `${op}${grouping}(${inner})` : `${op}(${inner})${grouping}`;
	}
}
