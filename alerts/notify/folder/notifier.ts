import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Static } from 'typebox';
import { errorText, systemErrorCode } from '../../../core/errors.ts';
import { compactShanghai } from '../../templates/shanghai-time.ts';
import { byteLength } from '../../templates/shorten.ts';
import { PLAIN } from '../../templates/texts.ts';
import { notifierFrame, textOf } from '../channel-frame.ts';
import type { Notifier, NotifierContext, SendResult } from '../notifier.ts';
import { webhookPayload } from '../webhook/payload.ts';
import type { FolderConfigSchema } from './config.ts';

const LIMIT_BYTES = 64 * 1024;

/** One file per message, complete or not there at all; its name is the same over all attempts, so a repetition replaces it. */
export function createFolder(config: Static<typeof FolderConfigSchema>, context: NotifierContext): Notifier {
	const write = textOf(context, { type: 'folder', style: 'message', language: config.language, markup: PLAIN });
	return {
		...notifierFrame('folder', config, context, [config.path]),
		digests: false,
		compose: async (notification) => {
			const text =
				config.format === 'json'
					? JSON.stringify(webhookPayload(notification, { externalUrl: context.externalUrl, maxAlerts: 0 }))
					: `${await write(notification, false, { limit: LIMIT_BYTES, measure: byteLength, listed: 200, spelledOut: 50 })}\n`;
			const name = `${compactShanghai(notification.createdAtMs)}-${notification.number}-${notification.id}.${config.format === 'json' ? 'json' : 'txt'}`;
			return { text, send: () => deliver(config, name, text) };
		},
	};
}

async function deliver(config: Static<typeof FolderConfigSchema>, name: string, text: string): Promise<SendResult> {
	const part = join(config.path, `.${name}.part`);
	try {
		const files = await readdir(config.path);
		if (files.length >= config.max_files) {
			const reason = `${files.length} files lie in ${config.path}; nobody takes them`;
			return { kind: 'retry', code: 'full', reason, possiblySent: false, afterMs: 60_000 };
		}
		const file = await open(part, 'w', 0o640);
		try {
			await file.writeFile(text);
			await file.sync();
		} finally {
			await file.close();
		}
		await rename(part, join(config.path, name));
		return { kind: 'sent', code: 'written' };
	} catch (error) {
		await rm(part, { force: true }).catch(() => {});
		return { kind: 'retry', code: systemErrorCode(error) || 'error', reason: errorText(error), possiblySent: false };
	}
}
