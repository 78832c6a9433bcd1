import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { AppError, errorText, systemErrorCode } from '../../core/errors.ts';
import { httpExchange } from '../../core/http-client.ts';
import type { Logger } from '../../core/log.ts';
import { Repetition } from '../../core/repetition.ts';
import type { Secret } from '../../core/secret.ts';
import { formatZoned } from '../../core/zone-time.ts';

export interface LastResortOptions {
	readonly afterMs: number;
	readonly channel: 'wechat_robot' | 'webhook';
	readonly url: () => Secret;
	readonly ca?: () => string;
	readonly agents: readonly string[];
	readonly self: string;
	readonly host: string;
	readonly dataDir: string;
	readonly clock: Clock;
	readonly log: Logger;
	/** How often the state is looked at. Default 15 s. */
	readonly everyMs?: number;
}

/** What an agent answers another at `/-/last-resort`. */
export interface BlindState {
	/** Since when this agent cannot reach the collector; `null` while it can. */
	readonly blindSinceMs: number | null;
	/** Whether this agent has sent the message for this outage. */
	readonly sent: boolean;
}

const FILE = 'last-resort.json';
const PEER_TIMEOUT_MS = 3000;
const SEND_TIMEOUT_MS = 15_000;
const ZONE = 'Asia/Shanghai';

/**
 * When the collector cannot be reached, nobody hears of anything any more. Then one agent of those that are listed says so, once per
 * outage, through a channel of its own: the first in the list that is running and blind, too. One that can reach the collector is reason
 * enough to stay quiet: then only this host is cut off, and the collector tells of that.
 */
export class LastResort {
	readonly #options: LastResortOptions;
	readonly #looking: Repetition;
	#reachedMs: number;
	/** The outage that somebody was told of, by its beginning. */
	#toldOf: number | null;

	constructor(options: LastResortOptions) {
		this.#options = options;
		const kept = load(options.dataDir);
		// A restart in the middle of an outage does not begin another one.
		this.#reachedMs = kept?.reachedMs ?? options.clock.now();
		this.#toldOf = kept?.toldOf ?? null;
		const { clock, everyMs = 15_000, log } = options;
		this.#looking = new Repetition({
			clock,
			everyMs: () => everyMs,
			waitFirst: true,
			run: (signal) => this.#look(signal),
			onFailure: (error) => log.error({ error: errorText(error) }, 'the last-resort message could not be sent; it is tried again'),
		});
	}

	/** To be called whenever the collector has answered, whatever it said. */
	reached(): void {
		const { clock, log } = this.#options;
		const now = clock.now();
		if (this.#toldOf !== null) {
			log.info({ since: formatZoned(this.#toldOf, ZONE) }, 'the collector can be reached again; the outage of monitoring is over');
			this.#toldOf = null;
			this.#reachedMs = now;
			this.#save();
		} else if (now - this.#reachedMs > this.#options.afterMs) this.#save();
		this.#reachedMs = now;
	}

	state(): BlindState {
		const blind = this.#options.clock.now() - this.#reachedMs >= this.#options.afterMs;
		return { blindSinceMs: blind ? this.#reachedMs : null, sent: this.#toldOf !== null };
	}

	start(): void {
		this.#looking.start();
	}

	stop(): Promise<void> {
		return this.#looking.stop();
	}

	async #look(signal: AbortSignal): Promise<void> {
		const { blindSinceMs, sent } = this.state();
		if (blindSinceMs === null || sent) return;
		if (!(await this.#isElected(signal))) return;
		await this.#send(blindSinceMs, signal);
		this.#toldOf = blindSinceMs;
		this.#save();
		this.#options.log.warn({ since: formatZoned(blindSinceMs, ZONE) }, 'the collector cannot be reached; the last-resort message was sent');
	}

	/** Those before this one in the list have the word if they are there; and nobody has it when one of all can reach the collector, or has sent. */
	async #isElected(signal: AbortSignal): Promise<boolean> {
		const { agents, self } = this.#options;
		const others = agents.filter((agent) => agent !== self);
		const states = await Promise.all(others.map(async (agent) => ({ agent, state: await askPeer(agent, signal) })));
		for (const { agent, state } of states) {
			if (state === null) continue;
			if (state.blindSinceMs === null || state.sent) return false;
			if (agents.indexOf(agent) < agents.indexOf(self)) return false;
		}
		return true;
	}

	async #send(sinceMs: number, signal: AbortSignal): Promise<void> {
		const { channel, url, ca, host, agents } = this.#options;
		const since = formatZoned(sinceMs, ZONE);
		const text = [
			'【四个九】监控平台失联',
			`自 ${since} 起，主机 ${host} 等 ${agents.length} 台主机的采集程序无法连接监控平台，期间不会有任何告警。`,
			'请立即检查监控平台主机及网络。恢复后积压的数据会自动补传。',
		].join('\n');
		const body = channel === 'wechat_robot' ? { msgtype: 'text', text: { content: text } } : { text, host, since };
		const response = await httpExchange(url().reveal(), {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify(body),
			timeoutMs: SEND_TIMEOUT_MS,
			maxBodyBytes: 64 * 1024,
			signal,
			...(ca === undefined ? {} : { ca: ca() }),
		});
		// The robot answers 200 also when it refuses; its own code says so.
		const code = channel === 'wechat_robot' ? errorCode(response.body.toString('utf8')) : 0;
		if (response.status >= 300 || code !== 0) {
			throw new AppError('FN_AGENT_LAST_RESORT', `the channel answered ${response.status}, code ${code}; check last_resort.url`, {
				retryable: true,
			});
		}
	}

	#save(): void {
		const { dataDir, log } = this.#options;
		const file = join(dataDir, FILE);
		try {
			writeFileSync(`${file}.new`, JSON.stringify({ reachedMs: this.#reachedMs, toldOf: this.#toldOf }), { mode: 0o600 });
			renameSync(`${file}.new`, file);
		} catch (error) {
			log.error({ code: systemErrorCode(error) }, 'it cannot be kept that the last-resort message was sent; a restart may send it again');
		}
	}
}

async function askPeer(agent: string, signal: AbortSignal): Promise<BlindState | null> {
	try {
		const response = await httpExchange(`http://${agent}/-/last-resort`, { timeoutMs: PEER_TIMEOUT_MS, maxBodyBytes: 4096, signal });
		if (response.status !== 200) return null;
		const { blindSinceMs, sent } = JSON.parse(response.body.toString('utf8')) as Partial<BlindState>;
		if ((typeof blindSinceMs !== 'number' && blindSinceMs !== null) || typeof sent !== 'boolean') return null;
		return { blindSinceMs, sent };
	} catch {
		// Not there, or cut off: somebody else speaks.
		return null;
	}
}

function errorCode(text: string): number {
	try {
		const { errcode } = JSON.parse(text) as { errcode?: unknown };
		return typeof errcode === 'number' ? errcode : -1;
	} catch {
		return -1;
	}
}

function load(dataDir: string): { readonly reachedMs: number; readonly toldOf: number | null } | null {
	try {
		const { reachedMs, toldOf } = JSON.parse(readFileSync(join(dataDir, FILE), 'utf8')) as { reachedMs?: unknown; toldOf?: unknown };
		// Only an outage that was told of is worth remembering; after any other the clock starts anew.
		return typeof reachedMs === 'number' && typeof toldOf === 'number' ? { reachedMs, toldOf } : null;
	} catch {
		return null;
	}
}
