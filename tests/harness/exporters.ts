import { findCommand, freePort, type RunningProcess, startProcess, waitFor } from './process.ts';

/** Debian's exporters, each beside the source that it reads. */
export type ExporterKind = 'node' | 'mysqld' | 'redis' | 'nginx' | 'blackbox';

export interface Exporter {
	readonly kind: ExporterKind;
	readonly pid: number;
	/** Address of its page of metrics. */
	readonly url: string;
	/** `host:port` */
	readonly address: string;
	stop(): Promise<void>;
}

export function exporterCommand(kind: ExporterKind): string | null {
	return findCommand(`prometheus-${kind}-exporter`);
}

/** Starts an exporter on a free loopback port and waits for its page. */
export async function startExporter(
	kind: ExporterKind,
	args: readonly string[] = [],
	env: Readonly<Record<string, string>> = {},
	/** Another binary than the installed one, for example a copy of it. */
	command = exporterCommand(kind) ?? kind,
): Promise<Exporter> {
	const port = await freePort();
	const address = `127.0.0.1:${port}`;
	const listen = {
		node: '--web.listen-address',
		mysqld: '--web.listen-address',
		redis: '-web.listen-address',
		nginx: '-web.listen-address',
		blackbox: '--web.listen-address',
	};
	const child: RunningProcess = startProcess(command, [`${listen[kind]}=${address}`, ...args], { env });
	const url = `http://${address}/metrics`;
	await waitFor(`the ${kind} exporter`, async () => (await fetch(url)).ok).catch(async (error: unknown) => {
		await child.stop();
		throw new Error(`${String(error)}\n${child.output()}`);
	});
	return {
		kind,
		pid: child.pid,
		url,
		address,
		stop: async () => {
			await child.stop();
		},
	};
}
