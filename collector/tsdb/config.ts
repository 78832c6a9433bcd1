import { type Static, Type } from 'typebox';
import type { ConfigCheck } from '../../core/config-file.ts';
import { DURATION_PATTERN, parseDuration } from '../../core/duration.ts';
import type { StoreOptions } from './store-options.ts';

const SIZE_PATTERN = '^[0-9]{1,6}(B|KB|MB|GB|TB)$';
const SIZE_UNITS: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 };

const duration = (fallback: string, description: string) => Type.String({ pattern: DURATION_PATTERN, default: fallback, description });

/** Key `store` of collector.yml. */
export const StoreConfigSchema = Type.Object(
	{
		retention: duration('30d', 'How long samples are kept.'),
		retention_size: Type.Optional(
			Type.String({
				pattern: SIZE_PATTERN,
				description: 'Most that block files of samples may take (`200GB`); the oldest days go first. Checks are not counted, and stay.',
			}),
		),
		check_retention: duration(
			'1096d',
			'How long check series (probe_success, fournines_check_*) are kept, so that a ledger can be recomputed.',
		),
		fsync: Type.Union([Type.Literal('interval'), Type.Literal('always')], {
			default: 'interval',
			description: 'interval: a power cut may cost the last `fsync_interval`. always: every acknowledged sample is on the disk.',
		}),
		fsync_interval: duration('1s', 'The most that a power cut may cost with fsync: interval.'),
		quiet_after: duration('3h', 'A series without samples for so long leaves memory; queries find it in blocks.'),
		compact_after: duration('6h', 'A day (of checks: a month) is compacted when it is over for so long.'),
		max_series: Type.Integer({ minimum: 1000, default: 2_000_000, description: 'Series in memory; new ones beyond are refused.' }),
		max_series_per_host: Type.Integer({
			minimum: 0,
			default: 100_000,
			description: 'Series of one sender (label host, or else instance); new ones beyond are refused, everybody else goes on. 0: no limit.',
		}),
		max_future: duration('5m', "Samples further ahead of this machine's clock are refused."),
		max_memory: Type.String({
			pattern: SIZE_PATTERN,
			default: '512MB',
			description: 'Compressed samples in memory before blocks are written early; at twice that, samples are refused (429).',
		}),
		admin_api: Type.Boolean({ default: false, description: 'Whether series can be deleted over HTTP (/api/v1/admin/tsdb/*).' }),
		downsample: Type.Optional(
			Type.Object(
				{
					after: duration('30d', 'Days that are over for so long are reduced.'),
					every: duration('5m', 'Samples of so much time become one bucket with min, max, sum, count, first and last.'),
				},
				{
					additionalProperties: false,
					description: 'Down-sampling of old days; without this key there is none. Checks are never down-sampled.',
				},
			),
		),
	},
	{ additionalProperties: false, default: {} },
);
export type StoreConfig = Static<typeof StoreConfigSchema>;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** What the schema cannot say. */
export const checkStoreConfig: ConfigCheck<StoreConfig> = (config, report) => {
	const atLeast = (
		key: keyof StoreConfig & ('retention' | 'check_retention' | 'quiet_after' | 'compact_after' | 'fsync_interval' | 'max_future'),
		ms: number,
		text: string,
	) => {
		if (parseDuration(config[key]) < ms) report([key], `${config[key]} is too short; at least ${text}`);
	};
	atLeast('retention', DAY_MS, '1d');
	atLeast('check_retention', DAY_MS, '1d');
	atLeast('quiet_after', 10 * MINUTE_MS, '10m');
	atLeast('compact_after', 10 * MINUTE_MS, '10m');
	atLeast('fsync_interval', 10, '10ms');
	atLeast('max_future', 1000, '1s');
	if (parseDuration(config.fsync_interval) > MINUTE_MS) report(['fsync_interval'], `${config.fsync_interval} is too long; at most 1m`);
	if (parseDuration(config.max_future) > DAY_MS) report(['max_future'], `${config.max_future} is too long; at most 1d`);
	if (parseSize(config.max_memory) < SMALLEST_MEMORY) report(['max_memory'], `${config.max_memory} is too small; at least 16MB`);
	if (config.retention_size !== undefined && parseSize(config.retention_size) === 0) report(['retention_size'], 'must be more than 0');
	if (config.max_series_per_host > config.max_series) {
		report(
			['max_series_per_host'],
			`${config.max_series_per_host} is more than max_series (${config.max_series}); it would never be reached`,
		);
	}
	if (config.downsample === undefined) return;
	const everyMs = parseDuration(config.downsample.every);
	const afterMs = parseDuration(config.downsample.after);
	if (everyMs < MINUTE_MS || everyMs > DAY_MS || DAY_MS % everyMs !== 0) {
		report(['downsample', 'every'], `${config.downsample.every} does not divide a day; write for example 1m, 5m, 15m or 1h`);
	}
	if (afterMs < 2 * DAY_MS) report(['downsample', 'after'], `${config.downsample.after} is too short; at least 2d`);
	else if (afterMs >= parseDuration(config.retention)) {
		report(
			['downsample', 'after'],
			`${config.downsample.after} is not before the end of store.retention (${config.retention}); nothing would ever be down-sampled`,
		);
	}
};

const SMALLEST_MEMORY = 16 * 1024 ** 2;

/** Bytes of a size as the schema takes it. */
function parseSize(text: string): number {
	const [, digits = '0', unit = 'B'] = /^([0-9]+)([A-Z]+)$/.exec(text) ?? [];
	return Number(digits) * (SIZE_UNITS[unit] ?? 1);
}

/** The options of `openStore` that a checked configuration sets. */
export function storeOptions(config: StoreConfig) {
	return {
		retentionMs: parseDuration(config.retention),
		checkRetentionMs: parseDuration(config.check_retention),
		...(config.retention_size === undefined ? {} : { retentionBytes: parseSize(config.retention_size) }),
		fsync: config.fsync,
		fsyncIntervalMs: parseDuration(config.fsync_interval),
		quietMs: parseDuration(config.quiet_after),
		compactAfterMs: parseDuration(config.compact_after),
		maxSeries: config.max_series,
		...(config.max_series_per_host === 0 ? {} : { maxSeriesPerHost: config.max_series_per_host }),
		futureMs: parseDuration(config.max_future),
		maxHeadBytes: parseSize(config.max_memory),
		...(config.downsample === undefined
			? {}
			: { downsample: { afterMs: parseDuration(config.downsample.after), everyMs: parseDuration(config.downsample.every) } }),
	} satisfies Partial<StoreOptions>;
}
