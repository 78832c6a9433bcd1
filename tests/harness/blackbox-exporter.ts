import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand, freePort, startProcess, temporaryFolder, waitFor } from './process.ts';

export interface BlackboxExporter {
	/** Runs a probe; lines of its answer as `metric{labels}` to value. */
	probe(module: string, target: string): Promise<Readonly<Record<string, number>>>;
	remove(): Promise<void>;
}

const COMMAND = 'prometheus-blackbox-exporter';

export function available(): boolean {
	return findCommand(COMMAND) !== null;
}

/** The exporter on a free port with these modules (its configuration as JSON, which is YAML). */
export async function startBlackboxExporter(modules: Readonly<Record<string, object>>): Promise<BlackboxExporter> {
	const folder = temporaryFolder('blackbox');
	const port = await freePort();
	const file = join(folder.path, 'blackbox.yml');
	writeFileSync(file, JSON.stringify({ modules }));
	const child = startProcess(findCommand(COMMAND) ?? COMMAND, [`--config.file=${file}`, `--web.listen-address=127.0.0.1:${port}`]);
	const remove = async () => {
		await child.stop();
		folder.remove();
	};
	try {
		await waitFor('the exporter', async () => (await fetch(`http://127.0.0.1:${port}/-/healthy`)).ok);
	} catch (error) {
		await remove();
		throw new Error(`${error instanceof Error ? error.message : String(error)}\n${child.output()}`);
	}
	return {
		probe: async (module, target) => {
			const text = await (await fetch(`http://127.0.0.1:${port}/probe?module=${module}&target=${encodeURIComponent(target)}`)).text();
			const found: Record<string, number> = {};
			for (const line of text.split('\n')) {
				const space = line.lastIndexOf(' ');
				if (line !== '' && !line.startsWith('#')) found[line.slice(0, space)] = Number(line.slice(space + 1));
			}
			return found;
		},
		remove,
	};
}
