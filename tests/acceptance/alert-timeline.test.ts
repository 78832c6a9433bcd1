import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { complaints, hookTold, type PlayedRow, playRow, type Scene, type Told } from '../harness/alert-timeline.ts';
import { type CollectorProcess, startCollectorProcess } from '../harness/collector.ts';
import { type FakeSmsGateway, startFakeSmsGateway } from '../harness/fake-sms-gateway.ts';
import { type FakeWebhook, startFakeWebhook } from '../harness/fake-webhook.ts';
import { freePort, type TemporaryFolder, temporaryFolder } from '../harness/process.ts';
import { ROWS, type Row, TIMES } from './alert-timeline.rows.ts';

const PHONES: Readonly<Record<string, string>> = { '13800000001': 'zhang', '13900000002': 'li', '13700000003': 'wang' };

let folder: TemporaryFolder;
let sms: FakeSmsGateway;
const hooks = new Map<string, FakeWebhook>();
const collectors: CollectorProcess[] = [];
const played = new Map<string, Promise<PlayedRow>>();

beforeAll(async () => {
	folder = temporaryFolder('alert-timeline');
	sms = await startFakeSmsGateway({ account: 'cgw', secret: 'sms-secret', charset: 'utf8' });
	for (const { id } of ROWS) hooks.set(id, await startFakeWebhook());
	const together = await startCollector('together', '5m');
	const play = (row: Row, collector: CollectorProcess) => playRow(row, sceneOf(row.id, collector));
	for (const row of ROWS) {
		const result =
			row.alone === undefined ? play(row, together) : startCollector(row.id, row.alone.resolveTimeout).then((own) => play(row, own));
		// The row's own test says why it failed.
		result.catch(() => {});
		played.set(row.id, result);
	}
});

afterAll(async () => {
	await Promise.allSettled(played.values());
	await Promise.all(collectors.map((collector) => collector.stop()));
	await Promise.all([...hooks.values(), sms].map((server) => server?.stop()));
	folder.remove();
});

describe('what is told when, by a collector as it runs', () => {
	test.each(ROWS)('$name', async (row) => {
		const result = await played.get(row.id);
		expect(result === undefined ? ['it was not played'] : complaints(row, result)).toEqual([]);
	}, 240_000);
});

async function startCollector(name: string, resolveTimeout: string): Promise<CollectorProcess> {
	const port = await freePort();
	const configFile = join(folder.path, `${name}.yml`);
	writeFileSync(configFile, configOf(port, resolveTimeout));
	const collector = await startCollectorProcess({ dataDir: join(folder.path, name), port, configFile, env: { SMS_SECRET: 'sms-secret' } });
	collectors.push(collector);
	return collector;
}

function configOf(port: number, resolveTimeout: string): string {
	const address = (id: string) => hooks.get(id)?.url ?? '';
	const receiver = (name: string, id: string) => `    - { name: ${name}, webhook_configs: [{ url: '${address(id)}' }] }`;
	const route = ({ id, times = TIMES }: Row) =>
		`      - { matchers: ['row="${id}"'], receiver: ${['chain', 'taken'].includes(id) ? 'nobody' : id}, group_by: [run], ${times} }`;
	const steps = (...all: readonly (readonly [string, string])[]) =>
		`[${all.map(([who, rest]) => `{ to: ['person:${who}'], ${rest} }`).join(', ')}]`;
	return `
server: { external_url: 'http://127.0.0.1:${port}' }
rules: { files: [] }
alerts:
  global: { resolve_timeout: ${resolveTimeout} }
  route:
    receiver: nobody
    group_interval: 2s
    routes:
      - { matchers: ['part="late"'], receiver: late, group_by: [run], group_wait: 3s, group_interval: 2s }
${ROWS.map(route).join('\n')}
  receivers:
    - { name: nobody }
${receiver('late', 'cold-start')}
${receiver('other', 'reload')}
${ROWS.map(({ id }) => receiver(id, id)).join('\n')}
  inhibit_rules: [{ source_matchers: ['alertname="Cause"'], target_matchers: ['alertname="Effect"'], equal: [row, run] }]
  channels:
    - name: sms
      sms_gateway: ${JSON.stringify(sms.channel({ env: 'SMS_SECRET' }, { max_parts: 5, rate_per_minute: 600 }))}
  oncall:
    people:
${Object.entries(PHONES)
	.map(([phone, who]) => `      - { id: ${who}, name: ${who}, addresses: [{ channel: sms, to: '${phone}' }] }`)
	.join('\n')}
    policies:
      - { name: chain, services: [chain], rounds: 1, steps: ${steps(['zhang', 'wait: 2s, times: 2'], ['li', 'wait: 2s'])} }
      - { name: taken, services: [taken], rounds: 1, unacknowledge_after: 4s, steps: ${steps(['wang', 'wait: 3s'], ['li', 'wait: 1h'])} }
`;
}

function sceneOf(id: string, collector: CollectorProcess): Scene {
	const hook = hooks.get(id);
	if (hook === undefined) throw new Error(`${id} has no receiver`);
	const link = (mark: string) =>
		sms.messages.flatMap(({ content }) => (content.includes(mark) ? /http:\S+\/ack\/[\w.-]+/.exec(content) : null) ?? []).at(-1) ?? '';
	return { collector, hook, link, told: () => [...hookTold(hook), ...smsTold()] };
}

/** What the telephones got; the word that somebody took it reads `taken`. */
function smsTold(): readonly Told[] {
	return sms.messages.map(({ atMs, phones, content }) => {
		const [, mark = '', name = content] = /([a-z-]+-\d+) (\w+)/.exec(content) ?? [];
		const sign = content.startsWith('[恢复') ? '-' : content.includes('确认处理') ? 'taken ' : '';
		return {
			ear: PHONES[phones[0] ?? ''] ?? '',
			text: `${sign}${name}${content.includes('可能重复') ? ' (possibly again)' : ''}`,
			atMs,
			mark,
		};
	});
}
