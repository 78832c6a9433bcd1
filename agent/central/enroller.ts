import type { Clock } from '../../core/clock.ts';
import { AppError, errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Secret } from '../../core/secret.ts';
import { BackOff } from '../uplink/back-off.ts';
import { type AgentIdentity, type EnrolOptions, enrol, loadIdentity, saveIdentity, tokenDigest } from './identity.ts';

export interface EnrollerOptions extends Omit<EnrolOptions, 'token'> {
	/** The one-time token of the configuration. */
	readonly token: () => Secret | null;
	readonly clock: Clock;
	readonly log: Logger;
	readonly backOff?: BackOff;
}

/** A refusal is for a person to settle, who puts another token into the file; it is read again at every attempt. */
const REFUSED_MS = 60_000;

/** Holds the identity of this agent, and gets it where there is none yet or the configuration has another one-time token. */
export class Enroller {
	readonly #options: EnrollerOptions;
	readonly #stopping = new AbortController();
	#identity: AgentIdentity | null;
	#running: Promise<void> | null = null;

	/** Throws `FN_AGENT_IDENTITY`, or `FN_SECRET_UNREADABLE` when there is neither an identity nor a token. */
	constructor(options: EnrollerOptions) {
		this.#options = options;
		const kept = loadIdentity(options.dataDir);
		const token = kept === null ? options.token() : readable(options.token);
		const anew = kept !== null && token !== null && tokenDigest(token) !== kept.enrolledWith;
		this.#identity = anew || kept?.host !== options.host ? null : kept;
	}

	get identity(): AgentIdentity | null {
		return this.#identity;
	}

	/** Tries until the collector has enrolled this agent, then calls `onEnrolled`. */
	start(onEnrolled: () => void): void {
		this.#running ??= this.#run(onEnrolled, this.#stopping.signal);
	}

	async stop(): Promise<void> {
		this.#stopping.abort();
		await this.#running;
	}

	async #run(onEnrolled: () => void, signal: AbortSignal): Promise<void> {
		const { clock, log, dataDir } = this.#options;
		const backOff = this.#options.backOff ?? new BackOff({ firstMs: 1000, maxMs: 60_000 });
		while (!signal.aborted) {
			try {
				const token = this.#options.token();
				if (token === null) return;
				const identity = await enrol({ ...this.#options, token });
				saveIdentity(dataDir, identity);
				this.#identity = identity;
				log.info({ host: identity.host, system: identity.system, zone: identity.zone }, 'this agent is enrolled');
				if (!signal.aborted) onEnrolled();
				return;
			} catch (error) {
				const refused = error instanceof AppError && !error.retryable;
				const afterMs = refused ? REFUSED_MS : backOff.next();
				log.error({ error: errorText(error), retryInMs: afterMs }, 'this agent could not be enrolled');
				await clock.sleep(afterMs, signal);
			}
		}
	}
}

/** The one-time token is usually removed once it has been used. */
function readable(token: () => Secret | null): Secret | null {
	try {
		return token();
	} catch {
		return null;
	}
}
