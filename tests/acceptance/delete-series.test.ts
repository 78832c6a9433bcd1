import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SESSION_COOKIE } from '../../collector/api/guard.ts';
import { type RunningCollector, startCollector } from '../../collector/app.ts';
import { systemClock } from '../../core/clock.ts';
import { httpExchange } from '../../core/http-client.ts';
import { silentLogger } from '../../core/log.ts';
import { type TemporaryFolder, temporaryFolder } from '../harness/process.ts';

const PASSWORD = 'Four-nines-2026!';
let folder: TemporaryFolder;
let collector: RunningCollector;
let cookie = '';

async function start(store: string): Promise<void> {
	folder = temporaryFolder('delete');
	const configFile = join(folder.path, 'collector.yml');
	writeFileSync(configFile, `store: ${store}\n`);
	collector = await startCollector({
		configFile,
		dataDir: join(folder.path, 'data'),
		listen: '127.0.0.1:0',
		rootDir: resolve(import.meta.dirname, '../..'),
		env: {},
		log: silentLogger,
		clock: systemClock,
		version: '0.0.0-test',
	});
	const code = (await collector.accounts.setupCode()) ?? '';
	await collector.accounts.setUp({ code, accounts: [{ role: 'system', account: 'runner', password: PASSWORD }] }, '127.0.0.1');
	cookie = `${SESSION_COOKIE}=${(await collector.accounts.logIn('runner', PASSWORD, '127.0.0.1')).session}`;
}

const token = (name: string) => readFileSync(join(folder.path, 'data/keys', `${name}.token`), 'utf8').trim();

function call(method: string, path: string, options: { body?: string; type?: string; token?: string; cookie?: string } = {}) {
	return httpExchange(collector.address + path, {
		method,
		timeoutMs: 10_000,
		headers: {
			...(options.type === undefined ? {} : { 'content-type': options.type }),
			...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
			...(options.cookie === undefined ? {} : { cookie: options.cookie }),
		},
		...(options.body === undefined ? {} : { body: Buffer.from(options.body) }),
	});
}

const DELETE = '/api/v1/admin/tsdb/delete_series';

describe('deletion over HTTP', () => {
	describe('switched on', () => {
		beforeAll(() => start('{ admin_api: true }'));
		afterAll(async () => {
			await collector.stop();
			folder.remove();
		});

		test('deletes for a person who runs the system, and remembers it', async () => {
			const pushed = await call('POST', '/api/v1/import/prometheus', {
				body: 'm{host="a"} 1\nm{host="b"} 2\nprobe_success{host="a"} 1\n',
				token: token('local-agent'),
			});
			expect(pushed.status).toBeLessThan(300);
			const hosts = async () => {
				const answer = await call('GET', '/api/v1/series?match[]=m&match[]=probe_success', { token: token('local-read') });
				return (JSON.parse(answer.body.toString('utf8')) as { data: { __name__: string; host: string }[] }).data.map(
					(its) => `${its.__name__} ${its.host}`,
				);
			};
			expect(await hosts()).toEqual(['m a', 'm b', 'probe_success a']);
			const refused = await call('POST', `${DELETE}?match[]={host="a"}`, { cookie });
			expect(refused.status).toBe(403);
			expect(refused.body.toString('utf8')).toContain('availability is proven');
			expect(await hosts()).toHaveLength(3);
			expect((await call('PUT', `${DELETE}?match[]=${encodeURIComponent('m{host="a"}')}`, { cookie })).status).toBe(204);
			expect(await hosts()).toEqual(['m b', 'probe_success a']);
			expect((await call('POST', `${DELETE}?match[]={host="a"}&include_checks=true`, { cookie })).status).toBe(204);
			expect(await hosts()).toEqual(['m b']);
			expect((await call('POST', '/api/v1/admin/tsdb/clean_tombstones', { cookie })).status).toBe(204);
			const database = await import('node:sqlite');
			const state = new database.DatabaseSync(join(folder.path, 'data/state/state.db'), { readOnly: true });
			const rows = state
				.prepare("select actor, action, object, result, detail from operation_log where action like 'samples.%' order by at_ms, id")
				.all();
			state.close();
			expect(rows.map(({ actor, action, object, result }) => `${actor} ${action} ${object} ${result}`)).toEqual([
				'runner samples.delete {host="a"} failure',
				'runner samples.delete m{host="a"} success',
				'runner samples.delete {host="a"} success',
				'runner samples.clean block files success',
			]);
			expect(rows[2]?.['detail']).toContain('1 series, checks included');
		});

		test.each([
			{ name: 'nobody', options: {}, status: 401 },
			{ name: 'a token that reads', options: { token: 'local-read' }, status: 403 },
			{ name: 'a token that pushes', options: { token: 'local-agent' }, status: 403 },
		])('not for $name', async ({ options, status }) => {
			const with_ = 'token' in options ? { token: token(String(options.token)) } : {};
			expect((await call('POST', `${DELETE}?match[]=m`, with_)).status).toBe(status);
		});

		test.each([
			{ name: 'nothing is selected', query: '' },
			{ name: 'the selector is none', query: '?match[]=sum(m)' },
			{ name: 'the end is before the start', query: '?match[]=m&start=2000&end=1000' },
		])('400 when $name', async ({ query }) => {
			expect((await call('POST', DELETE + query, { cookie })).status).toBe(400);
		});
	});

	describe('switched off, as by default', () => {
		beforeAll(() => start('{}'));
		afterAll(async () => {
			await collector.stop();
			folder.remove();
		});

		test.each([`${DELETE}?match[]=m`, '/api/v1/admin/tsdb/clean_tombstones'])('%s says how to switch it on', async (path) => {
			const answer = await call('POST', path, { cookie });
			expect(answer.status).toBe(403);
			expect(answer.body.toString('utf8')).toContain('store.admin_api: true');
		});
	});
});
