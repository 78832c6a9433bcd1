import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RELAY_POLL_PATH } from '../core/relay-wire.ts';
import { buildAgent } from '../scripts/build-agent.ts';
import { fetchNodeRuntime, type Platform, type RuntimeMajor, runtimeVersion } from '../scripts/package/node-runtime.ts';
import { freePort, startProcess, type TemporaryFolder, temporaryFolder, waitFor } from '../tests/harness/process.ts';
import { AGENT_ENVIRONMENT, AGENT_NODE_FLAGS } from './node-flags.ts';

const SYSROOT = '/usr/aarch64-linux-gnu';
const NATIVE: Platform = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64';
/** What runs programs of the platform here; `null` when nothing does. */
function emulatorOf(platform: Platform): readonly string[] | null {
	if (platform === NATIVE) return [];
	const emulator = '/usr/bin/qemu-aarch64';
	return platform === 'linux-arm64' && existsSync(emulator) && existsSync(`${SYSROOT}/lib/libstdc++.so.6`)
		? [emulator, '-L', SYSROOT]
		: null;
}

let folder: TemporaryFolder;
let bundle: string;
beforeAll(async () => {
	folder = temporaryFolder('runtimes');
	bundle = await buildAgent({ outFile: join(folder.path, 'agent.cjs') });
});
afterAll(() => folder.remove());

/** 24 on this processor is what every other test runs on. */
const RUNTIMES: readonly { readonly platform: Platform; readonly major: RuntimeMajor }[] = [
	{ platform: NATIVE, major: 20 },
	{ platform: NATIVE, major: 18 },
	{ platform: NATIVE, major: 16 },
	{ platform: 'linux-arm64', major: 24 },
	{ platform: 'linux-arm64', major: 16 },
];

describe.each(RUNTIMES)('Node $major on $platform', ({ platform, major }) => {
	const emulator = emulatorOf(platform);

	test.skipIf(emulator === null)(
		'reads the host, serves, and stops in order',
		async () => {
			const node = join(folder.path, `node-${platform}-${major}`);
			fetchNodeRuntime(platform, major, node);
			chmodSync(node, 0o755);
			const port = await freePort();
			const [internet, inside] = [await freePort(), await freePort()];
			const callbacks = `{ listen: '127.0.0.1:${internet}', collector_listen: '127.0.0.1:${inside}', token: { env: RELAY }, ack_links: true, hold: 10ms }`;
			const config = join(folder.path, `agent-${platform}-${major}.yml`);
			writeFileSync(config, `listen: 127.0.0.1:${port}\nhost: { name: app-1 }\ninterval: 1s\nrelay: { callbacks: ${callbacks} }\n`);
			const [command = node, ...before] = [...(emulator ?? []), node];
			const data = join(folder.path, `data-${platform}-${major}`);
			const args = [...before, ...AGENT_NODE_FLAGS, bundle, '--config', config, '--data', data];
			const agent = startProcess(command, args, { env: { ...AGENT_ENVIRONMENT, RELAY: 'relay-token' } });
			try {
				const page = await waitFor(
					'its own page',
					async () => {
						const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
						return text.includes('node_load1{') ? text : null;
					},
					{ timeoutMs: 300_000 },
				);
				expect(page).toContain(`node="v${runtimeVersion(major)}"`);
				expect(page).toMatch(/^fournines_agent_input_up\{.*input="host".*\} 1$/m);
				expect(page).toMatch(/^node_memory_MemTotal_bytes\{.*\} [0-9]/m);
				const pressed = await fetch(`http://127.0.0.1:${internet}/ack/1.1.AAAA`, { method: 'POST' });
				expect(pressed.status).toBe(202);
				const fetched = await fetch(`http://127.0.0.1:${inside}${RELAY_POLL_PATH}`, {
					method: 'POST',
					headers: { authorization: 'Bearer relay-token' },
					body: JSON.stringify({ answers: [], waitMs: 0 }),
				});
				expect(await fetched.json()).toMatchObject({ requests: [{ kind: 'ack', name: '1.1.AAAA', method: 'POST' }] });
			} finally {
				expect(await agent.stop(60_000)).toBe(0);
			}
		},
		480_000,
	);
});
