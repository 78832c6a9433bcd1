import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { parseDuration } from '../../../core/duration.ts';
import { AppError, errorText } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import type { ScrapeJobConfig } from '../config.ts';
import { discoveredTargets } from './static-discovery.ts';

/** Files are looked at this often for a change of size or time. Watching by inotify misses network file systems and replaced links. */
const LOOK_MS = 2000;
const MAX_FILE_BYTES = 16 * 1024 * 1024;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export interface FileDiscoveryOptions {
	/** Where relative paths start. */
	readonly folder: string;
	readonly log: Logger;
	/** Called once for each problem. */
	readonly onFailure: () => void;
	/** Called with all targets when any of them changes. */
	readonly onChange: (targets: readonly Record<string, string>[]) => void;
	/** Wall clock in milliseconds. */
	readonly now: () => number;
}

interface KnownFile {
	readonly version: string;
	readonly readMs: number;
	readonly targets: readonly Record<string, string>[];
}

/**
 * Targets from files (`file_sd_configs`): lists of `{targets, labels}` in JSON or YAML. A file that cannot be read or is wrong keeps the
 * targets that it gave before; a file that is gone has none.
 */
export class FileDiscovery {
	readonly #configs: ScrapeJobConfig['file_sd_configs'];
	readonly #options: FileDiscoveryOptions;
	#files = new Map<string, KnownFile>();
	readonly #complained = new Map<string, string>();
	#timer: NodeJS.Timeout | null = null;
	#looking: Promise<void> = Promise.resolve();
	#stopped = false;

	constructor(configs: ScrapeJobConfig['file_sd_configs'], options: FileDiscoveryOptions) {
		this.#configs = configs;
		this.#options = options;
	}

	/** Reads everything once, then goes on looking. */
	async start(): Promise<void> {
		await this.#look();
		const again = () => {
			this.#timer = setTimeout(() => {
				this.#looking = this.#look().then(() => {
					if (!this.#stopped) again();
				});
			}, LOOK_MS);
			this.#timer.unref();
		};
		again();
	}

	/** After this nobody is told of a change. */
	async stop(): Promise<void> {
		this.#stopped = true;
		if (this.#timer !== null) clearTimeout(this.#timer);
		await this.#looking;
	}

	async #look(): Promise<void> {
		const files = new Map<string, KnownFile>();
		let changed = false;
		for (const config of this.#configs) {
			const refreshMs = parseDuration(config.refresh_interval);
			for (const pattern of config.files) {
				for (const file of await this.#matching(resolve(this.#options.folder, pattern))) {
					const before = this.#files.get(file);
					const after = await this.#read(file, before, refreshMs);
					if (after === undefined) continue;
					files.set(file, after);
					if (after.targets !== before?.targets) changed = true;
				}
			}
		}
		if (files.size !== this.#files.size) changed = true;
		this.#files = files;
		if (changed && !this.#stopped) this.#options.onChange([...files.values()].flatMap((file) => file.targets));
	}

	async #matching(pattern: string): Promise<readonly string[]> {
		const name = basename(pattern);
		const star = name.indexOf('*');
		if (star < 0) return [pattern];
		const [head, tail] = [name.slice(0, star), name.slice(star + 1)];
		try {
			const names = await readdir(dirname(pattern));
			this.#complained.delete(pattern);
			return names
				.filter((found) => found.length >= head.length + tail.length && found.startsWith(head) && found.endsWith(tail))
				.sort()
				.map((found) => join(dirname(pattern), found));
		} catch (error) {
			this.#complain(pattern, errorText(error));
			return [...this.#files.keys()].filter((file) => dirname(file) === dirname(pattern));
		}
	}

	async #read(file: string, before: KnownFile | undefined, refreshMs: number): Promise<KnownFile | undefined> {
		const now = this.#options.now();
		try {
			const found = await stat(file);
			const version = `${found.ino} ${found.size} ${found.mtimeMs}`;
			if (before?.version === version && now - before.readMs < refreshMs) return before;
			if (found.size > MAX_FILE_BYTES) throw new AppError('FN_SCRAPE_DISCOVERY', `the file is larger than ${MAX_FILE_BYTES} bytes`);
			const targets = parseTargetFile(await readFile(file, { encoding: 'utf8', signal: AbortSignal.timeout(10_000) }), file);
			this.#complained.delete(file);
			const same = before !== undefined && JSON.stringify(before.targets) === JSON.stringify(targets);
			return { version, readMs: now, targets: same ? before.targets : targets };
		} catch (error) {
			this.#complain(file, errorText(error));
			const gone = error instanceof Error && 'code' in error && error.code === 'ENOENT';
			return gone ? undefined : before;
		}
	}

	/** A file that stays wrong is reported once, not every two seconds. */
	#complain(file: string, problem: string): void {
		if (this.#complained.get(file) === problem) return;
		this.#complained.set(file, problem);
		this.#options.onFailure();
		this.#options.log.warn({ file, error: problem }, 'a file of scrape targets cannot be used');
	}
}

/** Throws `FN_SCRAPE_DISCOVERY`. */
export function parseTargetFile(text: string, file: string): readonly Record<string, string>[] {
	let content: unknown;
	try {
		content = file.endsWith('.json') ? JSON.parse(text) : parseYaml(text, { maxAliasCount: 100 });
	} catch (error) {
		throw new AppError('FN_SCRAPE_DISCOVERY', `it is neither JSON nor YAML that can be read: ${errorText(error).split('\n')[0]}`);
	}
	if (content === null || content === undefined) return [];
	if (!Array.isArray(content)) throw new AppError('FN_SCRAPE_DISCOVERY', 'it is not a list of {targets, labels}');
	const source = { __meta_filepath: file };
	return content.flatMap((group: unknown, i) => discoveredTargets([parseGroup(group, i)], source));
}

function parseGroup(group: unknown, index: number): { targets: string[]; labels: Record<string, string> } {
	const wrong = (what: string) => new AppError('FN_SCRAPE_DISCOVERY', `entry ${index + 1}: ${what}`);
	if (typeof group !== 'object' || group === null) throw wrong('it is not {targets, labels}');
	const unknown = Object.keys(group).find((key) => key !== 'targets' && key !== 'labels');
	if (unknown !== undefined) throw wrong(`the key "${unknown}" is not known`);
	const targets: unknown = 'targets' in group ? group.targets : [];
	const labels: unknown = 'labels' in group ? (group.labels ?? {}) : {};
	if (!Array.isArray(targets) || !targets.every((target) => typeof target === 'string')) throw wrong('targets is not a list of texts');
	if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) throw wrong('labels is not a map');
	const entries = Object.entries(labels);
	for (const [name, value] of entries) {
		if (!LABEL_NAME.test(name)) throw wrong(`"${name}" is not a valid label name`);
		if (typeof value !== 'string') throw wrong(`the label ${name} is not a text; put it in quotes`);
	}
	return { targets, labels: Object.fromEntries(entries) as Record<string, string> };
}
