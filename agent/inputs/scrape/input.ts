import type { Clock } from '../../../core/clock.ts';
import { AppError } from '../../../core/errors.ts';
import { httpExchange } from '../../../core/http-client.ts';
import type { Secret } from '../../../core/secret.ts';
import { expositionFormat } from '../../../protocol/exposition/parse.ts';
import { compileRegex } from '../bounded-regex.ts';
import { ExpositionPage } from '../exposition-page.ts';
import { type Input, singleGauge } from '../input.ts';

export interface ScrapeInputOptions {
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	readonly url: string;
	readonly username: string | null;
	readonly password: () => Secret | null;
	readonly bearer: () => Secret | null;
	readonly ca: string | null;
	readonly keep: string | null;
	readonly drop: string | null;
	readonly maxSamples: number;
	readonly maxBodyBytes: number;
	readonly userAgent: string;
	readonly clock: Clock;
}

const UP_HELP = 'Whether the last read of the exporter succeeded.';
const ACCEPT = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

/** Passes a local exporter on. Labels that collide with the target's get the prefix `exported_`; times in the text are left out. */
export function createScrapeInput(options: ScrapeInputOptions): Input {
	const reserved = new Set(Object.keys(options.target));
	const page = new ExpositionPage();
	let filter: ((name: string) => boolean) | null = null;
	return {
		name: 'scrape',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs,
		onFailure: [singleGauge('up', UP_HELP, 0)],
		async collect(signal) {
			filter ??= await nameFilter(options.keep, options.drop);
			const started = options.clock.monotonic();
			const response = await httpExchange(options.url, {
				headers: { accept: ACCEPT, 'user-agent': options.userAgent, ...authorization(options) },
				timeoutMs: options.timeoutMs,
				maxBodyBytes: options.maxBodyBytes,
				signal,
				...(options.ca === null ? {} : { ca: options.ca }),
			});
			if (response.status !== 200)
				throw new AppError('FN_AGENT_SOURCE_STATUS', `the exporter answered ${response.status}`, {
					status: response.status,
					retryable: true,
				});
			const type = response.headers['content-type'];
			const read = page.read(response.body, {
				format: expositionFormat(typeof type === 'string' ? type : undefined),
				maxSamples: options.maxSamples,
				keep: filter,
				reserved,
			});
			const seconds = (options.clock.monotonic() - started) / 1000;
			return [
				...read.families,
				singleGauge('up', UP_HELP, 1),
				singleGauge('scrape_duration_seconds', 'How long reading the exporter took.', seconds),
				singleGauge('scrape_samples_scraped', 'Samples that the exporter gave.', read.samples),
				singleGauge('scrape_samples_post_metric_relabeling', 'Samples that were kept.', read.kept),
			];
		},
		async close() {},
	};
}

function authorization({ username, password, bearer }: ScrapeInputOptions): Readonly<Record<string, string>> {
	const token = bearer()?.reveal();
	if (token !== undefined) return { authorization: `Bearer ${token}` };
	if (username === null) return {};
	return { authorization: `Basic ${Buffer.from(`${username}:${password()?.reveal() ?? ''}`).toString('base64')}` };
}

async function nameFilter(keep: string | null, drop: string | null): Promise<(name: string) => boolean> {
	const kept = keep === null ? null : await compileRegex(`^(?:${keep})$`);
	const dropped = drop === null ? null : await compileRegex(`^(?:${drop})$`);
	// A page has the same few hundred names each time; each is judged once.
	const known = new Map<string, boolean>();
	return (name) => {
		let verdict = known.get(name);
		if (verdict === undefined) {
			verdict = (kept === null || kept.test(name)) && (dropped === null || !dropped.test(name));
			if (known.size < 10_000) known.set(name, verdict);
		}
		return verdict;
	};
}
