import { compressSync } from 'snappy';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { httpExchange } from '../../core/http-client.ts';
import { labelsFromObject } from '../../core/labels.ts';
import type { LedgerAnswer } from '../../protocol/api.ts';
import { encodeRemoteWriteV1 } from '../../protocol/remote-write/encode-v1.ts';
import { waitFor } from '../harness/process.ts';
import { startTrialCollector, type TrialCollector } from '../harness/trial-collector.ts';

const DAY_MS = 86_400_000;
let collector: TrialCollector;

beforeAll(async () => {
	const config = 'inventory:\n  checks: [{ id: portal, interval: 10s }]\n  services: [{ id: portal, name: 门户, checks: [portal] }]\n';
	collector = await startTrialCollector('late', { config });
});
afterAll(() => collector.remove());

async function deliver(
	labels: Readonly<Record<string, string>>,
	samples: readonly { timestampMs: number; value: number }[],
): Promise<void> {
	const answer = await httpExchange(`${collector.address}/api/v1/write`, {
		method: 'POST',
		timeoutMs: 60_000,
		headers: {
			authorization: `Bearer ${collector.token('local-agent')}`,
			'content-type': 'application/x-protobuf',
			'content-encoding': 'snappy',
		},
		body: compressSync(Buffer.from(encodeRemoteWriteV1([{ labels: labelsFromObject(labels), samples }]))),
	});
	expect(answer.status).toBeLessThan(300);
}

test('an agent that delivers two days late reopens the ledger of those days', async () => {
	const fromMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - 3 * DAY_MS;
	const ledger = async (): Promise<LedgerAnswer> => {
		const path = `/api/fournines/v1/services/portal/ledger?from=${fromMs / 1000}&to=${(fromMs + DAY_MS) / 1000}`;
		return JSON.parse((await collector.call('GET', path, { token: 'local-read' })).text) as LedgerAnswer;
	};
	expect((await ledger()).figures).toMatchObject({ totalSeconds: 86_400, unknownSeconds: 86_400, coverage: '0.000' });
	const samples = [];
	for (let t = fromMs; t < fromMs + DAY_MS; t += 10_000)
		samples.push({ timestampMs: t, value: t >= fromMs + 3_600_000 && t < fromMs + 3_700_000 ? 0 : 1 });
	await deliver({ __name__: 'probe_success', check: 'portal', vantage: 'app-1', job: 'probe', instance: 'x' }, samples);
	await waitFor('the ledger to be computed again', async () => (await ledger()).figures.unknownSeconds === 0);
	expect((await ledger()).figures).toMatchObject({ downSeconds: 100, upSeconds: 86_300, sliBest: '99.884', sliWorst: '99.884' });
});

test('heartbeats that come late change the cause of silence on a day that is kept', async () => {
	const fromMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - 6 * DAY_MS;
	const noonMs = fromMs + DAY_MS / 2;
	const causesAfterNoon = async (): Promise<readonly string[]> => {
		const path = `/api/fournines/v1/services/portal/ledger?from=${fromMs / 1000}&to=${(fromMs + DAY_MS) / 1000}`;
		const ledger = JSON.parse((await collector.call('GET', path, { token: 'local-read' })).text) as LedgerAnswer;
		return ledger.intervals.filter(({ toSeconds }) => toSeconds * 1000 > noonMs + 60_000).map(({ reason }) => reason);
	};
	const every10s = (fromT: number, toT: number) =>
		Array.from({ length: (toT - fromT) / 10_000 }, (_, i) => ({ timestampMs: fromT + i * 10_000, value: 1 }));
	const beat = { __name__: 'fournines_agent_last_push_timestamp_seconds', host: 'app-9', job: 'agent', instance: 'app-9' };
	await deliver({ __name__: 'probe_success', check: 'portal', vantage: 'app-9', job: 'probe', instance: 'x' }, every10s(fromMs, noonMs));
	// Without a life of its own that day the collector would be the explanation.
	await deliver({ __name__: 'fournines_collector_up', job: 'fournines', instance: 'x' }, every10s(fromMs, fromMs + DAY_MS));
	await deliver(beat, every10s(fromMs, noonMs));
	await waitFor('the silence to be the agent', async () => (await causesAfterNoon()).at(-1) === 'agent silent: app-9');
	// The checks themselves are told of within 100 ms; after that only the heartbeats can reopen the day.
	await new Promise((resolve) => setTimeout(resolve, 500));
	expect((await causesAfterNoon()).at(-1)).toBe('agent silent: app-9');
	await deliver(beat, every10s(noonMs, fromMs + DAY_MS));
	await waitFor('the agent to have been alive', async () => (await causesAfterNoon()).every((cause) => cause.startsWith('no data')));
	expect(await causesAfterNoon()).not.toEqual([]);
});
