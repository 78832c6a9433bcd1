import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SESSION_COOKIE } from '../../collector/api/guard.ts';
import { type CollectorOptions, type RunningCollector, startCollector } from '../../collector/app.ts';
import type { Reloaded } from '../../collector/reload.ts';
import { systemClock } from '../../core/clock.ts';
import { type HttpResponse, httpExchange } from '../../core/http-client.ts';
import { silentLogger } from '../../core/log.ts';
import { temporaryFolder } from './process.ts';

export const TRIAL_PASSWORD = 'Bridge-over-42-rivers';
export type TrialRole = 'system' | 'operator' | 'viewer';

export interface TrialCall {
	/** Account whose session is used. */
	readonly as?: string;
	/** Name of a token in the data folder. */
	readonly token?: string;
	/** Text goes as it is, everything else as JSON. */
	readonly body?: unknown;
	/** Default `application/json`. */
	readonly type?: string;
}

export interface TrialAnswer {
	readonly status: number;
	readonly text: string;
	readonly headers: HttpResponse['headers'];
}

/** A collector in this process, on a free port, with a folder of its own. */
export interface TrialCollector {
	/** Removed at the end; its data is in `data`. */
	readonly folder: string;
	/** Without a slash at the end; another one after `restart`. */
	readonly address: string;
	token(name: string): string;
	tokenFile(name: string): string;
	call(method: string, path: string, options?: TrialCall): Promise<TrialAnswer>;
	/** `data.result` of an instant query. */
	query(expression: string): Promise<readonly { readonly metric: Record<string, string>; readonly value: readonly [number, string] }[]>;
	/** Exposition text, by the token of the agent of this machine. Throws when it is not taken. */
	push(text: string): Promise<void>;
	/** Reads the configuration again, as SIGHUP does. Rejects with what is wrong with it. */
	reload(): Promise<Reloaded>;
	restart(): Promise<void>;
	/** Stops it and removes the folder. */
	remove(): Promise<void>;
}

/** Starts a collector in this process on a free port, with this checkout's rules and boards. */
export function startCollectorHere(
	options: Pick<CollectorOptions, 'configFile' | 'dataDir'> & Partial<CollectorOptions>,
): Promise<RunningCollector> {
	return startCollector({
		listen: '127.0.0.1:0',
		rootDir: resolve(import.meta.dirname, '../..'),
		env: {},
		log: silentLogger,
		clock: systemClock,
		version: '0.0.0-test',
		...options,
	});
}

/** `config` is the text of collector.yml; `people` are set up with their roles and `TRIAL_PASSWORD`, and log in when they first call. */
export async function startTrialCollector(
	name: string,
	options: {
		readonly config?: string;
		readonly people?: Readonly<Record<string, TrialRole>>;
		readonly checkAgentDocument?: CollectorOptions['checkAgentDocument'];
	} = {},
): Promise<TrialCollector> {
	const folder = temporaryFolder(name);
	const configFile = join(folder.path, 'collector.yml');
	writeFileSync(configFile, options.config ?? '');
	const { checkAgentDocument } = options;
	const start = () =>
		startCollectorHere({
			configFile,
			dataDir: join(folder.path, 'data'),
			...(checkAgentDocument === undefined ? {} : { checkAgentDocument }),
		});
	let collector: RunningCollector = await start();
	const sessions = new Map<string, string>();
	const cookieOf = async (account: string) => {
		const known = sessions.get(account) ?? (await collector.accounts.logIn(account, TRIAL_PASSWORD, '127.0.0.1')).session;
		sessions.set(account, known);
		return `${SESSION_COOKIE}=${known}`;
	};
	const people = Object.entries(options.people ?? {});
	if (people.length > 0) {
		const accounts = people.map(([account, role]) => ({ role, account, password: TRIAL_PASSWORD }));
		await collector.accounts.setUp({ code: (await collector.accounts.setupCode()) ?? '', accounts }, '127.0.0.1');
	}
	const tokenFile = (its: string) => join(folder.path, 'data', 'keys', `${its}.token`);
	const token = (its: string) => readFileSync(tokenFile(its), 'utf8').trim();
	const call = async (method: string, path: string, { as, token: machine, body, type }: TrialCall = {}): Promise<TrialAnswer> => {
		const response = await httpExchange(collector.address + path, {
			method,
			timeoutMs: 60_000,
			headers: {
				...(body === undefined ? {} : { 'content-type': type ?? 'application/json' }),
				...(machine === undefined ? {} : { authorization: `Bearer ${token(machine)}` }),
				...(as === undefined ? {} : { cookie: await cookieOf(as) }),
			},
			...(body === undefined ? {} : { body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body) }),
		});
		return { status: response.status, text: response.body.toString('utf8'), headers: response.headers };
	};
	return {
		folder: folder.path,
		get address() {
			return collector.address;
		},
		token,
		tokenFile,
		call,
		query: async (expression) => {
			const { text } = await call('GET', `/api/v1/query?query=${encodeURIComponent(expression)}`, { token: 'local-read' });
			return JSON.parse(text).data.result;
		},
		push: async (text) => {
			const { status, text: why } = await call('POST', '/api/v1/import/prometheus', {
				token: 'local-agent',
				body: text,
				type: 'text/plain',
			});
			if (status !== 204) throw new Error(`not taken: ${status} ${why}`);
		},
		reload: () => collector.reload(),
		restart: async () => {
			await collector.stop();
			collector = await start();
		},
		remove: async () => {
			await collector.stop();
			folder.remove();
		},
	};
}
