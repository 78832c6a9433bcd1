import { createHash } from 'node:crypto';
import { parseDocument } from 'yaml';
import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { uuidv7After } from '../../core/ids.ts';
import type { AgentLabels, CentralConfigAnswer, CentralConfigRequest } from '../../protocol/agent-api.ts';
import type { OperationLog } from '../identity/operation-log.ts';
import type { StateDatabase } from '../state/database.ts';
import type { EnrolmentCaller } from './enrolment.ts';

/** What may be said centrally. Where to send and which files hold secrets stays with the host. */
const KEYS = ['interval', 'inputs'];
const SHOWN_HISTORY = 50;

export type ConfigDocument = Readonly<Record<string, unknown>>;

/** Problems of a document as an agent would see them, with their places; none when it can be used. */
export type DocumentCheck = (document: ConfigDocument) => readonly string[];

export interface CentralConfigs {
	read(target: string): Promise<CentralConfigAnswer>;
	/** Throws `FN_AGENT_CONFIG` (400) with every problem; then what was in force stays. */
	write(target: string, request: CentralConfigRequest, by: EnrolmentCaller): Promise<void>;
	/** What the agent of this host should run on: what is said for all, its system and itself, in this order. */
	of(labels: AgentLabels): Promise<{ readonly version: string; readonly config: ConfigDocument }>;
}

export function createCentralConfigs(options: {
	readonly state: StateDatabase;
	readonly clock: Clock;
	readonly check: DocumentCheck;
	readonly operations: OperationLog;
}): CentralConfigs {
	const { state, clock, check, operations } = options;
	const history = (target: string) =>
		state.selectFrom('agent_config').selectAll().where('target', '=', target).orderBy('id', 'desc').limit(SHOWN_HISTORY).execute();
	const newest = async (target: string): Promise<string> =>
		(await state.selectFrom('agent_config').select('text').where('target', '=', target).orderBy('id', 'desc').limit(1).executeTakeFirst())
			?.text ?? '';
	return {
		read: async (target) => {
			assertTarget(target);
			const rows = await history(target);
			return {
				target,
				text: rows[0]?.text ?? '',
				history: rows.map(({ id, at_ms: atMs, author, note, text }) => ({ id, atMs, author, note, text })),
			};
		},
		write: async (target, { text, note }, by) => {
			assertTarget(target);
			const problems = check(parseCentralDocument(text));
			if (problems.length > 0) throw badConfig(problems);
			const now = clock.now();
			const last = await state
				.selectFrom('agent_config')
				.select('id')
				.where('target', '=', target)
				.orderBy('id', 'desc')
				.limit(1)
				.executeTakeFirst();
			await state
				.insertInto('agent_config')
				.values({ id: uuidv7After(last?.id ?? '', now), target, text, author: by.name.slice(0, 64), note: note.slice(0, 255), at_ms: now })
				.execute();
			await operations.record({
				actor: by.name,
				action: 'agent.config',
				object: target,
				result: 'success',
				srcAddr: by.address,
				detail: note,
			});
		},
		of: async ({ host, system }) => {
			const targets = ['all', ...(system === '' ? [] : [`system:${system}`]), `host:${host}`];
			const documents = await Promise.all(targets.map(newest));
			const config = documents.map(parseCentralDocument).reduce(mergeDocuments, {});
			return { version: documentVersion(config), config };
		},
	};
}

/** Reads the YAML of one document. Throws `FN_AGENT_CONFIG`. */
export function parseCentralDocument(text: string): ConfigDocument {
	const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
	if (document.errors.length > 0) throw badConfig(document.errors.map((error) => `not valid YAML: ${error.message.trim()}`));
	const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
	if (!isRecord(value)) throw badConfig([`the document is not a mapping; write ${KEYS.join(' and ')}`]);
	const unknown = Object.keys(value).filter((key) => !KEYS.includes(key));
	if (unknown.length > 0) {
		throw badConfig(unknown.map((key) => `${key}: this cannot be configured centrally; only ${KEYS.join(' and ')} can`));
	}
	return value;
}

/** Mappings are merged, lists are joined, and of everything else the later counts. */
export function mergeDocuments(before: ConfigDocument, after: ConfigDocument): ConfigDocument {
	const merged: Record<string, unknown> = { ...before };
	for (const [key, value] of Object.entries(after)) {
		const old = merged[key];
		if (isRecord(old) && isRecord(value)) merged[key] = mergeDocuments(old, value);
		else if (Array.isArray(old) && Array.isArray(value)) merged[key] = [...old, ...value];
		else merged[key] = value;
	}
	return merged;
}

/** The same content has the same version; `''` when there is none. */
export function documentVersion(document: ConfigDocument): string {
	if (Object.keys(document).length === 0) return '';
	return createHash('sha256').update(JSON.stringify(document)).digest('hex').slice(0, 16);
}

function assertTarget(target: string): void {
	if (!/^(all|(system|host):[^\s:]{1,200})$/u.test(target)) {
		throw new AppError('FN_AGENT_CONFIG_TARGET', `"${target.slice(0, 100)}" is not a target; write all, system:<system> or host:<host>`, {
			status: 400,
		});
	}
}

function badConfig(problems: readonly string[]): AppError {
	return new AppError('FN_AGENT_CONFIG', `the configuration for agents cannot be used:\n  ${problems.join('\n  ')}`, { status: 400 });
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
