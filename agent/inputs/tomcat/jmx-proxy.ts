import { AppError } from '../../../core/errors.ts';
import { FamilySet, type MetricFamily } from '../input.ts';

/** Reads one address below the manager; the caller adds account and deadline. */
export type ReadPage = (query: string) => Promise<string>;

/** Beans by name, each with the attributes that were asked for. */
export type Beans = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Collectors of each family of garbage collectors, known by the pool of their old generation: asking for all beans would be 24 KB. */
const COLLECTORS: Readonly<Record<string, readonly string[]>> = {
	'Tenured Gen': ['Copy', 'MarkSweepCompact'],
	'PS Old Gen': ['PS Scavenge', 'PS MarkSweep'],
	'CMS Old Gen': ['ParNew', 'ConcurrentMarkSweep'],
	'G1 Old Gen': ['G1 Young Generation', 'G1 Old Generation', 'G1 Concurrent GC'],
	ZHeap: ['ZGC', 'ZGC Cycles', 'ZGC Pauses'],
	'ZGC Old Generation': ['ZGC Major Cycles', 'ZGC Minor Cycles', 'ZGC Major Pauses', 'ZGC Minor Pauses'],
	Shenandoah: ['Shenandoah Cycles', 'Shenandoah Pauses'],
};

/** Beans beyond these are left out; a server has as many as it has applications and data sources. */
const MAX_BEANS = 100;

/** One attribute, or one key of a composite; `null` when the server has no such bean or attribute. Only ever `get`: the same address can `set` and `invoke`, and the role allows it. */
export function getQuery(bean: string, attribute: string, key?: string): string {
	const base = `get=${encodeURIComponent(bean)}&att=${encodeURIComponent(attribute)}`;
	return key === undefined ? base : `${base}&key=${encodeURIComponent(key)}`;
}

/** The value of `OK - Attribute get '…' - … = value`. The server answers errors with status 200 as well. */
export function parseGet(body: string): string | null {
	const match = /^OK - [\s\S]*? = ([\s\S]*?)\s*$/.exec(body);
	return match?.[1] ?? null;
}

/** Beans of a query, with the attributes in `wanted` and no others: a data source also tells its address and user. Throws `FN_AGENT_SOURCE_FORMAT` for another answer. */
export function parseQuery(body: string, wanted: ReadonlySet<string>): Beans {
	if (!body.startsWith('OK - '))
		throw new AppError('FN_AGENT_SOURCE_FORMAT', 'the JMX proxy did not answer "OK -"; the account may lack the role manager-jmx');
	const beans = new Map<string, Map<string, string>>();
	let current: Map<string, string> | null = null;
	for (const line of body.split(/\r?\n/)) {
		const colon = line.indexOf(': ');
		if (colon < 0) continue;
		const name = line.slice(0, colon);
		const value = line.slice(colon + 2);
		if (name === 'Name') {
			current = beans.size < MAX_BEANS ? new Map() : null;
			if (current !== null) beans.set(value, current);
		} else if (current !== null && wanted.has(name)) current.set(name, value);
	}
	return beans;
}

/** A property of an object name, quotes and escapes removed: `name="jdbc/orders"` is `jdbc/orders`. */
export function property(bean: string, key: string): string {
	const match = new RegExp(`[:,]${key}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^,]*))`).exec(bean);
	return match?.[1]?.replace(/\\(.)/g, '$1') ?? match?.[2] ?? '';
}

const SOURCE_ATTRIBUTES = {
	// DBCP 2 (Tomcat 8 and later), DBCP 1 (Tomcat 7) and tomcat-jdbc.
	active: ['numActive', 'NumActive', 'active', 'Active'],
	idle: ['numIdle', 'NumIdle', 'idle', 'Idle'],
	max: ['maxTotal', 'MaxTotal', 'maxActive', 'MaxActive'],
	waiting: ['waitCount', 'WaitCount', 'numWaiters', 'NumWaiters'],
	wait: ['maxWaitMillis', 'MaxWaitMillis', 'maxWait', 'MaxWait'],
} as const;

/** Pools of connections: `jdbc_connections_*` in the names that jmx_exporter's Tomcat rules and Micrometer boards share. */
export function dataSourceFamilies(beans: Beans, families: FamilySet): void {
	for (const [bean, attributes] of beans) {
		// Each pooled connection of DBCP 2 has a bean of its own.
		if (/,connectionpool=connections/.test(bean) || property(bean, 'connection') !== '') continue;
		const labels = ['name', property(bean, 'name'), 'context', property(bean, 'context') || property(bean, 'path')];
		const value = (names: readonly string[]): number | null => {
			for (const name of names) {
				const number = Number(attributes.get(name) ?? Number.NaN);
				if (!Number.isNaN(number)) return number;
			}
			return null;
		};
		const gauge = (name: string, help: string, number: number | null) => {
			if (number !== null) families.gauge(name, help, number, labels);
		};
		const max = value(SOURCE_ATTRIBUTES.max);
		gauge('jdbc_connections_active', 'Connections that are in use.', value(SOURCE_ATTRIBUTES.active));
		gauge('jdbc_connections_idle', 'Connections that wait to be used.', value(SOURCE_ATTRIBUTES.idle));
		// Negative is "no limit".
		if (max !== null && max > 0) gauge('jdbc_connections_max', 'Most connections that may exist.', max);
		gauge('fournines_jdbc_connections_waiters', 'Threads that wait for a connection.', value(SOURCE_ATTRIBUTES.waiting));
		const wait = value(SOURCE_ATTRIBUTES.wait);
		if (wait !== null && wait >= 0)
			gauge('fournines_jdbc_wait_limit_seconds', 'How long a thread waits for a connection before it fails.', wait / 1000);
	}
}
const SOURCE_WANTED: ReadonlySet<string> = new Set(Object.values(SOURCE_ATTRIBUTES).flat());

