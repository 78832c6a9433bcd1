import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { LedgerAnswer } from '../../protocol/api.ts';
import { longestGapSeconds, startAgentProcess, startCollectorProcess } from './collector.ts';
import { startMariaDb } from './mariadb.ts';
import { startNginx } from './nginx.ts';
import { freePort, temporaryFolder, waitFor } from './process.ts';
import { startTomcat } from './tomcat.ts';

/** One time that a server was really away: it was up until `from.earliest`, and up again from `to.latest` on. Milliseconds. */
export interface RealOutage {
	readonly server: string;
	readonly fromEarliestMs: number;
	readonly fromLatestMs: number;
	readonly toEarliestMs: number;
	readonly toLatestMs: number;
	/** Whether it was long enough that the checks must confirm it. */
	readonly confirmed: boolean;
}

export interface TruthRun {
	readonly intervalMs: number;
	/** The longest time between two checks of a server as they were really made, which a busy machine makes longer than the interval. */
	readonly longestGapMs: ReadonlyMap<string, number>;
	readonly fromSeconds: number;
	readonly toSeconds: number;
	readonly real: readonly RealOutage[];
	readonly ledgers: ReadonlyMap<string, LedgerAnswer>;
	/** `avg_over_time(probe_success)` over the same time, percent. */
	readonly gaugePercent: ReadonlyMap<string, number>;
}

const INTERVAL_MS = 1000;

/**
 * Takes real Nginx, Tomcat and MariaDB processes down and up by the plan and records when; a real agent checks them, a real collector
 * keeps the ledger. `plan` is in seconds after the beginning.
 */
export async function runTruth(plan: {
	readonly seconds: number;
	readonly outages: readonly { readonly server: 'nginx' | 'tomcat' | 'mariadb'; readonly at: number; readonly lasts: number }[];
}): Promise<TruthRun> {
	const folder = temporaryFolder('truth');
	const closing: (() => Promise<unknown> | unknown)[] = [() => folder.remove()];
	try {
		const [mariadb, tomcat, nginx] = await Promise.all([startMariaDb(), startTomcat(), startNginx()]);
		closing.push(
			() => mariadb.remove(),
			() => tomcat.remove(),
			() => nginx.remove(),
		);
		const servers = { nginx, tomcat, mariadb };
		const targets = { nginx: `127.0.0.1:${nginx.port}`, tomcat: `127.0.0.1:${tomcat.port}`, mariadb: mariadb.address };
		const ids = ['nginx', 'tomcat', 'mariadb'] as const;
		const configFile = join(folder.path, 'collector.yml');
		writeFileSync(
			configFile,
			stringify({
				inventory: {
					checks: ids.map((id) => ({ id, interval: '1s' })),
					services: ids.map((id) => ({ id, name: id, checks: [id] })),
				},
			}),
		);
		const collector = await startCollectorProcess({ dataDir: join(folder.path, 'data'), port: await freePort(), configFile });
		closing.push(() => collector.stop());
		const agentFile = join(folder.path, 'agent.yml');
		writeFileSync(
			agentFile,
			stringify({
				collector: { url: collector.url, token: { file: collector.pushTokenFile } },
				host: { name: 'witness' },
				interval: '2s',
				listen: '',
				inputs: {
					probes: ids.map((id) => ({ id, kind: 'tcp', target: targets[id], interval: '1s', timeout: '900ms' })),
				},
			}),
		);
		const agent = startAgentProcess({ configFile: agentFile, dataDir: join(folder.path, 'agent') });
		closing.push(() => agent.stop());
		await waitFor('the first checks', async () => (await collector.query('probe_success == 1')).length === ids.length);
		const beginMs = Date.now() + 2000;
		const until = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms - Date.now())));
		const real: RealOutage[] = [];
		const work = ids.map(async (id) => {
			for (const { at, lasts } of plan.outages.filter(({ server }) => server === id)) {
				await until(beginMs + at * 1000);
				const fromEarliestMs = Date.now();
				await servers[id].stop();
				const fromLatestMs = Date.now();
				await until(beginMs + (at + lasts) * 1000);
				const toEarliestMs = Date.now();
				await servers[id].start();
				const toLatestMs = Date.now();
				real.push({
					server: id,
					fromEarliestMs,
					fromLatestMs,
					toEarliestMs,
					toLatestMs,
					confirmed: toEarliestMs - fromLatestMs >= 4 * INTERVAL_MS,
				});
			}
		});
		await Promise.all(work);
		const fromSeconds = Math.ceil(beginMs / 1000);
		const toSeconds = fromSeconds + plan.seconds;
		// The agent sends every two seconds; outages end well before the window does, so their recovery is confirmed inside.
		await until(toSeconds * 1000 + 8000);
		const ledgers = new Map<string, LedgerAnswer>();
		const gaugePercent = new Map<string, number>();
		const longestGapMs = new Map<string, number>();
		for (const id of ids) {
			const path = `/api/fournines/v1/services/${id}/ledger?from=${fromSeconds}&to=${toSeconds}`;
			ledgers.set(id, JSON.parse(await collector.get(path)) as LedgerAnswer);
			const [checks] = await collector.query(`probe_success{check="${id}"}[${plan.seconds + 4}s] @ ${toSeconds + 2}`);
			longestGapMs.set(id, Math.ceil(longestGapSeconds(checks) * 1000));
			const [row] = await collector.query(`avg_over_time(probe_success{check="${id}"}[${plan.seconds}s] @ ${toSeconds})`);
			gaugePercent.set(id, Number(row?.value[1]) * 100);
		}
		return {
			intervalMs: INTERVAL_MS,
			longestGapMs,
			fromSeconds,
			toSeconds,
			real: real.sort((a, b) => a.fromEarliestMs - b.fromEarliestMs),
			ledgers,
			gaugePercent,
		};
	} finally {
		for (const close of closing.reverse()) await close();
	}
}

