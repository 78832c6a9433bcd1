import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand, freePort, type RunningProcess, runCommand, startProcess, temporaryFolder, waitFor } from './process.ts';
import type { GeneratedSeries } from './query-generator.ts';

export interface PrometheusServer {
	readonly address: string;
	stop(): Promise<void>;
}

/** Whether Debian's prometheus and promtool are installed. */
export const prometheusAvailable = findCommand('prometheus') !== null && findCommand('promtool') !== null;

/** A Prometheus of our own, on a free loopback port, that holds exactly these series and scrapes nothing. */
export async function startPrometheus(series: readonly GeneratedSeries[]): Promise<PrometheusServer> {
	const folder = temporaryFolder('prometheus');
	let server: RunningProcess | null = null;
	try {
		const lines: string[] = [];
		for (const { labels, samples } of series) {
			const pairs: string[] = [];
			for (let i = 2; i < labels.length; i += 2) pairs.push(`${labels[i]}=${JSON.stringify(labels[i + 1])}`);
			for (const [timeMs, value] of samples) lines.push(`${labels[1]}{${pairs.join(',')}} ${value} ${timeMs / 1000}`);
		}
		writeFileSync(join(folder.path, 'samples.txt'), `${lines.join('\n')}\n# EOF\n`);
		runCommand('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', join(folder.path, 'samples.txt'), join(folder.path, 'data')]);
		writeFileSync(join(folder.path, 'prometheus.yml'), 'global: {evaluation_interval: 1m}\n');
		const port = await freePort();
		const address = `http://127.0.0.1:${port}`;
		server = startProcess('prometheus', [
			`--config.file=${join(folder.path, 'prometheus.yml')}`,
			`--storage.tsdb.path=${join(folder.path, 'data')}`,
			'--storage.tsdb.retention.time=100y',
			`--web.listen-address=127.0.0.1:${port}`,
			'--enable-feature=promql-at-modifier,promql-negative-offset,promql-per-step-stats',
		]);
		const running = server;
		await waitFor('Prometheus', async () => (await fetch(`${address}/-/ready`)).ok);
		return {
			address,
			stop: async () => {
				await running.stop();
				folder.remove();
			},
		};
	} catch (error) {
		await server?.stop();
		folder.remove();
		throw error;
	}
}
