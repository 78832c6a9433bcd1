import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { errorText, systemErrorCode } from '../../core/errors.ts';
import { httpExchange } from '../../core/http-client.ts';
import type { Logger } from '../../core/log.ts';
import { Repetition } from '../../core/repetition.ts';
import type { Secret } from '../../core/secret.ts';
import type { AgentLabels, AgentSyncAnswer, AgentSyncRequest } from '../../protocol/agent-api.ts';

export interface CentralSyncOptions {
	/** `/api/fournines/v1/agent/sync` of the collector. */
	readonly url: string;
	readonly token: () => Secret | null;
	readonly ca?: () => string;
	readonly timeoutMs: number;
	readonly userAgent: string;
	readonly agentVersion: string;
	readonly intervalMs: number;
	/** Those of the enrolment: in force where no document ever was. */
	readonly enrolledLabels: AgentLabels;
	/** Where the last good document is kept, for the time without a collector. */
	readonly dataDir: string;
	/** Puts a document in force; throws when it cannot be, and then what was in force stays. */
	readonly apply: (document: CentralDocumentInForce) => Promise<void>;
	/** Told after every answer: whether the last document could not be put in force. */
	readonly onState: (failing: boolean) => void;
	readonly clock: Clock;
	readonly log: Logger;
}

export interface CentralDocumentInForce {
	readonly version: string;
	readonly labels: AgentLabels;
	readonly config: Readonly<Record<string, unknown>>;
}

const FILE = 'central.json';

/** The document that was in force last; `null` when there is none that can be read. */
export function loadLastGood(dataDir: string): CentralDocumentInForce | null {
	try {
		const value = JSON.parse(readFileSync(join(dataDir, FILE), 'utf8')) as CentralDocumentInForce;
		return typeof value.version === 'string' && typeof value.labels === 'object' && typeof value.config === 'object' ? value : null;
	} catch {
		// Absent, or damaged: the host's own file is enough until the collector answers.
		return null;
	}
}

/** Asks the collector what this agent should run on, puts it in force, and reports what came of it. */
export class CentralSync {
	readonly #options: CentralSyncOptions;
	readonly #asking: Repetition;
	#inForce: CentralDocumentInForce | null;
	#failed: { readonly version: string; readonly reason: string } | null = null;

	constructor(options: CentralSyncOptions, inForce: CentralDocumentInForce | null) {
		this.#options = options;
		this.#inForce = inForce;
		const { clock, intervalMs, log, onState } = options;
		this.#asking = new Repetition({
			clock,
			everyMs: () => intervalMs * (0.9 + 0.2 * Math.random()),
			run: async (signal) => {
				// Whatever was just put in force is reported at once, so that whoever waits for it sees it.
				while (await this.#once(signal));
				onState(this.#failed !== null);
			},
			onFailure: (error, again) => {
				if (!again) log.warn({ error: errorText(error) }, 'the collector could not be asked for the configuration');
			},
			onRecovery: () => log.info({}, 'the collector answers for the configuration again'),
		});
	}

	start(): void {
		this.#asking.start();
	}

	stop(): Promise<void> {
		return this.#asking.stop();
	}

	/** Whether something is to be reported now. */
	async #once(signal: AbortSignal): Promise<boolean> {
		const { log, dataDir, enrolledLabels } = this.#options;
		const answer = await this.#ask(signal);
		const { version, labels, config } = answer;
		const same = version === (this.#inForce?.version ?? '') && sameLabels(labels, this.#inForce?.labels ?? enrolledLabels);
		if (same || version === this.#failed?.version) {
			if (same && this.#failed !== null) {
				this.#failed = null;
				return true;
			}
			return false;
		}
		const document = { version, labels, config };
		try {
			await this.#options.apply(document);
		} catch (error) {
			this.#failed = { version, reason: errorText(error).slice(0, 10_000) };
			log.error({ version, error: errorText(error) }, 'the central configuration cannot be used; the one before stays in force');
			return true;
		}
		this.#inForce = document;
		this.#failed = null;
		try {
			writeFileSync(join(dataDir, `${FILE}.new`), JSON.stringify(document), { mode: 0o600 });
			renameSync(join(dataDir, `${FILE}.new`), join(dataDir, FILE));
		} catch (error) {
			log.error({ code: systemErrorCode(error) }, 'the central configuration cannot be kept for the next start');
		}
		log.info({ version }, 'a central configuration is in force');
		return true;
	}

	async #ask(signal: AbortSignal): Promise<AgentSyncAnswer> {
		const { url, token, ca, timeoutMs, userAgent, agentVersion } = this.#options;
		const key = token();
		const body: AgentSyncRequest = {
			agentVersion,
			configVersion: this.#inForce?.version ?? '',
			state: this.#failed !== null ? 'failed' : (this.#inForce?.version ?? '') === '' ? 'none' : 'applied',
			failedVersion: this.#failed?.version ?? '',
			reason: this.#failed?.reason ?? '',
		};
		const response = await httpExchange(url, {
			method: 'POST',
			headers: {
				'content-type': 'application/json',
				'user-agent': userAgent,
				...(key === null ? {} : { authorization: `Bearer ${key.reveal()}` }),
			},
			body: JSON.stringify(body),
			timeoutMs,
			maxBodyBytes: 4 * 1024 * 1024,
			signal,
			...(ca === undefined ? {} : { ca: ca() }),
		});
		if (response.status !== 200) throw new Error(`it answered ${response.status}: ${response.body.toString('utf8', 0, 300)}`);
		return JSON.parse(response.body.toString('utf8')) as AgentSyncAnswer;
	}
}

function sameLabels(a: AgentLabels, b: AgentLabels): boolean {
	return a.system === b.system && a.zone === b.zone;
}
