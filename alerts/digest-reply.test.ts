import { afterEach, beforeEach, expect, test } from 'vitest';
import { postedAlert, type RunningAlerting, startAlerting } from '../tests/harness/alerting.ts';
import { type FakeCmpp, startFakeCmpp } from '../tests/harness/fake-cmpp.ts';
import { createManualClock, type ManualClock } from '../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../tests/harness/process.ts';

const PHONE = '13800000001';
let folder: TemporaryFolder;
let clock: ManualClock;
let cmpp: FakeCmpp;
let running: RunningAlerting;

beforeEach(async () => {
	folder = temporaryFolder('digest-reply');
	clock = createManualClock();
	cmpp = await startFakeCmpp({ sourceAddr: '901234', secret: 'cmpp-secret', version: 2 });
	running = await startAlerting({
		folder: folder.path,
		clock,
		secrets: { CMPP: 'cmpp-secret' },
		config: `
route: { receiver: nobody, group_by: [alertname], group_wait: 0s }
receivers: [{ name: nobody }]
next_channel_after: 1h
channels: [{ name: sms, cmpp: { host: 127.0.0.1, port: ${cmpp.port}, source_addr: '901234', secret: { env: CMPP }, src_id: '10690000', rate_per_minute: 1, max_parts: 4 } }]
oncall:
  people: [{ id: zhang, name: 张伟, addresses: [{ channel: sms, to: '${PHONE}' }] }]
  policies: [{ name: all, steps: [{ to: ['person:zhang'], wait: 1h }] }]`,
	});
});

afterEach(async () => {
	await running.stop();
	await cmpp.stop();
	folder.remove();
});

const passing = (what: string, probe: () => boolean | Promise<boolean>) =>
	waitFor(what, async () => {
		await clock.advance(5000);
		await new Promise((resolve) => setTimeout(resolve, 3));
		return probe();
	});

test('incidents that had to share a message are taken by one answer with their codes, each on its own record', async () => {
	const names = ['主库', '缓存', '入口', '网关'];
	for (const name of names) {
		const times = { startsAtMs: clock.now(), endsAtMs: clock.now() + 86_400_000 };
		await running.alerting.receive([postedAlert({ alertname: name, severity: 'critical' }, times, { summary: `${name} 停了` })]);
		await clock.settle();
	}
	// One message a minute: the rest waits and leaves together.
	await passing('the digest', () => cmpp.messages.some(({ text }) => text.includes('合并')));
	const digest = cmpp.messages.find(({ text }) => text.includes('合并'))?.text ?? '';
	const offered = [...digest.matchAll(/；(A\d+) (\S+) 停了/g)].map(([, code = '', name]) => ({ code, name }));
	expect(offered.length).toBeGreaterThanOrEqual(2);
	const incidents = () => running.alerting.onCall.incidents.active();
	for (const { code, name } of offered) {
		expect(incidents().find(({ number }) => `A${number}` === code)?.title).toBe(`${name} 停了`);
	}
	cmpp.reply(PHONE, offered.map(({ code }) => code).join(' '));
	await passing('the acknowledgements', () => incidents().filter(({ state }) => state === 'acknowledged').length === offered.length);
	expect(
		incidents()
			.filter(({ owner }) => owner === 'zhang')
			.map(({ number }) => `A${number}`)
			.sort(),
	).toEqual(offered.map(({ code }) => code).sort());
	expect(cmpp.deliverResults).toEqual([0]);
	for (const { id, state } of incidents()) {
		if (state !== 'acknowledged') continue;
		const events = await running.alerting.onCall.incidents.events(id);
		expect(events.filter(({ body }) => body.kind === 'reply' || body.kind === 'acknowledged')).toHaveLength(2);
	}
});
