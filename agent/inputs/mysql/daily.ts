import { FamilySet, type MetricFamily } from '../input.ts';
import type { Row } from './row.ts';
import { atLeast, type ServerVersion, statementLimit } from './server-version.ts';
import { isAnswer, type MysqlSession } from './session.ts';

/** What is too heavy for every round. Each fails on its own: a missing privilege or a switched-off performance_schema costs that part. */
const STATEMENT_LIMIT_SECONDS = 60;
const DIGESTS = 20;
const TABLES = 50;

export interface DailyOptions {
	/** `HH:MM` of the host's local time. */
	readonly at: string;
	/** Also on a server that has replicas of its own and is none itself. */
	readonly onMaster: boolean;
	/** How long binary logs must be kept for a restore to a point in time; `null`: not checked. */
	readonly binlogRetentionSeconds: number | null;
}

/** Decides when the daily work is due: once per day, in the hour that begins at `at`. Pure. */
export function isDue(at: string, nowMs: number, lastDay: string): { readonly due: boolean; readonly day: string } {
	const now = new Date(nowMs);
	const day = `${now.getFullYear()}-${now.getMonth() + 1}-${now.getDate()}`;
	const [hour = 0, minute = 0] = at.split(':').map(Number);
	const sinceMinutes = now.getHours() * 60 + now.getMinutes() - (hour * 60 + minute);
	// After the hour the night is over for servers that work by day: a start at noon waits for the next one.
	return { due: day !== lastDay && sinceMinutes >= 0 && sinceMinutes < 60, day };
}

/** Statements digested by the server, sizes of schemas and tables, binary logs, and what a restore to a point in time needs. */
export async function readDaily(
	session: MysqlSession,
	options: DailyOptions,
	signal: AbortSignal,
	nowMs: number,
): Promise<readonly MetricFamily[]> {
	const { version } = session;
	const families = new FamilySet();
	const limit = statementLimit(version, STATEMENT_LIMIT_SECONDS);
	if (limit !== null) await session.query(limit, signal);
	const parts: readonly { readonly part: string; readonly run: () => Promise<void> }[] = [
		{ part: 'digests', run: async () => digestFamilies(await session.query(DIGEST_STATEMENT, signal), families) },
		{ part: 'tablespaces', run: async () => tablespaceFamilies(await tablespaceRows(session, signal), families) },
		{ part: 'binary_logs', run: async () => binaryLogFamilies(await session.query('SHOW BINARY LOGS', signal), families) },
		{
			part: 'backup_policy',
			run: async () => policyFamilies(policyOf(await session.query(POLICY_STATEMENT, signal), version, options), families),
		},
	];
	for (const { part, run } of parts) {
		let ok = 1;
		try {
			await run();
		} catch (error) {
			if (!isAnswer(error)) throw error;
			ok = 0;
		}
		families.gauge('fournines_mysql_daily_success', 'Whether the last daily run of this part succeeded.', ok, ['part', part]);
	}
	families.gauge('fournines_mysql_daily_timestamp_seconds', 'When the daily statements last ran.', nowMs / 1000);
	return families.list();
}

const DIGEST_STATEMENT =
	"SELECT COALESCE(schema_name, '') AS schema_name, digest AS digest, LEFT(digest_text, 120) AS digest_text, count_star AS calls, sum_timer_wait AS wait, " +
	'sum_errors AS errors, sum_rows_sent AS sent, sum_rows_examined AS examined, UNIX_TIMESTAMP(last_seen) AS last_seen ' +
	`FROM performance_schema.events_statements_summary_by_digest WHERE digest IS NOT NULL AND last_seen > NOW() - INTERVAL 1 DAY ORDER BY sum_timer_wait DESC LIMIT ${DIGESTS}`;

/** In mysqld_exporter's names. The digest's text has literals replaced by the server. */
export function digestFamilies(rows: readonly Row[], families: FamilySet): void {
	for (const row of rows) {
		const labels = ['schema', row['schema_name'] ?? '', 'digest', row['digest'] ?? '', 'digest_text', row['digest_text'] ?? ''];
		const counter = (name: string, help: string, text: string | null | undefined, scale = 1) =>
			families.counter(`mysql_perf_schema_events_statements_${name}`, help, Number(text ?? 0) * scale, labels);
		counter('total', 'The total count of events statements by digest.', row['calls']);
		counter('seconds_total', 'The total time of events statements by digest.', row['wait'], 1e-12);
		counter('errors_total', 'The errors of events statements by digest.', row['errors']);
		counter('rows_sent_total', 'The total rows sent of events statements by digest.', row['sent']);
		counter('rows_examined_total', 'The total rows examined of events statements by digest.', row['examined']);
	}
}

/** The table of tablespaces, for which `PROCESS` is enough; `null` before 5.7, where it has no sizes. */
function tablespaceTable(version: ServerVersion): string | null {
	if (!version.mariaDb && atLeast(version, 8, 0, 0)) return 'information_schema.innodb_tablespaces';
	return version.mariaDb || atLeast(version, 5, 7, 0) ? 'information_schema.innodb_sys_tablespaces' : null;
}

