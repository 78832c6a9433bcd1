import { readFileSync } from 'node:fs';
import type { Registry } from 'prom-client';
import type { Static } from 'typebox';
import type { Clock } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import { AppError, systemErrorCode } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { StateDatabase } from '../state/database.ts';
import type { InboxConfigSchema } from './config.ts';
import { InboxFolder } from './inbox-folder.ts';
import { createInboxMetrics } from './metrics.ts';
import { createSenderState } from './sender-state.ts';
import { TransferIntake, type TransferTargets } from './transfer-intake.ts';

export interface Inbox {
	readonly intake: TransferIntake;
	start(): void;
	stop(): Promise<void>;
}

/** Opens the configured inboxes. Throws `FN_INBOX_FOLDER` or `FN_INBOX_KEY` when one cannot be used. */
export function openInbox(options: {
	readonly config: Static<typeof InboxConfigSchema>;
	readonly state: StateDatabase;
	readonly targets: TransferTargets;
	/** PEM of the key of an enrolled agent. */
	readonly agentKey: (host: string) => Promise<string | null>;
	readonly metrics: Registry;
	readonly clock: Clock;
	readonly log: Logger;
}): Inbox {
	const { clock, log } = options;
	const keys = new Map<string, string>();
	for (const { senders } of options.config) for (const { name, public_key_file: file } of senders) keys.set(name, readKey(file));
	const metrics = createInboxMetrics(options.metrics);
	const intake = new TransferIntake({
		state: createSenderState(options.state, clock),
		targets: options.targets,
		publicKey: async (sender) => keys.get(sender) ?? options.agentKey(sender),
		metrics,
		clock,
		log,
	});
	const folders = options.config.map(
		({ name, folder, delay, every }) =>
			new InboxFolder({ name, folder, delayMs: parseDuration(delay), everyMs: parseDuration(every), intake, metrics, clock, log }),
	);
	return {
		intake,
		start: () => {
			for (const folder of folders) folder.start();
		},
		stop: async () => {
			await Promise.all(folders.map((folder) => folder.stop()));
		},
	};
}

function readKey(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		throw new AppError('FN_INBOX_KEY', `the public key ${file} cannot be read (${systemErrorCode(error)}); check server.inbox`, {
			cause: error,
		});
	}
}
