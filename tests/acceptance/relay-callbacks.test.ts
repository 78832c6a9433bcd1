import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HttpResponse, httpExchange } from '../../core/http-client.ts';
import type { IncidentAnswer, IncidentDetailAnswer, IncidentListAnswer } from '../../protocol/incident-api.ts';
import { type CollectorProcess, startAgentProcess, startCollectorProcess } from '../harness/collector.ts';
import { type FakeRequest, type FakeServer, startFakeServer } from '../harness/fake-server.ts';
import { type AppMessage, type FakeWechatWork, startFakeWechatWork } from '../harness/fake-wechat.ts';
import { freePort, type RunningProcess, type TemporaryFolder, temporaryFolder, waitFor } from '../harness/process.ts';

const AES_KEY = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG';
const SECRETS = {
	APP: 'app-secret-of-this-test',
	CALLBACK: 'callback-token-of-this-test',
	AES: AES_KEY,
	RELAY: 'relay-token-of-this-test',
};
const PRESSES = '/api/fournines/v1/callbacks/wework';
const PATIENT = { timeoutMs: 90_000 };

let folder: TemporaryFolder;
let wework: FakeWechatWork;
let collector: CollectorProcess;
let relay: RunningProcess;
let internet: string;
let inside: string;
/** Stands where WeChat Work calls, and keeps what it said, so that it can be said again. */
let recorder: FakeServer;
let recorded: FakeRequest[];
const at = (...parts: string[]) => join(folder.path, ...parts);

beforeAll(async () => {
	folder = temporaryFolder('relay-callbacks');
	recorded = [];
	recorder = await startFakeServer({
		handle: (request, exchange) => {
			recorded.push(request);
			exchange.answer(200, '');
		},
	});
	wework = await startFakeWechatWork({
		corpId: 'corp',
		secret: SECRETS.APP,
		agentId: 7,
		members: ['zhang', 'li'],
		callback: { token: SECRETS.CALLBACK, aesKey: AES_KEY },
	});
	const [outer, inner, port] = [await freePort(), await freePort(), await freePort()];
	internet = `http://127.0.0.1:${outer}`;
	inside = `http://127.0.0.1:${inner}`;
	const relayConfig = {
		listen: '',
		inputs: { host: { enabled: false } },
		relay: {
			callbacks: {
				listen: `127.0.0.1:${outer}`,
				collector_listen: `127.0.0.1:${inner}`,
				token: { env: 'RELAY' },
				channels: [{ name: 'wework', provider: 'wechat_app' }],
				ack_links: true,
				hold: '4s',
			},
		},
	};
	writeFileSync(at('agent.yml'), JSON.stringify(relayConfig));
	writeFileSync(
		at('collector.yml'),
		`
server: { external_url: 'http://127.0.0.1:${port}' }
rules: { files: [] }
alerts:
  route: { receiver: nobody, group_by: [alertname, service], group_wait: 0s, group_interval: 1s }
  receivers: [{ name: nobody }]
  relays: [{ name: dmz, url: '${inside}', token: { env: RELAY }, ack_url: '${internet}' }]
  channels:
    - name: wework
      wechat_app: { base_url: '${wework.baseUrl}', corp_id: corp, agent_id: 7, secret: { env: APP }, callback: { token: { env: CALLBACK }, aes_key: { env: AES } } }
    - name: text
      wechat_app: { base_url: '${wework.baseUrl}', corp_id: corp, agent_id: 7, secret: { env: APP } }
  oncall:
    people:
      - { id: zhang, name: 张伟, addresses: [{ channel: wework, to: zhang }] }
      - { id: li, name: 李娜, addresses: [{ channel: text, to: li }] }
    teams: [{ id: duty, name: 值班组, lead: zhang, members: [zhang, li] }]
    rosters:
      - { id: first, name: 一线, layers: [{ name: always, people: [zhang], start: '2026-01-01' }] }
      - { id: second, name: 二线, layers: [{ name: always, people: [li], start: '2026-01-01' }] }
    policies:
      - { name: links, services: [link-a, link-b], steps: [{ to: ['roster:second'], wait: 1h }] }
      - { name: standard, severities: [critical], steps: [{ to: ['roster:first'], wait: 1h }] }
`,
	);
	startRelay();
	collector = await startCollectorProcess({ dataDir: at('data'), port, configFile: at('collector.yml'), env: SECRETS });
});

afterAll(async () => {
	await collector?.stop();
	await relay?.stop();
	await wework?.stop();
	await recorder?.stop();
	folder.remove();
});

