import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AGENT_ENVIRONMENT, AGENT_NODE_FLAGS } from '../../agent/node-flags.ts';
import { buildAgent } from '../../scripts/build-agent.ts';
import { freePort, startProcess, temporaryFolder, waitFor } from '../harness/process.ts';

/** Rounds of a day at 15 s. */
const ROUNDS = 5760;
const INTERVAL_MS = 25;

test('a day of rounds, with an outage in the middle, leaves memory flat', async () => {
	const folder = temporaryFolder('agent-soak');
	let requests = 0;
	let away = false;
	const receiver = createServer((request, response) => {
		request.resume();
		request.on('end', () => {
			requests++;
			response.writeHead(away ? 503 : 204, { 'x-prometheus-remote-write-samples-written': '1', 'retry-after': '1' }).end();
		});
	});
	const port = await freePort();
	await new Promise<void>((resolve) => receiver.listen(port, '127.0.0.1', resolve));
	const bundle = await buildAgent({ outFile: join(folder.path, 'agent.cjs') });
	const config = join(folder.path, 'agent.yml');
	writeFileSync(config, `listen: ""\ninterval: ${INTERVAL_MS}ms\ncollector: { url: "http://127.0.0.1:${port}" }\n`);
	const agent = startProcess(process.execPath, [...AGENT_NODE_FLAGS, bundle, '--config', config, '--data', join(folder.path, 'data')], {
		env: AGENT_ENVIRONMENT,
	});
	/** MiB that only the process has: the highest of some looks, because garbage comes and goes. */
	const anonymous = async () => {
		let highest = 0;
		for (let look = 0; look < 20; look++) {
			const match = /^RssAnon:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${agent.pid}/status`, 'utf8'));
			highest = Math.max(highest, Number(match?.[1] ?? 0) / 1024);
			await new Promise((resolve) => setTimeout(resolve, 250));
		}
		return highest;
	};
	const rounds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * INTERVAL_MS));
	try {
		await waitFor('the first request', () => requests > 0);
		await rounds(ROUNDS / 6);
		const early = await anonymous();
		await rounds(ROUNDS / 3);
		away = true;
		await rounds(ROUNDS / 6);
		away = false;
		await rounds(ROUNDS / 3);
		const late = await anonymous();
		process.stdout.write(
			`anonymous memory after ${ROUNDS / 6} rounds ${early.toFixed(1)} MiB, after ${ROUNDS} rounds ${late.toFixed(1)} MiB\n`,
		);
		expect(agent.output()).not.toContain('"level":"error"');
		expect(late).toBeLessThan(early * 1.15);
	} finally {
		await agent.stop();
		receiver.closeAllConnections();
		receiver.close();
		folder.remove();
	}
}, 900_000);
