import { appendFileSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type RunningAgent, startAgent } from '../../agent/app.ts';
import { parseAgentConfig } from '../../agent/config.ts';
import { provideOutboxKey, publicKeyPem } from '../../agent/outbox/key.ts';
import type { RunningCollector } from '../../collector/app.ts';
import { systemClock } from '../../core/clock.ts';
import { configOrThrow } from '../../core/config-file.ts';
import { httpExchange } from '../../core/http-client.ts';
import { silentLogger } from '../../core/log.ts';
import type { LogBatch } from '../../protocol/log-record.ts';
import { parseTransfer } from '../../protocol/transfer.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../harness/process.ts';
import { startCollectorHere } from '../harness/trial-collector.ts';

let folder: TemporaryFolder;
let collector: RunningCollector | null = null;
let agent: RunningAgent | null = null;
let host = 0;

const at = (...parts: string[]) => join(folder.path, ...parts);
const outbox = () => at(`out-${host}`);
const inbox = () => at(`in-${host}`);
const name = () => `cut-off-${host}`;
const files = (where: string) =>
	existsSync(where)
		? readdirSync(where)
				.filter((file) => file.endsWith('.fnt'))
				.sort()
		: [];

beforeAll(() => {
	folder = temporaryFolder('gap');
});
afterAll(() => folder.remove());

/** `delay`: how long the inbox waits for a file that others have overtaken. */
async function start(delay: string): Promise<void> {
	host++;
	mkdirSync(inbox());
	writeFileSync(at('key.pem'), publicKeyPem(provideOutboxKey(at(`agent-${host}`))));
	writeFileSync(at('messages.log'), '');
	writeFileSync(
		at('collector.yml'),
		JSON.stringify({
			server: {
				inbox: [{ name: 'dmz', folder: inbox(), delay, every: '1s', senders: [{ name: name(), public_key_file: at('key.pem') }] }],
			},
		}),
	);
	collector = await startCollectorHere({
		configFile: at('collector.yml'),
		dataDir: at(`data-${host}`),
	});
	const config = {
		host: { name: name() },
		interval: '1s',
		listen: '',
		outbox: { folder: outbox(), interval: '1s', delay: '5m' },
		inputs: { host: { enabled: false }, logs: [{ path: at('messages.log'), kind: 'plain', name: 'messages', begin: 'start' }] },
	};
	agent = await startAgent({
		config: configOrThrow(parseAgentConfig(JSON.stringify(config), 'agent.yml')),
		log: silentLogger,
		clock: systemClock,
		env: {},
		dataDir: at(`agent-${host}`),
		version: '1.0.0',
	});
}
afterEach(async () => {
	await agent?.stop();
	await collector?.stop();
	agent = null;
	collector = null;
});

/** What the gap device does, once: takes files away and puts them down on the other side. */
function carry(wanted: readonly string[] = files(outbox())): void {
	for (const file of wanted) {
		copyFileSync(join(outbox(), file), join(inbox(), file));
		rmSync(join(outbox(), file));
	}
}

/** The log lines that a file of the outbox carries. */
function linesIn(file: string): readonly string[] {
	const { header, bodies } = parseTransfer(readFileSync(join(outbox(), file)));
	return header.entries.flatMap(({ kind }, i) => {
		if (kind !== 'logs') return [];
		const batch = JSON.parse(gunzipSync(bodies[i] ?? new Uint8Array()).toString('utf8')) as LogBatch;
		return batch.records.map(({ raw }) => raw);
	});
}

async function query(
	expression: string,
): Promise<readonly { readonly value: readonly [number, string]; readonly metric: Record<string, string> }[]> {
	const token = readFileSync(at(`data-${host}`, 'keys', 'local-read.token'), 'utf8').trim();
	const path = `/api/v1/query?query=${encodeURIComponent(expression)}`;
	const response = await httpExchange((collector?.address ?? '') + path, {
		timeoutMs: 30_000,
		headers: { authorization: `Bearer ${token}` },
	});
	return (JSON.parse(response.body.toString('utf8')) as { data: { result: { value: [number, string]; metric: Record<string, string> }[] } })
		.data.result;
}
const number = async (expression: string) => Number((await query(expression))[0]?.value[1] ?? Number.NaN);
const ownMetrics = async () => {
	const token = readFileSync(at(`data-${host}`, 'keys', 'local-read.token'), 'utf8').trim();
	return (
		await httpExchange(`${collector?.address}/metrics`, { timeoutMs: 30_000, headers: { authorization: `Bearer ${token}` } })
	).body.toString('utf8');
};
const archived = () =>
	readdirSync(at(`data-${host}`, 'audit'), { recursive: true })
		.map((file) => at(`data-${host}`, 'audit', String(file)))
		.filter((file) => /\.log|\.seg|segment/.test(file))
		.map((file) => readFileSync(file, 'utf8'))
		.join('');

