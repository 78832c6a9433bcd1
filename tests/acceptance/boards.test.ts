import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type Board, type Panel, readBoard, sectionsOf } from '../../console/src/boards/board-json.ts';
import { interpolate } from '../../console/src/boards/interpolate.ts';
import { resolveScope } from '../../console/src/boards/resolve-scope.ts';
import { builtInValues } from '../../console/src/boards/time-range.ts';
import { type CollectorProcess, startAgentProcess, startCollectorProcess } from '../harness/collector.ts';
import { available as mariaDbAvailable, startMariaDbPair } from '../harness/mariadb.ts';
import { available as nginxAvailable, startNginx } from '../harness/nginx.ts';
import { freePort, temporaryFolder, waitFor } from '../harness/process.ts';
import { startTomcat, available as tomcatAvailable } from '../harness/tomcat.ts';

const DASHBOARDS = resolve(import.meta.dirname, '../../dashboards');

/**
 * What is rightly empty: no disk is filling, this MariaDB no longer counts rows by operation, no budget will be lost. Requests are written a minute
 * after they came; `service-board.test.ts` asks those queries.
 */
const MAY_BE_EMPTY = ['预计写满', '行操作', '失守时间'];
const LATER = /fournines_requests_/;

/** Every query of every shipped board, as the viewer asks it, against real servers: a renamed metric or label must not leave a panel blank. */
describe.skipIf(!(nginxAvailable() && tomcatAvailable() && mariaDbAvailable()))('every panel of every board has data', () => {
	let collector: CollectorProcess;
	const closing: (() => Promise<unknown> | unknown)[] = [];

	beforeAll(async () => {
		const folder = temporaryFolder('boards');
		closing.push(() => folder.remove());
		const file = (name: string, content: string) => {
			const path = join(folder.path, name);
			writeFileSync(path, content, { mode: 0o600 });
			return path;
		};
		const [databases, tomcat] = await Promise.all([startMariaDbPair(), startTomcat()]);
		closing.push(
			() => databases.remove(),
			() => tomcat.remove(),
		);
		const nginx = await startNginx({ upstream: tomcat.url });
		closing.push(() => nginx.remove());
		collector = await startCollectorProcess({
			dataDir: join(folder.path, 'data'),
			port: await freePort(),
			configFile: file(
				'collector.yml',
				stringify({
					inventory: { checks: [{ id: 'entrance', interval: '5s' }], services: [{ id: 'entrance', name: '入口', checks: ['entrance'] }] },
				}),
			),
		});
		closing.push(() => collector.stop());
		const password = { file: file('mysql.password', databases.master.password) };
		const database = ({ address, username }: { readonly address: string; readonly username: string }) => ({ address, username, password });
		const agent = startAgentProcess({
			configFile: file(
				'agent.yml',
				stringify({
					host: { name: 'app-2', system: 'mis' },
					interval: '5s',
					listen: '',
					collector: { url: collector.url, token: { file: collector.pushTokenFile } },
					inputs: {
						nginx: [{ url: nginx.statusUrl }],
						tomcat: [{ url: tomcat.url, username: tomcat.username, password: { file: file('tomcat.password', tomcat.password) } }],
						mysql: [database(databases.master), database(databases.replica)],
						probes: [{ id: 'entrance', kind: 'http', target: `${nginx.url}/`, interval: '5s', timeout: '3s' }],
					},
				}),
			),
			dataDir: join(folder.path, 'agent'),
		});
		closing.push(() => agent.stop());
		const enough = ['count_over_time(node_load1[5m]) >= 4', 'count_over_time(mysql_up[5m]) >= 4', 'count_over_time(tomcat_up[5m]) >= 4'];
		for (const expression of enough)
			await waitFor(expression, async () => (await collector.query(expression)).length > 0, { intervalMs: 500 });
	});

	afterAll(async () => {
		for (const close of closing.reverse()) await close();
	});

	const labelValues = async (label: string, selector: string) => {
		const query = selector === '' ? '' : `?match[]=${encodeURIComponent(selector)}`;
		return (JSON.parse(await collector.get(`/api/v1/label/${label}/values${query}`)) as { readonly data: readonly string[] }).data;
	};

	async function emptyQueries(board: Board): Promise<readonly string[]> {
		const scope = await resolveScope(board.variables, {}, labelValues);
		const nowMs = Date.now();
		const builtIn = builtInValues({ fromMs: nowMs - 900_000, toMs: nowMs }, 15);
		const empty: string[] = [];
		for (const panel of sectionsOf(board).flatMap((section) => section.panels)) {
			for (const target of panel.targets) {
				const rows = await collector.query(interpolate(target.expression, scope, builtIn));
				if (rows.length === 0 && !LATER.test(target.expression) && !mayBeEmpty(panel, target.refId))
					empty.push(`${panel.title}: ${target.expression}`);
			}
		}
		return empty;
	}

	test.each(readdirSync(DASHBOARDS).filter((name) => name.endsWith('.json')))('%s', async (name) => {
		const board = readBoard(JSON.parse(readFileSync(join(DASHBOARDS, name), 'utf8')));
		if (board === null) throw new Error(`${name} is not a board`);
		// Rates need two samples, and some counters begin with the first request.
		await waitFor(`data in ${name}`, async () => (await emptyQueries(board)).length === 0, { intervalMs: 3000 }).catch(() => {});
		expect(await emptyQueries(board)).toEqual([]);
	});
});

/** By the title of the column that shows it. */
function mayBeEmpty(panel: Panel, refId: string): boolean {
	const organize = panel.transformations.find(({ id }) => id === 'organize')?.options['renameByName'];
	const titles = typeof organize === 'object' && organize !== null ? (organize as Readonly<Record<string, unknown>>) : {};
	return MAY_BE_EMPTY.includes(String(titles[`Value #${refId}`] ?? panel.title));
}