function startRelay(): void {
	relay = startAgentProcess({ configFile: at('agent.yml'), dataDir: at('relay-data'), env: { RELAY: SECRETS.RELAY } });
}

async function killRelay(): Promise<void> {
	relay.kill('SIGKILL');
	await relay.exited;
}

async function post(alertname: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
	const token = readFileSync(join(collector.dataDir, 'keys/local-alert.token'), 'utf8').trim();
	const alert = {
		labels: { alertname, severity: 'critical', ...labels },
		annotations: { summary: `${labels['service'] ?? alertname} 需要处理` },
		startsAt: new Date(Date.now() - 5000).toISOString(),
	};
	const posted = await httpExchange(`${collector.url}/api/v2/alerts`, {
		method: 'POST',
		timeoutMs: 60_000,
		headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
		body: JSON.stringify([alert]),
	});
	expect(posted.status).toBe(200);
}

/** An incident of its own, and the card that called for it. */
async function call(alertname: string): Promise<AppMessage> {
	await post(alertname);
	return waitFor('the card', () => wework.messages.find(({ text, buttonKey }) => buttonKey !== '' && text.includes(alertname)), PATIENT);
}

const idOf = (card: AppMessage) => card.buttonKey.slice('acknowledge:'.length);
const detail = async (card: AppMessage): Promise<IncidentDetailAnswer> =>
	JSON.parse(await collector.get(`/api/fournines/v1/incidents/${idOf(card)}`)) as IncidentDetailAnswer;
const incident = async (card: AppMessage): Promise<IncidentAnswer> => (await detail(card)).incident;
const times = async (card: AppMessage, kind: string) => (await detail(card)).timeline.filter((line) => line.kind === kind).length;
const taken = (card: AppMessage) => waitFor('the acknowledgement', async () => (await incident(card)).state === 'acknowledged', PATIENT);
const kept = () =>
	existsSync(at('relay-data/callbacks')) ? readdirSync(at('relay-data/callbacks')).filter((name) => name.endsWith('.json')) : [];

/** What WeChat Work would send, without sending it. */
async function said(say: (url: string) => Promise<number>): Promise<FakeRequest> {
	await say(`${recorder.baseUrl}${PRESSES}`);
	return recorded.at(-1) as FakeRequest;
}

function send(request: FakeRequest): Promise<HttpResponse> {
	return httpExchange(`${internet}${request.url.pathname}${request.url.search}`, {
		method: request.method,
		headers: { 'content-type': 'text/xml' },
		body: request.body,
		timeoutMs: 60_000,
	});
}

test('a button that is pressed in the internet takes the incident inside, the card shows it, and the address check is answered', async () => {
	await waitFor('the decrypted text', async () => (await wework.checkAddress(`${internet}${PRESSES}`)) === 'echo-1234', PATIENT);
	const card = await call('PressedOutside');
	expect(await wework.press('zhang', card, `${internet}${PRESSES}`)).toBe(200);
	await taken(card);
	expect((await detail(card)).timeline.find(({ kind }) => kind === 'acknowledged')?.detail).toMatchObject({
		way: 'button',
		person: '张伟',
	});
	await waitFor('the card to show it', () => wework.updates.length > 0, PATIENT);
	await waitFor('nothing to be kept any more', () => kept().length === 0, PATIENT);
}, 240_000);

test('with both ends killed in between, a press arrives, and what is given out twice is taken once', async () => {
	const card = await call('KilledBetween');
	const { number } = await incident(card);
	const reply = await said((url) => wework.write('zhang', `A${number}`, url));
	await collector.kill();
	expect((await send(reply)).status).toBe(200);
	await waitFor('it to be kept', () => kept().length === 1);
	await killRelay();
	const [name = ''] = kept();
	copyFileSync(at('relay-data/callbacks', name), at('copy.json'));
	startRelay();
	await collector.start();
	await taken(card);
	await waitFor('the relay to know it', () => kept().length === 0, PATIENT);

	// As if the relay had died before it heard the answer, and the collector after it had dealt with it.
	await collector.kill();
	await killRelay();
	copyFileSync(at('copy.json'), at('relay-data/callbacks', name));
	startRelay();
	await collector.start();
	await waitFor('it to be dealt with again', () => kept().length === 0, PATIENT);
	expect((await send(reply)).status).toBe(200);
	await waitFor('the provider’s own repetition', () => kept().length === 0, PATIENT);
	expect(await times(card, 'reply')).toBe(1);
	expect(await times(card, 'acknowledged')).toBe(1);
}, 300_000);

