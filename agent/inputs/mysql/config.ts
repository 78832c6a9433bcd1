import { type Static, Type } from 'typebox';
import { parseDuration } from '../../../core/duration.ts';
import { SecretRefSchema } from '../../../core/secret.ts';
import { durationSchema, entryProperties } from '../entry-schema.ts';
import type { MysqlInputOptions } from './input.ts';

const HeartbeatSchema = Type.Object(
	{
		/** `database.table`, laid out as pt-heartbeat's. */
		table: Type.String({ pattern: '^[0-9A-Za-z_$]+\\.[0-9A-Za-z_$]+$' }),
		/** Whether `ts` is in UTC (pt-heartbeat `--utc`, and what the agent writes). */
		utc: Type.Boolean({ default: true }),
		/** Writes the row of this server each `interval`. A write on the business's database: only with its owner's approval. */
		write: Type.Boolean({ default: false }),
		interval: durationSchema('1s'),
	},
	{ additionalProperties: false },
);

const DailySchema = Type.Object(
	{
		/** Slow statements, sizes, binary logs and backup policy, once a day. */
		enabled: Type.Boolean({ default: true }),
		/** Local time of the host. */
		at: Type.String({ default: '03:00', pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' }),
		/** Also on a master that has replicas, which are preferred. */
		on_master: Type.Boolean({ default: false }),
		/** How long binary logs must be kept at least. */
		binlog_retention: Type.Optional(durationSchema()),
	},
	{ additionalProperties: false, default: {} },
);

export const MysqlConfigSchema = Type.Object(
	{
		/** `host:port`, or the path of a socket. */
		address: Type.String({ minLength: 1 }),
		username: Type.String({ minLength: 1 }),
		password: Type.Optional(SecretRefSchema),
		heartbeat: Type.Optional(HeartbeatSchema),
		daily: DailySchema,
		...entryProperties(),
	},
	{ additionalProperties: false },
);
export type MysqlConfig = Static<typeof MysqlConfigSchema>;

/** Heartbeat and daily work as options of the input. */
export function mysqlExtras(config: MysqlConfig): Pick<MysqlInputOptions, 'heartbeat' | 'daily'> {
	const { heartbeat, daily } = config;
	return {
		heartbeat:
			heartbeat === undefined
				? null
				: { table: heartbeat.table, utc: heartbeat.utc, writeEveryMs: heartbeat.write ? parseDuration(heartbeat.interval) : null },
		daily: daily.enabled
			? {
					at: daily.at,
					onMaster: daily.on_master,
					binlogRetentionSeconds: daily.binlog_retention === undefined ? null : parseDuration(daily.binlog_retention) / 1000,
				}
			: null,
	};
}
