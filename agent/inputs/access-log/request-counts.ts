import type { FamilySet } from '../input.ts';
import type { LogLine } from './log-format.ts';

export interface Route {
	readonly name: string;
	readonly path: RegExp;
}

/** Seconds. Those of the usual web histograms, so that boards fit. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);
const OTHER = 'other';
/** Servers that are told apart: `$host` is what a client sends, so it can be anything. */
const MAX_SERVERS = 32;
/** Combinations of server, route, method and status; the rest is added to `other`. */
const MAX_COUNTS = 2000;

interface Histogram {
	readonly labels: readonly string[];
	readonly bucketLabels: readonly (readonly string[])[];
	/** Per bucket, not cumulative while counting. */
	readonly hits: Float64Array;
	sum: number;
}

interface Totals {
	readonly labels: readonly string[];
	requests: number;
	bytes: number;
}

/** Requests of an access log since the start, by server, route, method and status: bounded whatever clients send. */
export class RequestCounts {
	readonly #prefix: string;
	readonly #routes: readonly Route[];
	readonly #server: string;
	readonly #servers = new Set<string>();
	readonly #totals = new Map<string, Totals>();
	readonly #times = new Map<string, Histogram>();
	readonly #upstreamTimes = new Map<string, Histogram>();
	#unparsed = 0;

	/** `prefix` is `nginx` or `tomcat`; `server` names the server where lines do not. */
	constructor(options: { readonly prefix: string; readonly routes: readonly Route[]; readonly server: string }) {
		this.#prefix = options.prefix;
		this.#routes = options.routes;
		this.#server = options.server;
	}

	add(line: LogLine | null): void {
		if (line === null) {
			this.#unparsed++;
			return;
		}
		const server = this.#serverOf(line.server);
		const route = this.#routeOf(line.path);
		const method = METHODS.has(line.method) ? line.method : OTHER;
		const totals = this.#totalsOf(server, route, method, line.status);
		totals.requests++;
		totals.bytes += line.bytes;
		if (!Number.isNaN(line.timeSeconds)) observe(histogramOf(this.#times, server, route), line.timeSeconds);
		if (!Number.isNaN(line.upstreamSeconds)) observe(histogramOf(this.#upstreamTimes, server, route), line.upstreamSeconds);
	}

	families(families: FamilySet): void {
		const name = (what: string) => `${this.#prefix}_http_${what}`;
		for (const { labels, requests, bytes } of this.#totals.values()) {
			families.counter(name('response_count_total'), 'Amount of processed HTTP requests.', requests, labels);
			families.counter(name('response_size_bytes'), 'Total amount of transferred bytes.', bytes, labels);
		}
		const histograms = [
			[this.#times, 'response_time_seconds', 'Time needed to handle requests.'],
			[this.#upstreamTimes, 'upstream_time_seconds', 'Time needed by upstream servers to handle requests.'],
		] as const;
		for (const [entries, what, help] of histograms) {
			for (const { labels, bucketLabels, hits, sum } of entries.values()) {
				const counts = new Float64Array(hits.length);
				let total = 0;
				for (let i = 0; i < hits.length; i++) {
					total += hits[i] as number;
					counts[i] = total;
				}
				families.histogram(name(what), help, { labels, bucketLabels, counts, sum });
			}
		}
		families.counter('fournines_access_log_unparsed_lines_total', 'Lines that do not fit the format.', this.#unparsed);
	}

	#serverOf(name: string): string {
		if (name === '' || name === '-') return this.#server;
		if (this.#servers.has(name)) return name;
		if (this.#servers.size >= MAX_SERVERS) return OTHER;
		this.#servers.add(name);
		return name;
	}

	#routeOf(path: string): string {
		for (const route of this.#routes) if (route.path.test(path)) return route.name;
		return OTHER;
	}

	#totalsOf(server: string, route: string, method: string, status: string): Totals {
		const key = `${server}\n${route}\n${method}\n${status}`;
		const known = this.#totals.get(key);
		if (known !== undefined) return known;
		if (this.#totals.size >= MAX_COUNTS && server !== OTHER) return this.#totalsOf(OTHER, OTHER, OTHER, `${status.charAt(0)}xx`);
		const totals = { labels: ['server', server, 'route', route, 'method', method, 'status', status], requests: 0, bytes: 0 };
		this.#totals.set(key, totals);
		return totals;
	}
}

function histogramOf(entries: Map<string, Histogram>, server: string, route: string): Histogram {
	const key = `${server}\n${route}`;
	let histogram = entries.get(key);
	if (histogram === undefined) {
		const labels = ['server', server, 'route', route];
		histogram = {
			labels,
			bucketLabels: [...BOUNDS.map(String), '+Inf'].map((bound) => [...labels, 'le', bound]),
			hits: new Float64Array(BOUNDS.length + 1),
			sum: 0,
		};
		entries.set(key, histogram);
	}
	return histogram;
}

function observe(histogram: Histogram, seconds: number): void {
	let bucket = 0;
	while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] as number)) bucket++;
	histogram.hits[bucket] = (histogram.hits[bucket] as number) + 1;
	histogram.sum += seconds;
}
