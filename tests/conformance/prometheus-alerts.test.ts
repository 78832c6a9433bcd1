import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { registerAlertmanagerRoutes } from '../../collector/api/alertmanager/alertmanager-routes.ts';
import { createHttpServer } from '../../collector/api/server.ts';
import { createAccounts } from '../../collector/identity/accounts.ts';
import { createOperationLog } from '../../collector/identity/operation-log.ts';
import { createTokenStore } from '../../collector/identity/tokens.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import { startAlerting } from '../harness/alerting.ts';
import { startFakeWebhook } from '../harness/fake-webhook.ts';
import { findCommand, freePort, startProcess, temporaryFolder, waitFor } from '../harness/process.ts';

const prometheus = findCommand('prometheus');

describe.skipIf(prometheus === null)('a real Prometheus sends its alerts here', () => {
	test('they fire, are routed, and resolve', async () => {
		const folder = temporaryFolder('prometheus-alerts');
		const hook = await startFakeWebhook();
		const running = await startAlerting({
			folder: folder.path,
			clock: systemClock,
			config: `{ route: { receiver: a, group_wait: 0s, group_interval: 100ms }, receivers: [{ name: a, webhook_configs: [{ url: '${hook.url}' }] }] }`,
		});
		const { state } = running;
		const tokens = createTokenStore(state, systemClock);
		const token = await tokens.issue('prometheus', 'alert');
		const accounts = createAccounts({
			state,
			clock: systemClock,
			config: () => {
				throw new Error('nobody logs in here');
			},
			operations: createOperationLog(state, systemClock, () => {}),
		});
		const app = await createHttpServer({
			log: silentLogger,
			guard: { accounts, tokens, openReads: false },
			consoleDir: null,
			tls: null,
			version: '0',
		});
		await registerAlertmanagerRoutes(app, { alerting: running.alerting, clock: systemClock, log: silentLogger, version: '0' });
		await app.listen({ port: 0, host: '127.0.0.1' });
		const target = `127.0.0.1:${(app.server.address() as AddressInfo).port}`;
		const port = await freePort();
		const config = join(folder.path, 'prometheus.yml');
		const rules = join(folder.path, 'rules.yml');
		writeFileSync(
			config,
			`
global: { evaluation_interval: 1s, external_labels: { system: 城市管理 } }
alerting: { alertmanagers: [{ api_version: v2, basic_auth: { username: prometheus, password: '${token}' }, static_configs: [{ targets: ['${target}'] }] }] }
rule_files: ['${rules}']
`,
		);
		const rule = (expression: string) =>
			writeFileSync(
				rules,
				`groups: [{ name: g, rules: [{ alert: Always, expr: '${expression}', labels: { severity: critical }, annotations: { summary: '值 {{ $value }}' } }] }]`,
			);
		rule('vector(1)');
		const server = startProcess(prometheus ?? '', [
			`--config.file=${config}`,
			`--storage.tsdb.path=${join(folder.path, 'data')}`,
			`--web.listen-address=127.0.0.1:${port}`,
			// It learns of its alertmanagers a few seconds after the first evaluation, and would repeat only after a minute. An alert that is
			// not repeated for four times as long is over.
			'--rules.alert.resend-delay=5s',
		]);
		try {
			await waitFor('the firing', () => hook.messages.length > 0);
			expect(hook.messages[0]?.body.alerts).toMatchObject([
				{ status: 'firing', labels: { alertname: 'Always', severity: 'critical', system: '城市管理' } },
			]);
			expect(running.alerting.alerts()[0]?.alert.annotations).toEqual({ summary: '值 1' });
			expect(running.alerting.alerts()[0]?.alert.generatorUrl).toContain('/graph?');
			rule('vector(1) > 2');
			server.kill('SIGHUP');
			await waitFor('the recovery', () => hook.messages.at(-1)?.body.status === 'resolved');
			expect(hook.messages.map(({ body }) => body.status)).toEqual(['firing', 'resolved']);
		} finally {
			await server.stop();
			await app.close();
			await running.stop();
			await hook.stop();
			folder.remove();
		}
	});
});
