import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startCollectorProcess } from '../tests/harness/collector.ts';
import { type FakeServer, startFakeServer } from '../tests/harness/fake-server.ts';
import { findCommand, freePort, runCommand, startProcess, waitFor } from '../tests/harness/process.ts';

/** One way from samples to messages: ours, or Prometheus with Alertmanager. */
export interface AlertPath {
	readonly name: string;
	readonly version: string;
	/** Whoever takes alerts. */
	readonly alertsPid: number;
	readonly alertsUrl: string;
	/** Header of posts to `alertsUrl`. */
	readonly alertsAuth: Readonly<Record<string, string>>;
	/** Where remote write goes, and its header. */
	readonly writeUrl: string;
	readonly writeAuth: Readonly<Record<string, string>>;
	/** When the first message about this case arrived, in milliseconds of this process; `undefined` when none did. */
	arrivedAtMs(name: string): number | undefined;
	readonly messages: () => number;
	stop(): Promise<void>;
}

export interface PathOptions {
	readonly folder: string;
	readonly rules: string;
	readonly evaluation: string;
	/** Label whose value names a case; messages are grouped by it. */
	readonly groupBy: string;
	/** YAML of Prometheus scrape configurations; ours is fed by an agent instead. */
	readonly scrape?: string;
}

interface Sink {
	readonly server: FakeServer;
	readonly arrived: Map<string, number>;
	readonly count: () => number;
}

async function startSink(groupBy: string): Promise<Sink> {
	const arrived = new Map<string, number>();
	let count = 0;
	const server = await startFakeServer({
		handle: (request, exchange) => {
			const atMs = performance.now();
			count++;
			const { alerts } = JSON.parse(request.body.toString('utf8')) as { alerts: { status: string; labels: Record<string, string> }[] };
			for (const { status, labels } of alerts) {
				const name = labels[groupBy] ?? '';
				if (status === 'firing' && !arrived.has(name)) arrived.set(name, atMs);
			}
			exchange.answer(200, 'ok');
		},
	});
	return { server, arrived, count: () => count };
}

export async function startOurs(options: PathOptions): Promise<AlertPath> {
	const { folder, rules, evaluation, groupBy } = options;
	const sink = await startSink(groupBy);
	const rulesFile = join(folder, 'our-rules.yml');
	const configFile = join(folder, 'collector.yml');
	writeFileSync(rulesFile, rules);
	writeFileSync(
		configFile,
		`rules: { files: ['${rulesFile}'], evaluation_interval: ${evaluation} }
alerts:
  route: { receiver: r, group_by: [${groupBy}], group_wait: 0s, group_interval: 1s }
  receivers: [{ name: r, webhook_configs: [{ url: '${sink.server.baseUrl}' }] }]
  storm: { messages: 0 }
`,
	);
	const dataDir = join(folder, 'ours');
	const collector = await startCollectorProcess({ dataDir, port: await freePort(), configFile, env: { NODE_ENV: 'production' } });
	const bearer = (name: string) => ({ authorization: `Bearer ${readFileSync(join(dataDir, 'keys', name), 'utf8').trim()}` });
	return {
		name: 'fournines',
		version: `Node ${process.version}`,
		alertsPid: collector.pid(),
		alertsUrl: collector.url,
		alertsAuth: bearer('local-alert.token'),
		writeUrl: `${collector.url}/api/v1/write`,
		writeAuth: bearer('local-agent.token'),
		arrivedAtMs: (name) => sink.arrived.get(name),
		messages: sink.count,
		stop: async () => {
			await collector.stop();
			await sink.server.stop();
		},
	};
}

/** `null` when one of them is not installed. */
export async function startTheirs(options: PathOptions): Promise<AlertPath | null> {
	const { folder, rules, evaluation, groupBy, scrape = '' } = options;
	const prometheus = findCommand('prometheus');
	const alertmanager = findCommand('prometheus-alertmanager');
	if (prometheus === null || alertmanager === null) return null;
	const sink = await startSink(groupBy);
	const [webPort, alertPort] = [await freePort(), await freePort()];
	const file = (name: string, text: string) => {
		writeFileSync(join(folder, name), text);
		return join(folder, name);
	};
	const alerts = startProcess(alertmanager, [
		`--config.file=${file(
			'alertmanager.yml',
			`route: { receiver: r, group_by: [${groupBy}], group_wait: 0s, group_interval: 1s, repeat_interval: 4h }
receivers: [{ name: r, webhook_configs: [{ url: '${sink.server.baseUrl}' }] }]
`,
		)}`,
		`--storage.path=${join(folder, 'alertmanager')}`,
		`--web.listen-address=127.0.0.1:${alertPort}`,
		'--cluster.listen-address=',
	]);
	const rulesFile = file('their-rules.yml', rules);
	const web = startProcess(prometheus, [
		`--config.file=${file(
			'prometheus.yml',
			`global: { evaluation_interval: ${evaluation}, scrape_interval: ${evaluation} }
rule_files: ['${rulesFile}']
alerting: { alertmanagers: [{ static_configs: [{ targets: ['127.0.0.1:${alertPort}'] }] }] }
${scrape}
`,
		)}`,
		`--storage.tsdb.path=${join(folder, 'prometheus')}`,
		`--web.listen-address=127.0.0.1:${webPort}`,
		'--web.enable-remote-write-receiver',
	]);
	await waitFor('prometheus', () => web.output().includes('Server is ready'));
	await waitFor('alertmanager', async () => (await fetch(`http://127.0.0.1:${alertPort}/-/ready`)).ok);
	// It drops what fires before it has found its Alertmanager, and repeats it a minute later.
	await waitFor('prometheus to find its alertmanager', async () => {
		const { data } = (await (await fetch(`http://127.0.0.1:${webPort}/api/v1/alertmanagers`)).json()) as {
			data: { activeAlertmanagers: readonly unknown[] };
		};
		return data.activeAlertmanagers.length > 0;
	});
	return {
		name: 'prometheus + alertmanager',
		version: [prometheus, alertmanager].map((command) => /version (\S+)/.exec(runCommand(command, ['--version']))?.[1] ?? '').join(' + '),
		alertsPid: alerts.pid,
		alertsUrl: `http://127.0.0.1:${alertPort}`,
		alertsAuth: {},
		writeUrl: `http://127.0.0.1:${webPort}/api/v1/write`,
		writeAuth: {},
		arrivedAtMs: (name) => sink.arrived.get(name),
		messages: sink.count,
		stop: async () => {
			await web.stop();
			await alerts.stop();
			await sink.server.stop();
		},
	};
}
