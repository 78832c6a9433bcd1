import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BoardSpec, buildBoard } from './board.ts';
import { hostBoard } from './host-board.ts';
import { mysqlReplicationBoard } from './mysql-replication-board.ts';
import { nginxBoard } from './nginx-board.ts';
import { overviewBoard } from './overview-board.ts';
import { servicesBoard } from './services-board.ts';
import { tomcatBoard } from './tomcat-board.ts';

export const BOARDS: readonly BoardSpec[] = [overviewBoard, servicesBoard, hostBoard, mysqlReplicationBoard, nginxBoard, tomcatBoard];

export const DASHBOARDS_DIR = resolve(import.meta.dirname, '../../dashboards');

/** File name and content of every board, as they are committed. */
export function boardFiles(): readonly { readonly name: string; readonly content: string }[] {
	return BOARDS.map((spec) => ({ name: `${spec.name}.json`, content: `${JSON.stringify(buildBoard(spec), null, '\t')}\n` }));
}

/** `npm run build:dashboards` */
function main(): void {
	mkdirSync(DASHBOARDS_DIR, { recursive: true });
	for (const { name, content } of boardFiles()) writeFileSync(join(DASHBOARDS_DIR, name), content);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