/** Real, measured and gauge side by side, and what explains each difference. */
export function truthReport(run: TruthRun): string {
	const lines: string[] = [];
	for (const [server, { figures, intervals }] of run.ledgers) {
		const own = run.real.filter((outage) => outage.server === server);
		const [least, most] = [
			own.reduce((sum, outage) => sum + Math.max(0, outage.toEarliestMs - outage.fromLatestMs), 0) / 1000,
			own.reduce((sum, outage) => sum + outage.toLatestMs - outage.fromEarliestMs, 0) / 1000,
		];
		const seconds = run.toSeconds - run.fromSeconds;
		lines.push(
			`${server}: really away ${least.toFixed(1)} to ${most.toFixed(1)} s; measured down ${figures.downSeconds} s, unconfirmed ${figures.unconfirmedSeconds} s, unknown ${figures.unknownSeconds} s; ` +
				`SLI ${figures.sliBest} % (real ${(100 - (most / seconds) * 100).toFixed(3)} to ${(100 - (least / seconds) * 100).toFixed(3)} %), avg_over_time ${run.gaugePercent.get(server)?.toFixed(3)} %`,
		);
		for (const outage of own) {
			const found = intervals.filter(
				({ state, fromSeconds, toSeconds }) =>
					state === 'down' && toSeconds * 1000 >= outage.fromEarliestMs && fromSeconds * 1000 <= outage.toLatestMs + 2000,
			);
			const measured = found.reduce((sum, { fromSeconds, toSeconds }) => sum + toSeconds - fromSeconds, 0);
			lines.push(
				`  away ${((outage.toEarliestMs - outage.fromLatestMs) / 1000).toFixed(1)} to ${((outage.toLatestMs - outage.fromEarliestMs) / 1000).toFixed(1)} s: ${
					outage.confirmed
						? `${measured} s; the first failed and the first good check come up to ${run.intervalMs / 1000} s after the change, and seconds are whole`
						: `not counted, fewer than three of five checks could fail; its seconds stand as unconfirmed`
				}`,
			);
		}
	}
	return lines.join('\n');
}
