import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { httpExchange } from '../../core/http-client.ts';
import type { CollectorProcess } from './collector.ts';
import type { FakeWebhook } from './fake-webhook.ts';
import { waitFor } from './process.ts';

/** What arrived at somebody. */
export interface Told {
	/** Receiver of a webhook, or whoever has the telephone. */
	readonly ear: string;
	readonly text: string;
	readonly atMs: number;
	/** `<row>-<run>` of the alert that it is about. */
	readonly mark: string;
}

/** Where a row takes place. */
export interface Scene {
	readonly collector: CollectorProcess;
	/** The row's own receiver. */
	readonly hook: FakeWebhook;
	/** Everything that ever arrived, in the order of arrival. */
	readonly told: () => readonly Told[];
	/** The newest link by which a person can take the incident of a row; `''` when none arrived. */
	readonly link: (mark: string) => string;
}

/** One attempt to play a row. Its alerts carry the labels `row` and `run`, so that attempts never meet. */
export interface Trial extends Scene {
	/** Posts these alerts, each with its name and, after a slash, other labels: `Slow/severity=critical`. */
	fire(names: readonly string[], options?: { readonly endsInMs?: number }): Promise<void>;
	/** Posts that they ended now. */
	resolve(names: readonly string[]): Promise<void>;
	/** Silences the whole row. */
	silence(forMs: number): Promise<void>;
	/** Takes the newest silence away. */
	unsilence(): Promise<void>;
	/** Takes the incident by the newest link. */
	take(): Promise<void>;
	/** What arrived of this attempt. */
	mine(): readonly Told[];
}

export interface Step {
	/** Second of the row before which it is not done. */
	readonly at: number;
	/** So many messages must have arrived first. */
	readonly after?: number;
	/** Done later than this after its cause, the row proves nothing, because the test itself was late; then it is played anew. Default: no matter. */
	readonly withinMs?: number;
	readonly act: (trial: Trial) => Promise<unknown>;
}

/** A message that must come: not before second `from`, and by second `to` on a machine that has nothing else to do. */
export interface Want {
	readonly ear?: string;
	readonly from: number;
	readonly to: number;
	readonly text: string;
}

export interface TimelineRow {
	readonly id: string;
	readonly name: string;
	readonly steps: readonly Step[];
	readonly want: readonly Want[];
	/** Nothing else is told up to this second. */
	readonly until: number;
	/** What the receiver answered, one status per request. */
	readonly statuses?: readonly number[];
}

export interface PlayedRow {
	readonly zeroMs: number;
	readonly told: readonly Told[];
	readonly statuses: readonly number[];
}

/** A loaded machine may be later than a row says; that something came too early, twice or not at all is never its fault. */
const ROOM_SECONDS = 30;
const ATTEMPTS = 5;

/** Plays a row until the test itself was in time for every step. */
export async function playRow(row: TimelineRow, scene: Scene): Promise<PlayedRow> {
	for (let run = 1; run <= ATTEMPTS; run++) {
		const trial = createTrial(scene, { row: row.id, run: String(run) });
		const before = scene.hook.statuses.length;
		const zeroMs = Date.now();
		let late = false;
		for (const { at, after = 0, withinMs = Number.POSITIVE_INFINITY, act } of row.steps) {
			await waitFor(`${row.name}: message ${after}`, () => trial.mine().length >= after, { intervalMs: 10 });
			const dueMs = Math.max(zeroMs + at * 1000, trial.mine()[after - 1]?.atMs ?? 0);
			await until(dueMs);
			await act(trial);
			late ||= Date.now() - dueMs > withinMs;
		}
		if (late) continue;
		// In vain is for `complaints` to say: it knows what was missed.
		await waitFor('the messages', () => trial.mine().length >= row.want.length, { timeoutMs: ROOM_SECONDS * 1000 + 30_000 }).catch(
			() => {},
		);
		const last = Math.max(zeroMs, ...trial.mine().map(({ atMs }) => atMs)) - zeroMs;
		const planned = Math.max(0, ...row.want.map(({ to }) => to));
		await until(zeroMs + row.until * 1000 + Math.max(0, last - planned * 1000));
		return { zeroMs, told: trial.mine(), statuses: scene.hook.statuses.slice(before) };
	}
	throw new Error(`${row.name}: this machine was too slow to post in time, ${ATTEMPTS} times`);
}

/** What is wrong with what was told, ear by ear; nothing when all is as wanted. */
export function complaints(row: TimelineRow, { zeroMs, told, statuses }: PlayedRow): readonly string[] {
	const found: string[] = [];
	const ears = new Set([...row.want.map(({ ear }) => ear ?? row.id), ...told.map(({ ear }) => ear)]);
	for (const ear of ears) {
		const heard = told.filter((message) => message.ear === ear);
		const wanted = row.want.filter((want) => (want.ear ?? row.id) === ear);
		for (let i = 0; i < Math.max(heard.length, wanted.length); i++) {
			const [message, want] = [heard[i], wanted[i]];
			const second = message === undefined ? Number.NaN : (message.atMs - zeroMs) / 1000;
			const is = message === undefined ? 'nothing' : `"${message.text}" at ${second} s`;
			if (want === undefined) found.push(`${ear}: ${is} beyond what is wanted`);
			else if (message?.text !== want.text) found.push(`${ear}: ${is} instead of "${want.text}" from ${want.from} to ${want.to} s`);
			else if (second < want.from) found.push(`${ear}: ${is}, before ${want.from} s`);
			else if (second > want.to + ROOM_SECONDS) found.push(`${ear}: ${is}, after ${want.to} s and ${ROOM_SECONDS} s of room`);
		}
	}
	if (row.statuses !== undefined && row.statuses.join() !== statuses.join())
		found.push(`answered ${statuses.join()} instead of ${row.statuses.join()}`);
	return found;
}

