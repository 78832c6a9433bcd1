import type { Counter } from 'prom-client';
import type { Clock } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import { errorText } from '../../core/errors.ts';
import type { httpExchange } from '../../core/http-client.ts';
import type { Logger } from '../../core/log.ts';
import type { Secret, SecretRef } from '../../core/secret.ts';
import { type Alert, isFiring } from '../alert.ts';
import { channelHttp } from '../notify/way-out.ts';
import { type Matcher, matchesAll, parseMatchers } from '../route/matcher.ts';
import type { ForwardConfig } from './config.ts';

export interface ForwarderOptions {
	readonly config: ForwardConfig;
	/** All open alerts, hidden ones included: the other side has silences of its own. */
	readonly alerts: () => readonly Alert[];
	readonly secret: (ref: SecretRef) => Secret;
	readonly http: typeof httpExchange;
	readonly clock: Clock;
	readonly log: Logger;
	readonly forwarded: Counter<'outcome'>;
}

const ALERTS_PER_POST = 500;
/** The other side forgets what fires after so many intervals without a word. */
const FORGOTTEN_AFTER = 4;
/** At least so long between two posts, however many alerts change. */
const CALM_MS = 1000;
const RETRY_MS = 5000;
/** Ends of alerts that wait to be told; beyond, the other side lets them expire by itself. */
const MAX_ENDS = 50_000;

/**
 * Posts alerts to an Alertmanager as Prometheus does: what fires is repeated with an end in the near future, what ended is
 * posted until it was taken. It keeps nothing on disk: after a restart what fires is posted again, and what ended meanwhile expires there.
 */
export class Forwarder {
	readonly #options: ForwarderOptions;
	readonly #matchers: readonly Matcher[];
	readonly #http: typeof httpExchange;
	readonly #authorization: Secret | null;
	readonly #intervalMs: number;
	/** Told as firing, and the last known state. */
	readonly #told = new Map<string, Alert>();
	readonly #stop = new AbortController();
	#wake = new AbortController();
	#running: Promise<void> | null = null;
	/** Alerts changed since the last post. */
	#poked = false;

	/** Throws `FN_ALERTS_MATCHER`, `FN_SECRET_UNREADABLE` and `FN_ALERTS_CA_UNREADABLE`. */
	constructor(options: ForwarderOptions) {
		const { config } = options;
		this.#options = options;
		this.#matchers = config.matchers.flatMap(parseMatchers);
		this.#http = channelHttp(options.http, config.http_config, options);
		this.#authorization = config.authorization === undefined ? null : options.secret(config.authorization);
		this.#intervalMs = parseDuration(config.interval);
	}

	start(): void {
		this.#running ??= this.#run();
	}

	/** Something changed: need not wait for the next interval. */
	poke(): void {
		this.#poked = true;
		this.#wake.abort();
	}

	async stop(): Promise<void> {
		this.#stop.abort();
		this.#wake.abort();
		await this.#running;
	}

	async #run(): Promise<void> {
		const { clock, log, forwarded, config } = this.#options;
		const { signal } = this.#stop;
		while (!signal.aborted) {
			this.#wake = new AbortController();
			this.#poked = false;
			let pauseMs = this.#intervalMs;
			try {
				await this.#post();
			} catch (error) {
				if (signal.aborted) return;
				forwarded.inc({ outcome: 'failed' });
				log.warn({ to: new URL(config.url).host, error: errorText(error) }, 'alerts could not be forwarded; trying again');
				await clock.sleep(Math.min(RETRY_MS, this.#intervalMs), signal);
				pauseMs = 0;
			}
			await clock.sleep(Math.min(CALM_MS, this.#intervalMs), signal);
			if (pauseMs > 0 && !this.#poked) await clock.sleep(pauseMs, this.#wake.signal);
		}
	}

	async #post(): Promise<void> {
		const { clock, alerts } = this.#options;
		const nowMs = clock.now();
		const open = new Map(alerts().map((alert) => [alert.fingerprint, alert]));
		const firing = [...open.values()].filter((alert) => isFiring(alert, nowMs) && matchesAll(this.#matchers, alert.labels));
		const now = new Set(firing.map(({ fingerprint }) => fingerprint));
		const ended = [...this.#told.values()]
			.filter(({ fingerprint }) => !now.has(fingerprint))
			.map((alert) => open.get(alert.fingerprint) ?? alert);
		const body = [
			...ended.map((alert) => posted(alert, alert.resolvedAtMs ?? nowMs)),
			...firing.map((alert) => posted(alert, nowMs + FORGOTTEN_AFTER * this.#intervalMs)),
		];
		for (let i = 0; i < body.length; i += ALERTS_PER_POST) await this.#send(body.slice(i, i + ALERTS_PER_POST));
		this.#told.clear();
		for (const alert of firing.slice(0, MAX_ENDS)) this.#told.set(alert.fingerprint, alert);
	}

	async #send(alerts: readonly object[]): Promise<void> {
		const { config, forwarded } = this.#options;
		const response = await this.#http(`${config.url.replace(/\/+$/, '')}/api/v2/alerts`, {
			method: 'POST',
			headers: {
				'content-type': 'application/json',
				...(this.#authorization === null ? {} : { authorization: this.#authorization.reveal() }),
			},
			body: JSON.stringify(alerts),
			timeoutMs: parseDuration(config.timeout),
			signal: this.#stop.signal,
			maxBodyBytes: 64 * 1024,
		});
		if (response.status >= 300) throw new Error(`it answered ${response.status}: ${response.body.toString('utf8').slice(0, 200)}`);
		forwarded.inc({ outcome: 'taken' }, alerts.length);
	}
}

function posted(alert: Alert, endsAtMs: number): object {
	return {
		labels: alert.labels,
		annotations: alert.annotations,
		startsAt: new Date(alert.startsAtMs).toISOString(),
		endsAt: new Date(Math.max(endsAtMs, alert.startsAtMs + 1)).toISOString(),
		generatorURL: alert.generatorUrl,
	};
}