test('samples and log records pass as files, and the way they took is known', async () => {
	await start('2s');
	appendFileSync(at('messages.log'), 'first line\n');
	await waitFor('a file', () => files(outbox()).length > 0);
	await waitFor('samples through the gap', async () => {
		carry();
		return (await number(`fournines_agent_expected_delay_seconds{host="${name()}"}`)) === 300;
	});
	await waitFor('the log record', () => archived().includes('first line'));
	await waitFor('the inbox to be empty', () => files(inbox()).length === 0);
	expect(await ownMetrics()).toMatch(new RegExp(`fournines_inbox_transit_seconds\\{path="dmz",sender="${name()}"\\} [0-9.]+`));
});

test('a file that overtakes another waits for it', async () => {
	await start('1h');
	await waitFor('three files', () => files(outbox()).length >= 3);
	const [first = '', second = '', third = ''] = files(outbox());
	carry([first]);
	await waitFor('the first', () => files(inbox()).length === 0);
	carry([third]);
	await new Promise((resolve) => setTimeout(resolve, 1500));
	expect(files(inbox())).toEqual([third]);
	carry([second]);
	await waitFor('both', () => files(inbox()).length === 0);
	expect(await ownMetrics()).not.toContain('fournines_inbox_gap_files_total{path="dmz"}');
});

test('a file that does not come is declared missing, in the log stream too, and is taken when it comes after all', async () => {
	await start('2s');
	const fileWith = new Map<string, string>();
	for (const line of ['one', 'two', 'three', 'four']) {
		appendFileSync(at('messages.log'), `line ${line}\n`);
		await waitFor(`a file with line ${line}`, () => {
			const file = files(outbox()).find((candidate) => linesIn(candidate).includes(`line ${line}`));
			if (file !== undefined) fileWith.set(line, file);
			return file !== undefined;
		});
	}
	const lost = [fileWith.get('two') ?? ''];
	carry(files(outbox()).filter((file) => !lost.includes(file)));
	await waitFor('the gap to be declared', async () =>
		(await ownMetrics()).includes(`fournines_inbox_missing_files{sender="${name()}"} ${lost.length}`),
	);
	await waitFor('the lines behind it', () => archived().includes('line four'));
	expect(archived()).toContain('1 records were lost on the way here');
	expect(archived()).not.toContain('line two');
	carry(lost);
	await waitFor('the missing file', () => archived().includes('line two'));
	await waitFor('nothing to be missing', async () => (await ownMetrics()).includes(`fournines_inbox_missing_files{sender="${name()}"} 0`));
});

test('what was changed, or comes from somebody unknown, is set aside and said why, and the next file is waited for', async () => {
	await start('1h');
	await waitFor('two files', () => files(outbox()).length >= 2);
	const [first = '', second = ''] = files(outbox());
	const bytes = readFileSync(join(outbox(), first));
	const changed = Buffer.from(bytes);
	changed[changed.length - 70] = (changed[changed.length - 70] ?? 0) ^ 1;
	writeFileSync(join(inbox(), first), changed);
	writeFileSync(join(inbox(), first.replace(name(), 'stranger')), 'not a transfer file');
	const rejected = join(inbox(), 'rejected');
	await waitFor('both to be set aside', () => existsSync(rejected) && readdirSync(rejected).length === 4);
	expect(readFileSync(join(rejected, `${first}.why`), 'utf8')).toContain('FN_TRANSFER_SIGNATURE');
	expect(readFileSync(join(rejected, `${first.replace(name(), 'stranger')}.why`), 'utf8')).toContain('FN_TRANSFER_MALFORMED');
	expect(await query(`fournines_agent_build_info{host="${name()}"}`)).toEqual([]);
	carry([first, second]);
	await waitFor('the real ones', async () => (await query(`fournines_agent_build_info{host="${name()}"}`)).length === 1);
});
