import { afterEach, describe, expect, test } from 'vitest';
import { openTestChannels, sendThrough } from '../../tests/harness/channels.ts';
import { type FakeOAuth2, type FakeOAuth2Options, startFakeOAuth2 } from '../../tests/harness/fake-oauth2.ts';
import { createManualClock } from '../../tests/harness/manual-clock.ts';

const CLIENT = { clientId: 'four nines&co', clientSecret: "a+b/c=d~e'f(g)*!" };
let service: FakeOAuth2;
afterEach(() => service.stop());

/** Places of webhooks that want a token, which share one account. */
async function open(fake: Partial<FakeOAuth2Options> = {}, more = '', client = CLIENT) {
	service = await startFakeOAuth2({ ...CLIENT, ...fake });
	const clock = createManualClock();
	const { channels } = openTestChannels(
		`
receivers:
  - name: default
    webhook_configs:
      - url: '${service.hookUrl}'
        http_config: { oauth2: { client_id: '${client.clientId}', client_secret: { env: S }, token_url: '${service.tokenUrl}' ${more} } }`,
		{ secrets: { S: client.clientSecret, P: 'a secret parameter' }, clock },
	);
	const [notifier] = channels.receivers.get('default') ?? [];
	return { clock, send: () => sendThrough(notifier) };
}

describe('a token by client credentials', () => {
	test('is asked for once for messages at the same time, and kept until shortly before it ends', async () => {
		const { clock, send } = await open({ lifeS: 3600, delayMs: 20 });
		expect(await Promise.all([send(), send(), send()])).toEqual([
			{ kind: 'sent', code: '200' },
			{ kind: 'sent', code: '200' },
			{ kind: 'sent', code: '200' },
		]);
		await clock.jump(3_299_000);
		await send();
		expect(service.asked).toHaveLength(1);
		await clock.jump(2000);
		await send();
		expect(service.asked).toHaveLength(2);
		expect(service.taken).toHaveLength(5);
	});

	test('carries scopes and parameters, and encodes what has signs in it', async () => {
		const { send } = await open(
			{ scopes: ['alerts:write', 'x'], parameters: { audience: 'https://a/b c', key: 'a secret parameter' } },
			", scopes: ['alerts:write', x], endpoint_params: { audience: 'https://a/b c', key: { env: P } }",
		);
		expect(await send()).toMatchObject({ kind: 'sent' });
		expect(service.asked).toEqual([
			{
				contentType: 'application/x-www-form-urlencoded',
				basic: 'four+nines%26co:a%2Bb%2Fc%3Dd~e%27f%28g%29%2A%21',
				body: 'audience=https%3A%2F%2Fa%2Fb+c&grant_type=client_credentials&key=a+secret+parameter&scope=alerts%3Awrite+x',
			},
		]);
	});

	test('of a service that knows clients by parameters only is found out once', async () => {
		const { clock, send } = await open({ takes: 'parameters', lifeS: 60 });
		expect(await send()).toMatchObject({ kind: 'sent' });
		await clock.jump(60_000);
		expect(await send()).toMatchObject({ kind: 'sent' });
		expect(service.asked.map(({ basic }) => basic !== null)).toEqual([true, false, false]);
	});

	test.each([
		{ name: 'as a form', fake: { form: true } },
		{ name: 'with its life as text', fake: { lifeS: '3600' } },
		{ name: 'without a life', fake: { lifeS: null } },
		{ name: 'of a type of its own', fake: { tokenType: 'MAC' } },
	])('is read $name', async ({ fake }) => {
		const { send } = await open(fake);
		await send();
		expect(await send()).toMatchObject({ kind: 'sent' });
		expect(service.asked).toHaveLength(1);
	});

	test('that the service takes back is asked for anew once', async () => {
		const { send } = await open();
		await send();
		service.revoke();
		expect(await send()).toMatchObject({ kind: 'sent' });
		expect(service.asked).toHaveLength(2);
		expect(service.sent()).toBe(3);
	});

	test('that is never taken is asked for once more and not in a circle, and no token is in what is kept', async () => {
		const { send } = await open();
		service.revoke(true);
		const result = await send();
		expect(result).toMatchObject({ kind: 'refused', code: '401', reason: 'not taken: Bearer [redacted]' });
		expect(service.sent()).toBe(2);
	});
});

describe('no token', () => {
	test('for a client that is not known: refused for good, and the secret is not in what is kept', async () => {
		const { send } = await open({}, '', { ...CLIENT, clientSecret: 'another secret' });
		const result = await send();
		expect(result).toMatchObject({ kind: 'refused', code: 'token-401', reason: expect.stringContaining('invalid_client') });
		expect(JSON.stringify(result)).not.toMatch(/another.secret/);
		expect(service.sent()).toBe(0);
	});

	test('from a service that repeats the header in its refusal: it is not in what is kept', async () => {
		const { send } = await open({ takes: 'header' });
		await send();
		service.revoke();
		service.fail(403);
		expect(await send()).toMatchObject({
			kind: 'refused',
			code: 'token-403',
			reason: expect.stringMatching(/: not now: Basic \[redacted\]$/),
		});
	});

	test.each([429, 503])('while the service answers %i: tried again when it says so, and nothing was sent', async (status) => {
		const { send } = await open();
		service.fail(status);
		expect(await send()).toMatchObject({ kind: 'retry', code: `token-${status}`, afterMs: 7000, possiblySent: false });
		expect(service.asked).toHaveLength(1);
		expect(await send()).toMatchObject({ kind: 'sent' });
	});

	test('in an answer that holds none: tried again', async () => {
		const { send } = await open();
		service.fail(200);
		expect(await send()).toMatchObject({ kind: 'retry', code: 'no-token', possiblySent: false });
	});

	test('while the service is not there: tried again, and nothing was sent', async () => {
		const { send } = await open({}, '');
		await service.stop();
		expect(await send()).toMatchObject({ kind: 'retry', code: 'ECONNREFUSED', possiblySent: false });
	});
});
