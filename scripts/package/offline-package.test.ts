import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { buildOfflinePackage } from './build-offline.ts';

const root = join(import.meta.dirname, '../..');
const isolates = spawnSync('unshare', ['--net', 'true']).status === 0 && existsSync(join(root, 'dist/console/index.html'));
let folder: TemporaryFolder;
const at = (...parts: string[]) => join(folder.path, ...parts);

beforeAll(() => {
	folder = temporaryFolder('offline');
});
afterAll(() => folder.remove());

/** What an administrator does on the other side: unpack, install, start, look. Each line of the output is one answer. */
const SESSION = `set -eu
ip link set lo up
echo "routes: $(ip route | wc -l)"
./install.sh --root "$1" --listen 127.0.0.1:9999 --public-key "$2" >&2
export FOURNINES_HOME="$1/opt/fournines-collector"
node="$FOURNINES_HOME/runtime/node"
"$1/usr/local/bin/fournines" check "$1/etc/fournines/collector.yml" >&2
"$1/usr/local/bin/fournines" collector --config "$1/etc/fournines/collector.yml" --data "$1/data" --log-level warn >&2 &
collector=$!
"$node" -e '
const look = async (path) => (await fetch("http://127.0.0.1:9999" + path)).status;
const until = Date.now() + 120000;
const ready = () => look("/-/ready").then((status) => status === 200, () => false);
(async () => {
	while (Date.now() < until && !(await ready())) await new Promise((resolve) => setTimeout(resolve, 100));
	console.log("ready:", await look("/-/ready"));
	console.log("console:", await look("/"));
	console.log("runbook:", await look("/docs/runbooks/agent.md"));
})();
'
FOURNINES_AGENT="$FOURNINES_HOME/app/dist/agent/fournines-agent.cjs"
echo "agent: $("$node" "$FOURNINES_AGENT" --once | grep -c '^node_load1{')"
kill "$collector"
wait "$collector" && echo "stopped: 0"
"$FOURNINES_HOME/uninstall.sh" --root "$1" >&2
`;

test.skipIf(!isolates)(
	'one archive installs and starts where there is no route',
	async () => {
		const { privateKey, publicKey } = generateKeyPairSync('ed25519');
		writeFileSync(at('release.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
		writeFileSync(at('release.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
		const platform = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64';
		const file = await buildOfflinePackage({ outDir: at('out'), platform, keyFile: at('release.key') });
		mkdirSync(at('unpacked'));
		expect(spawnSync('tar', ['-xzf', file, '--strip-components=1'], { cwd: at('unpacked') }).status).toBe(0);
		const result = spawnSync('unshare', ['--net', 'sh', '-c', SESSION, 'sh', at('root'), at('release.pem')], {
			cwd: at('unpacked'),
			encoding: 'utf8',
			timeout: 280_000,
		});
		expect(result.stdout.trim().split('\n'), result.stderr).toEqual([
			'routes: 0',
			'ready: 200',
			'console: 200',
			'runbook: 200',
			'agent: 1',
			'stopped: 0',
		]);
		expect(existsSync(at('root/opt/fournines-collector'))).toBe(false);
		expect(readFileSync(at('root/etc/fournines/collector.yml'), 'utf8')).toContain('listen: 127.0.0.1:9999');
		expect(existsSync(at('root/data'))).toBe(true);
	},
	300_000,
);