test('a link is opened and pressed over the relay, also while the collector is away', async () => {
	const link = async (service: string) => {
		await post('Linked', { service });
		const told = await waitFor(
			'the message',
			() => wework.messages.find(({ text, touser }) => touser === 'li' && text.includes(service)),
			PATIENT,
		);
		return /http:\/\/[\d.:]+\/ack\/[\w.-]+/.exec(told.text)?.[0] ?? '';
	};
	const numbered = async (url: string): Promise<IncidentAnswer> => {
		const { incidents } = JSON.parse(await collector.get('/api/fournines/v1/incidents')) as IncidentListAnswer;
		const found = incidents.find(({ number }) => number === Number(/\/ack\/(\d+)/.exec(url)?.[1]));
		if (found === undefined) throw new Error('there is no such incident');
		return found;
	};
	const open = (url: string, method: string) => httpExchange(url, { method, timeoutMs: 30_000 });
	const first = await link('link-a');
	expect(first.startsWith(`${internet}/ack/`)).toBe(true);
	await waitFor('the page with its button', async () => (await open(first, 'GET')).body.toString('utf8').includes('我来处理'), PATIENT);
	// A messenger that looks for a preview takes nothing.
	expect((await numbered(first)).state).toBe('open');
	const wrong = `${first.slice(0, -1)}${first.endsWith('A') ? 'B' : 'A'}`;
	await waitFor(
		'the refusal of a changed link',
		async () => (await open(wrong, 'POST')).body.toString('utf8').includes('链接无效'),
		PATIENT,
	);
	expect((await numbered(first)).state).toBe('open');
	await open(first, 'POST');
	await waitFor('the acknowledgement', async () => (await numbered(first)).owner === '李娜', PATIENT);

	const second = await link('link-b');
	await collector.kill();
	const away = await open(second, 'GET');
	expect([away.status, away.body.toString('utf8').includes('暂时无法打开')]).toEqual([503, true]);
	const pressed = await open(second, 'POST');
	expect([pressed.status, pressed.body.toString('utf8').includes('等待送达')]).toEqual([202, true]);
	await collector.start();
	await waitFor('the acknowledgement, late', async () => (await numbered(second)).owner === '李娜', PATIENT);
	const secret = first.split('.').at(-1) ?? '';
	expect(relay.output() + collector.output()).not.toContain(secret);
}, 300_000);

test('what is signed wrongly is refused by the collector and is on record, and changes nothing', async () => {
	const card = await call('WronglySigned');
	const forged = await said((url) => wework.press('zhang', card, url, { token: 'somebody else' }));
	await waitFor('the refusal', async () => (await send(forged)).status === 403, PATIENT);
	await waitFor(
		'the record',
		() => {
			const database = new DatabaseSync(join(collector.dataDir, 'state/state.db'), { readOnly: true });
			try {
				const row = database.prepare("select actor, object, result, detail from operation_log where action = 'callback.refuse'").get();
				return row?.['actor'] === 'relay:dmz' && String(row['detail']).startsWith('FN_ALERTS_CALLBACK_REFUSED');
			} finally {
				database.close();
			}
		},
		PATIENT,
	);
	expect((await incident(card)).state).toBe('open');
	const { incidents } = JSON.parse(await collector.get('/api/fournines/v1/incidents')) as IncidentListAnswer;
	expect(incidents.find(({ id }) => id === idOf(card))?.owner).toBe('');
}, 240_000);

test('a stranger fetches nothing, and neither log names what was said', async () => {
	const fetched = await httpExchange(`${inside}/api/fournines/v1/relay/poll`, {
		method: 'POST',
		timeoutMs: 60_000,
		headers: { authorization: 'Bearer nobody' },
		body: JSON.stringify({ answers: [], waitMs: 0 }),
	});
	expect(fetched.status).toBe(401);
	expect((await httpExchange(`${internet}/api/fournines/v1/relay/poll`, { method: 'POST', timeoutMs: 30_000 })).status).toBe(404);
	expect((await httpExchange(`${internet}/metrics`, { timeoutMs: 30_000 })).status).toBe(404);
	for (const text of [relay.output(), collector.output()]) {
		for (const secret of Object.values(SECRETS)) expect(text).not.toContain(secret);
		expect(text).not.toContain('msg_signature');
	}
});
