import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTrialCollector, type TrialCollector } from '../harness/trial-collector.ts';

let collector: TrialCollector;

const start = async (store: string) => {
	collector = await startTrialCollector('delete', { config: `store: ${store}\n`, people: { runner: 'system' } });
};
const call = (method: string, path: string) => collector.call(method, path, { as: 'runner' });

const DELETE = '/api/v1/admin/tsdb/delete_series';

describe('deletion over HTTP', () => {
	describe('switched on', () => {
		beforeAll(() => start('{ admin_api: true }'));
		afterAll(() => collector.remove());

		test('deletes for a person who runs the system, and remembers it', async () => {
			await collector.push('m{host="a"} 1\nm{host="b"} 2\nprobe_success{host="a"} 1\n');
			const hosts = async () => {
				const answer = await collector.call('GET', '/api/v1/series?match[]=m&match[]=probe_success', { token: 'local-read' });
				return (JSON.parse(answer.text) as { data: { __name__: string; host: string }[] }).data.map((its) => `${its.__name__} ${its.host}`);
			};
			expect(await hosts()).toEqual(['m a', 'm b', 'probe_success a']);
			const refused = await call('POST', `${DELETE}?match[]={host="a"}`);
			expect(refused.status).toBe(403);
			expect(refused.text).toContain('availability is proven');
			expect(await hosts()).toHaveLength(3);
			expect((await call('PUT', `${DELETE}?match[]=${encodeURIComponent('m{host="a"}')}`)).status).toBe(204);
			expect(await hosts()).toEqual(['m b', 'probe_success a']);
			expect((await call('POST', `${DELETE}?match[]={host="a"}&include_checks=true`)).status).toBe(204);
			expect(await hosts()).toEqual(['m b']);
			expect((await call('POST', '/api/v1/admin/tsdb/clean_tombstones')).status).toBe(204);
			const state = new DatabaseSync(join(collector.folder, 'data/state/state.db'), { readOnly: true });
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
			expect((await collector.call('POST', `${DELETE}?match[]=m`, options)).status).toBe(status);
		});

		test.each([
			{ name: 'nothing is selected', query: '' },
			{ name: 'the selector is none', query: '?match[]=sum(m)' },
			{ name: 'the end is before the start', query: '?match[]=m&start=2000&end=1000' },
		])('400 when $name', async ({ query }) => {
			expect((await call('POST', DELETE + query)).status).toBe(400);
		});
	});

	describe('switched off, as by default', () => {
		beforeAll(() => start('{}'));
		afterAll(() => collector.remove());

		test.each([`${DELETE}?match[]=m`, '/api/v1/admin/tsdb/clean_tombstones'])('%s says how to switch it on', async (path) => {
			const answer = await call('POST', path);
			expect(answer.status).toBe(403);
			expect(answer.text).toContain('store.admin_api: true');
		});
	});
});