/** `B -A` for what fires and what ended, and whether it says that it may be a repetition. */
export function hookTold(hook: FakeWebhook): readonly Told[] {
	return hook.messages.map(({ atMs, headers, body }) => {
		const named = (status: string, sign: string) =>
			body.alerts.filter((alert) => alert.status === status).map(({ labels }) => `${sign}${labels['alertname']}`);
		const again = headers['x-fournines-possible-duplicate'] === 'true' ? ['(possibly again)'] : [];
		const text = [...named('firing', '').sort(), ...named('resolved', '-').sort(), ...again].join(' ');
		const { row, run } = body.alerts[0]?.labels ?? {};
		return { ear: body.receiver, text, atMs, mark: `${row}-${run}` };
	});
}

function createTrial(scene: Scene, labels: Readonly<Record<string, string>>): Trial {
	const startsAt = new Map<string, string>();
	let silenceId = '';
	const send = async (method: string, path: string, body?: unknown): Promise<string> => {
		const token = readFileSync(join(scene.collector.dataDir, 'keys/local-alert.token'), 'utf8').trim();
		const response = await httpExchange(`${scene.collector.url}/api/v2/${path}`, {
			method,
			timeoutMs: 60_000,
			headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
		const text = response.body.toString('utf8');
		if (response.status !== 200) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`);
		return text;
	};
	const marked = `${labels['row']}-${labels['run']}`;
	const alertOf = (name: string, endsAt: string | undefined) => {
		const [alertname = '', ...more] = name.split('/');
		const own = Object.fromEntries(more.map((pair) => pair.split('=')));
		startsAt.set(name, startsAt.get(name) ?? new Date().toISOString());
		return {
			labels: { alertname, ...labels, ...own },
			annotations: { summary: `${marked} ${alertname}` },
			startsAt: startsAt.get(name),
			...(endsAt === undefined ? {} : { endsAt }),
		};
	};
	return {
		...scene,
		fire: async (names, { endsInMs } = {}) => {
			const endsAt = endsInMs === undefined ? undefined : new Date(Date.now() + endsInMs).toISOString();
			await send(
				'POST',
				'alerts',
				names.map((name) => alertOf(name, endsAt)),
			);
		},
		resolve: async (names) => {
			await send(
				'POST',
				'alerts',
				names.map((name) => alertOf(name, new Date().toISOString())),
			);
			for (const name of names) startsAt.delete(name);
		},
		silence: async (forMs) => {
			const answer = await send('POST', 'silences', {
				matchers: Object.entries(labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true })),
				startsAt: new Date().toISOString(),
				endsAt: new Date(Date.now() + forMs).toISOString(),
				createdBy: 'timeline',
				comment: 'work on it',
			});
			silenceId = (JSON.parse(answer) as { readonly silenceID: string }).silenceID;
		},
		unsilence: async () => {
			await send('DELETE', `silence/${silenceId}`);
		},
		take: async () => {
			const page = await httpExchange(scene.link(marked), { method: 'POST', timeoutMs: 60_000 });
			if (!page.body.toString('utf8').includes('确认处理')) throw new Error(`${marked} could not be taken: ${page.body.toString('utf8')}`);
		},
		mine: () => scene.told().filter(({ mark }) => mark === marked),
	};
}

async function until(atMs: number): Promise<void> {
	for (let left = atMs - Date.now(); left > 0; left = atMs - Date.now()) await sleep(left);
}

/** The collector knows of every message that it arrived; killed earlier it would have to say that it may come again. */
export async function recordSent(collector: CollectorProcess): Promise<void> {
	await waitFor('the record of what was sent', async () => {
		const { notifications } = JSON.parse(await collector.get('/api/fournines/v1/notifications?limit=50')) as {
			readonly notifications: readonly { readonly state: string }[];
		};
		return notifications.length > 0 && notifications.every(({ state }) => state === 'sent');
	});
}

/** Edits the configuration file of a row that has a collector of its own, and waits until it was applied or refused. */
export async function reload(collector: CollectorProcess, edit: (text: string) => string): Promise<void> {
	const file = `${collector.dataDir}.yml`;
	const text = readFileSync(file, 'utf8');
	writeFileSync(file, edit(text));
	const answers = () => collector.output().match(/the configuration was (read again|not applied)/g)?.length ?? 0;
	const before = answers();
	process.kill(collector.pid(), 'SIGHUP');
	await waitFor('the end of the reload', () => answers() > before);
}
