/**
 * The alert pipeline in a process of its own, which kills itself at one point. Started by alerting-kill.test.ts with
 * everything in the environment; says `received` once an alert is acknowledged and then works on until it is ended.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { createAlerting } from '../../alerts/alerting.ts';
import type { AlertingPorts } from '../../alerts/ports.ts';
import { createAlertingPorts } from '../../collector/state/alerting-ports.ts';
import { openStateDatabase } from '../../collector/state/database.ts';
import { systemClock } from '../../core/clock.ts';
import { httpExchange } from '../../core/http-client.ts';
import { createLogger } from '../../core/log.ts';
import { resolveSecret } from '../../core/secret.ts';
import { alertsConfig, postedAlert } from '../harness/alerting.ts';
import { exampleNotification } from '../harness/channels.ts';

const { FOLDER = '', CONFIG = '', KILL_AT = '', POST = '', STARTS_AT = '0' } = process.env;

function die(): Promise<never> {
	process.kill(process.pid, 'SIGKILL');
	return new Promise(() => {});
}

/** `before NAME` kills instead of the call, `after NAME` once it is durable and before its caller learns of it. */
function mortal<A extends readonly unknown[], R>(name: string, call: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
	return async (...args) => {
		if (KILL_AT === `before ${name}`) {
			// What was begun too early, before this was durable, has the time to get out.
			await sleep(150);
			await die();
		}
		const result = await call(...args);
		if (KILL_AT === `after ${name}`) await die();
		return result;
	};
}

const state = await openStateDatabase(FOLDER);
const real = createAlertingPorts(state);
const ports: AlertingPorts = {
	...real,
	alerts: {
		...real.alerts,
		recordAlerts: mortal('recordAlerts', real.alerts.recordAlerts),
		recordDispatch: async (record) => {
			// Only the round that tells somebody is a boundary.
			if (record.entries.length === 0) return real.alerts.recordDispatch(record);
			await mortal('recordDispatch', real.alerts.recordDispatch)(record);
		},
	},
	outbox: {
		...real.outbox,
		beginAttempt: mortal('beginAttempt', real.outbox.beginAttempt),
		endAttempt: mortal('endAttempt', real.outbox.endAttempt),
		addEntries: mortal('addEntries', real.outbox.addEntries),
	},
	receipts: { ...real.receipts, recordReceipts: mortal('recordReceipts', real.receipts.recordReceipts) },
};

const alerting = await createAlerting({
	config: alertsConfig(CONFIG),
	ports,
	clock: systemClock,
	log: createLogger('alerts', { level: 'warn' }),
	metrics: new Registry(),
	http: httpExchange,
	secret: (ref) => resolveSecret(ref, process.env),
	externalUrl: '',
});
await alerting.start();
process.on('SIGTERM', () => {
	void alerting
		.stop()
		.then(() => state.destroy())
		.then(() => process.exit(0));
});
process.stdout.write('started\n');
setInterval(() => {}, 60_000);
if (POST === 'person') {
	const { groupKey, groupLabels, reason, alerts, firingCount, resolvedCount } = exampleNotification();
	await alerting.personal.notify({
		id: '01900000-0000-7000-8000-0000000000bb',
		person: { id: 'zhangsan', name: '张三' },
		addresses: ['first', 'second'].map((channel) => ({ channel, to: '13800000001' })),
		message: { groupKey, groupLabels, reason, alerts, firingCount, resolvedCount },
		incident: { id: '01900000-0000-7000-8000-0000000000aa', code: 'A7', ackUrl: '', clock: '', text: '' },
	});
	process.stdout.write('received\n');
} else if (POST !== '') {
	const startsAtMs = Number(STARTS_AT);
	const labels = { alertname: 'NginxDown', severity: 'critical', instance: 'app-1' };
	await alerting.receive([
		postedAlert(labels, { startsAtMs, endsAtMs: POST === 'resolve' ? Date.now() - 1 : null }, { summary: 'Nginx 停了' }),
	]);
	process.stdout.write('received\n');
}