async function tablespaceRows(
	session: MysqlSession,
	signal: AbortSignal,
): Promise<{ readonly largest: readonly Row[]; readonly schemas: readonly Row[] }> {
	const table = tablespaceTable(session.version);
	if (table === null) return { largest: [], schemas: [] };
	const tables = "name LIKE '%/%' AND name NOT LIKE 'mysql/%' AND name NOT LIKE 'sys/%'";
	return {
		largest: await session.query(
			`SELECT name AS name, file_size AS bytes FROM ${table} WHERE ${tables} ORDER BY file_size DESC LIMIT ${TABLES}`,
			signal,
		),
		schemas: await session.query(
			`SELECT SUBSTRING_INDEX(name, '/', 1) AS name, SUM(file_size) AS bytes, COUNT(*) AS files FROM ${table} WHERE ${tables} GROUP BY 1 ORDER BY 2 DESC LIMIT 100`,
			signal,
		),
	};
}

/** The largest tablespaces in mysqld_exporter's name, and the sum of each schema. */
export function tablespaceFamilies(
	rows: { readonly largest: readonly Row[]; readonly schemas: readonly Row[] },
	families: FamilySet,
): void {
	for (const row of rows.largest) {
		families.gauge('mysql_info_schema_innodb_tablespace_file_size_bytes', 'The apparent size of the file.', Number(row['bytes'] ?? 0), [
			'tablespace_name',
			row['name'] ?? '',
		]);
	}
	for (const row of rows.schemas) {
		const labels = ['schema', row['name'] ?? ''];
		families.gauge('fournines_mysql_schema_size_bytes', 'Size of all InnoDB files of the schema.', Number(row['bytes'] ?? 0), labels);
		families.gauge(
			'fournines_mysql_schema_files',
			'InnoDB files of the schema: tables, and partitions one by one.',
			Number(row['files'] ?? 0),
			labels,
		);
	}
}

/** In mysqld_exporter's names. */
export function binaryLogFamilies(rows: readonly Row[], families: FamilySet): void {
	const newest = /\.([0-9]+)$/.exec(rows[rows.length - 1]?.['Log_name'] ?? '');
	families.gauge(
		'mysql_binlog_size_bytes',
		'Combined size of all registered binlog files.',
		rows.reduce((sum, row) => sum + Number(row['File_size'] ?? 0), 0),
	);
	families.gauge('mysql_binlog_files', 'Number of registered binlog files.', rows.length);
	if (newest !== null) families.gauge('mysql_binlog_file_number', 'The last binlog file number.', Number(newest[1]));
}

const POLICY_STATEMENT =
	"SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin','binlog_format','sync_binlog','innodb_flush_log_at_trx_commit','expire_logs_days','binlog_expire_logs_seconds','log_slave_updates','log_replica_updates')";

export interface PolicyRule {
	readonly rule: string;
	readonly ok: boolean;
}

/** What a restore to a point in time needs of the server itself. Whether there are backups to begin from is the matter of the input `backups`. */
export function policyOf(
	rows: readonly Row[],
	version: ServerVersion,
	options: Pick<DailyOptions, 'binlogRetentionSeconds'>,
): { readonly rules: readonly PolicyRule[]; readonly retentionSeconds: number } {
	const variables = new Map(rows.map((row) => [(row['Variable_name'] ?? '').toLowerCase(), row['Value'] ?? '']));
	const seconds = Number(variables.get('binlog_expire_logs_seconds') ?? 0);
	const days = Number(variables.get('expire_logs_days') ?? 0);
	// Both 0: binary logs are kept for ever. Since MySQL 8.0 the seconds win.
	const retentionSeconds = seconds > 0 ? seconds : days * 86_400;
	const on = (name: string) => /^(on|1)$/i.test(variables.get(name) ?? '');
	const rules: PolicyRule[] = [
		{ rule: 'log_bin', ok: on('log_bin') },
		{
			rule: 'binlog_format',
			ok: atLeast(version, 8, 4, 0) && !version.mariaDb ? true : /^(row|mixed)$/i.test(variables.get('binlog_format') ?? ''),
		},
		{ rule: 'sync_binlog', ok: variables.get('sync_binlog') === '1' },
		{ rule: 'innodb_flush_log_at_trx_commit', ok: variables.get('innodb_flush_log_at_trx_commit') === '1' },
	];
	if (options.binlogRetentionSeconds !== null)
		rules.push({ rule: 'binlog_retention', ok: retentionSeconds === 0 || retentionSeconds >= options.binlogRetentionSeconds });
	return { rules, retentionSeconds };
}

function policyFamilies(policy: ReturnType<typeof policyOf>, families: FamilySet): void {
	for (const { rule, ok } of policy.rules) {
		families.gauge(
			'fournines_mysql_backup_policy_ok',
			'Whether the server is set up so that a backup can be rolled forward to a point in time.',
			ok ? 1 : 0,
			['rule', rule],
		);
	}
	families.gauge(
		'fournines_mysql_binlog_retention_seconds',
		'How long the server keeps binary logs; 0 is for ever.',
		policy.retentionSeconds,
	);
}