export function sessionFamilies(beans: Beans, families: FamilySet): void {
	for (const [bean, attributes] of beans) {
		const labels = ['context', property(bean, 'context') || property(bean, 'path')];
		const number = (name: string) => {
			const value = Number(attributes.get(name) ?? Number.NaN);
			return Number.isNaN(value) ? null : value;
		};
		const active = number('activeSessions');
		if (active !== null) families.gauge('tomcat_sessions_active_total', 'Sessions that are open.', active, labels);
		for (const [attribute, name, help] of [
			['sessionCounter', 'tomcat_sessions_created_total', 'Sessions created.'],
			['expiredSessions', 'tomcat_sessions_expired_total', 'Sessions that expired.'],
			['rejectedSessions', 'tomcat_sessions_rejected_total', 'Sessions refused because of the limit.'],
		] as const) {
			const value = number(attribute);
			if (value !== null) families.counter(name, help, value, labels);
		}
	}
}
const SESSION_WANTED: ReadonlySet<string> = new Set(['activeSessions', 'sessionCounter', 'expiredSessions', 'rejectedSessions']);

/** Executors that connectors share: the status document reports -1 for such a connector. */
export function executorFamilies(beans: Beans, families: FamilySet): void {
	for (const [bean, attributes] of beans) {
		const labels = ['pool', property(bean, 'name')];
		for (const [attribute, name, help] of [
			['maxThreads', 'tomcat_threadpool_threads_max', 'Upper bound of the pool.'],
			['poolSize', 'tomcat_threadpool_threads_total', 'Threads that the pool has now.'],
			['activeCount', 'tomcat_threadpool_threads_busy', 'Threads that serve a request now.'],
			['queueSize', 'fournines_tomcat_executor_queue', 'Requests that wait for a thread of the executor.'],
		] as const) {
			const value = Number(attributes.get(attribute) ?? Number.NaN);
			if (!Number.isNaN(value)) families.gauge(name, help, value, labels);
		}
	}
}
const EXECUTOR_WANTED: ReadonlySet<string> = new Set(['maxThreads', 'poolSize', 'activeCount', 'queueSize']);

/**
 * What the status document does not tell: data sources, garbage collections, the old generation after a collection,
 * sessions, executors, threads. `pools` are the memory pools that the status document names. One request at a time, all of
 * them reads: `qry` for three kinds of beans, `get` for everything of `java.lang`. Never `*:*` (495 KB on an empty server)
 * and never Runtime, which tells every system property.
 */
export async function readJmx(read: ReadPage, pools: readonly string[]): Promise<readonly MetricFamily[]> {
	const families = new FamilySet();
	const query = async (pattern: string, wanted: ReadonlySet<string>) =>
		parseQuery(await read(`qry=${encodeURIComponent(pattern)}`), wanted);
	dataSourceFamilies(await query('*:type=DataSource,*', SOURCE_WANTED), families);
	sessionFamilies(await query('*:type=Manager,*', SESSION_WANTED), families);
	executorFamilies(await query('*:type=Executor,*', EXECUTOR_WANTED), families);
	const number = async (bean: string, attribute: string, key?: string): Promise<number | null> => {
		const text = parseGet(await read(getQuery(bean, attribute, key)));
		return text === null || text.trim() === '' || Number.isNaN(Number(text)) ? null : Number(text);
	};
	for (const pool of pools) {
		for (const collector of COLLECTORS[pool] ?? []) {
			const bean = `java.lang:type=GarbageCollector,name=${collector}`;
			const collections = await number(bean, 'CollectionCount');
			if (collections === null) continue;
			families.counter('jvm_gc_collection_seconds_count', 'Collections of a given JVM garbage collector.', collections, ['gc', collector]);
			const milliseconds = await number(bean, 'CollectionTime');
			if (milliseconds !== null)
				families.counter('jvm_gc_collection_seconds_sum', 'Time spent in a given JVM garbage collector in seconds.', milliseconds / 1000, [
					'gc',
					collector,
				]);
		}
		if (!/old|tenured|zheap|shenandoah/i.test(pool)) continue;
		const bean = `java.lang:type=MemoryPool,name=${pool}`;
		const used = await number(bean, 'CollectionUsage', 'used');
		const max = await number(bean, 'CollectionUsage', 'max');
		// Absent until the first collection of the pool, and for collectors that do not tell.
		if (used !== null)
			families.gauge('jvm_memory_pool_collection_used_bytes', 'Used bytes after last collection of a given JVM memory pool.', used, [
				'pool',
				pool,
			]);
		if (max !== null && max > 0)
			families.gauge('jvm_memory_pool_collection_max_bytes', 'Max bytes after last collection of a given JVM memory pool.', max, [
				'pool',
				pool,
			]);
	}
	const threads = await number('java.lang:type=Threading', 'ThreadCount');
	if (threads !== null) families.gauge('jvm_threads_current', 'Current thread count of a JVM.', threads);
	const cpu = await number('java.lang:type=OperatingSystem', 'ProcessCpuTime');
	if (cpu !== null && cpu >= 0)
		families.counter('process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.', cpu / 1e9);
	const files = await number('java.lang:type=OperatingSystem', 'OpenFileDescriptorCount');
	if (files !== null && files >= 0) families.gauge('process_open_fds', 'Number of open file descriptors.', files);
	return families.list();
}
