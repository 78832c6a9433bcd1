import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../core/log.ts';
import type { BoardSource } from './api/product/overview-routes.ts';

interface BoardFile {
	readonly uid: string;
	readonly title: string;
	readonly description: string;
	readonly tags: readonly string[];
	readonly text: string;
}

/** Reads every Grafana dashboard of the folder once; a file that is not one is reported and left out. */
export function loadBoards(folder: string, log: Logger): BoardSource {
	const boards = new Map<string, BoardFile>();
	for (const name of existsSync(folder) ? readdirSync(folder).sort() : []) {
		if (!name.endsWith('.json')) continue;
		try {
			const text = readFileSync(join(folder, name), 'utf8');
			const { uid, title, description, tags } = JSON.parse(text) as Partial<BoardFile>;
			if (typeof uid !== 'string' || typeof title !== 'string') throw new Error('it has no uid or no title');
			boards.set(uid, { uid, title, description: description ?? '', tags: tags ?? [], text });
		} catch (error) {
			log.warn({ board: name, error: error instanceof Error ? error.message : String(error) }, 'a board was left out');
		}
	}
	return {
		list: () => ({ boards: [...boards.values()].map(({ text: _text, ...board }) => board) }),
		get: (uid) => boards.get(uid)?.text ?? null,
	};
}
