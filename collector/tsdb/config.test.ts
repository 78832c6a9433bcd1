import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../core/config-file.ts';
import { checkStoreConfig, StoreConfigSchema, storeOptions } from './config.ts';

const read = (text: string) => parseConfig(text, { file: 'store.yml', schema: StoreConfigSchema, check: checkStoreConfig });

describe('key store of collector.yml', () => {
	test('an empty one has the defaults', () => {
		const result = read('');
		expect(result.kind === 'ok' ? storeOptions(result.config) : result.problems).toEqual({
			retentionMs: 30 * 86_400_000,
			checkRetentionMs: 1096 * 86_400_000,
			fsync: 'interval',
			fsyncIntervalMs: 1000,
			quietMs: 10_800_000,
			compactAfterMs: 21_600_000,
			maxSeries: 2_000_000,
			maxSeriesPerHost: 100_000,
			futureMs: 300_000,
			maxHeadBytes: 512 * 1024 * 1024,
		});
	});

	test('every key reaches the store', () => {
		const result = read(
			[
				'retention: 400d',
				'retention_size: 2TB',
				'check_retention: 5y',
				'fsync: always',
				'fsync_interval: 200ms',
				'quiet_after: 1h',
				'compact_after: 12h',
				'max_series: 5000',
				'max_series_per_host: 0',
				'max_future: 10m',
				'max_memory: 64MB',
				'admin_api: true',
				'downsample: { after: 90d, every: 1h }',
			].join('\n'),
		);
		expect(result.kind === 'ok' ? storeOptions(result.config) : result.problems).toEqual({
			retentionMs: 400 * 86_400_000,
			retentionBytes: 2 * 1024 ** 4,
			checkRetentionMs: 5 * 365 * 86_400_000,
			fsync: 'always',
			fsyncIntervalMs: 200,
			quietMs: 3_600_000,
			compactAfterMs: 43_200_000,
			maxSeries: 5000,
			futureMs: 600_000,
			maxHeadBytes: 64 * 1024 * 1024,
			downsample: { afterMs: 90 * 86_400_000, everyMs: 3_600_000 },
		});
	});

	test.each([
		{ text: 'retention: 6h', path: 'retention', message: 'at least 1d' },
		{ text: 'check_retention: 1h', path: 'check_retention', message: 'at least 1d' },
		{ text: 'retention_size: 0GB', path: 'retention_size', message: 'more than 0' },
		{ text: 'retention_size: plenty', path: 'retention_size', message: 'pattern' },
		{ text: 'quiet_after: 1m', path: 'quiet_after', message: 'at least 10m' },
		{ text: 'compact_after: 1s', path: 'compact_after', message: 'at least 10m' },
		{ text: 'fsync: sometimes', path: 'fsync', message: '' },
		{ text: 'fsync_interval: 1ms', path: 'fsync_interval', message: 'at least 10ms' },
		{ text: 'fsync_interval: 1h', path: 'fsync_interval', message: 'at most 1m' },
		{ text: 'max_series: 5', path: 'max_series', message: '1000' },
		{ text: 'max_series: 5000', path: 'max_series_per_host', message: 'never be reached' },
		{ text: 'max_future: 10ms', path: 'max_future', message: 'at least 1s' },
		{ text: 'max_future: 2d', path: 'max_future', message: 'at most 1d' },
		{ text: 'max_memory: 1MB', path: 'max_memory', message: 'at least 16MB' },
		{ text: 'downsample: { after: 3d, every: 7m }', path: 'downsample.every', message: 'divide a day' },
		{ text: 'downsample: { after: 3d, every: 1s }', path: 'downsample.every', message: 'divide a day' },
		{ text: 'downsample: { after: 1d }', path: 'downsample.after', message: 'at least 2d' },
		{ text: 'downsample: {}', path: 'downsample.after', message: 'nothing would ever' },
		{ text: 'fsycn: always', path: '', message: '' },
	])('$text is refused', ({ text, path, message }) => {
		const result = read(text);
		if (result.kind === 'ok') throw new Error('it was taken');
		expect(result.problems).toHaveLength(1);
		expect(result.problems[0]?.path).toContain(path);
		expect(result.problems[0]?.message).toContain(message);
	});
});
