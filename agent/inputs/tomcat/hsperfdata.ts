import { AppError } from '../../../core/errors.ts';
import { FamilySet, type MetricFamily } from '../input.ts';

/** Version 2 of HotSpot's perf data (`perfMemory.hpp`, `perfData.hpp`): a head of 32 bytes, then entries that name themselves. Written by every HotSpot since Java 5 unless it runs with `-XX:-UsePerfData` or `-XX:+PerfDisableSharedMem`. */
const MAGIC = 0xcafec0c0;
const HEAD_BYTES = 32;
const ENTRY_HEAD_BYTES = 20;
/** A file is 32 KiB unless `PerfDataMemorySize` says otherwise. */
const MAX_ENTRIES = 10_000;

const LONG = 0x4a;
const BYTE = 0x42;

/** Counters of a JVM by name: numbers, and texts. */
export interface PerfData {
	readonly numbers: ReadonlyMap<string, number>;
	readonly texts: ReadonlyMap<string, string>;
}

/** Throws `FN_AGENT_HSPERFDATA` for bytes that are not version 2 of the format. Reads of a file that the JVM is writing are safe: entries are only ever added. */
export function parsePerfData(bytes: Buffer): PerfData {
	if (bytes.length < HEAD_BYTES || bytes.readUInt32BE(0) !== MAGIC)
		throw new AppError('FN_AGENT_HSPERFDATA', 'the file is not the perf data of a HotSpot JVM');
	const little = bytes[4] === 1;
	if (bytes[5] !== 2) throw new AppError('FN_AGENT_HSPERFDATA', `the perf data has version ${bytes[5]}; 2 is known`);
	const int = (at: number) => (little ? bytes.readInt32LE(at) : bytes.readInt32BE(at));
	const long = (at: number) => Number(little ? bytes.readBigInt64LE(at) : bytes.readBigInt64BE(at));
	const numbers = new Map<string, number>();
	const texts = new Map<string, string>();
	let at = int(24);
	const count = Math.min(int(28), MAX_ENTRIES);
	for (let i = 0; i < count; i++) {
		if (at < HEAD_BYTES || at + ENTRY_HEAD_BYTES > bytes.length) break;
		const length = int(at);
		const end = at + length;
		// An entry that is being added has its length last; 0 is "not yet".
		if (length < ENTRY_HEAD_BYTES || end > bytes.length) break;
		const nameAt = at + int(at + 4);
		const vector = int(at + 8);
		const type = bytes[at + 12];
		const dataAt = at + int(at + 16);
		if (nameAt < at || nameAt >= end || dataAt < at || dataAt > end) break;
		const name = terminated(bytes, nameAt, end);
		if (type === LONG && vector === 0 && dataAt + 8 <= end) numbers.set(name, long(dataAt));
		else if (type === BYTE && vector > 0) texts.set(name, terminated(bytes, dataAt, Math.min(end, dataAt + vector)));
		at = end;
	}
	return { numbers, texts };
}

function terminated(bytes: Buffer, from: number, to: number): string {
	const zero = bytes.indexOf(0, from);
	return bytes.toString('utf8', from, zero < 0 || zero > to ? to : zero);
}

/** Heap, collections, threads and classes in jmx_exporter's names. Pools and collectors carry the names that the perf data gives them, which are not those of JMX. */
export function perfDataFamilies(data: PerfData): readonly MetricFamily[] {
	const { numbers, texts } = data;
	const families = new FamilySet();
	const gauge = (name: string, help: string, key: string, labels: readonly string[] = []) => {
		const value = numbers.get(key);
		if (value !== undefined && value >= 0) families.gauge(name, help, value, labels);
	};
	let used = 0;
	let committed = 0;
	const maxima: number[] = [];
	for (let generation = 0; texts.has(`sun.gc.generation.${generation}.name`); generation++) {
		const base = `sun.gc.generation.${generation}`;
		maxima.push(numbers.get(`${base}.maxCapacity`) ?? 0);
		for (let space = 0; texts.has(`${base}.space.${space}.name`); space++) {
			const labels = ['pool', `${texts.get(`${base}.name`)} ${texts.get(`${base}.space.${space}.name`)}`];
			used += numbers.get(`${base}.space.${space}.used`) ?? 0;
			committed += numbers.get(`${base}.space.${space}.capacity`) ?? 0;
			gauge('jvm_memory_pool_used_bytes', 'Used bytes of a given JVM memory pool.', `${base}.space.${space}.used`, labels);
			gauge('jvm_memory_pool_committed_bytes', 'Committed bytes of a given JVM memory pool.', `${base}.space.${space}.capacity`, labels);
			gauge('jvm_memory_pool_max_bytes', 'Max bytes of a given JVM memory pool.', `${base}.space.${space}.maxCapacity`, labels);
		}
	}
	const collectors: string[] = [];
	const frequency = numbers.get('sun.os.hrt.frequency') ?? 0;
	for (let collector = 0; texts.has(`sun.gc.collector.${collector}.name`); collector++) {
		const base = `sun.gc.collector.${collector}`;
		const name = texts.get(`${base}.name`) ?? '';
		collectors.push(name);
		const invocations = numbers.get(`${base}.invocations`);
		const ticks = numbers.get(`${base}.time`);
		if (invocations !== undefined)
			families.counter('jvm_gc_collection_seconds_count', 'Collections of a given JVM garbage collector.', invocations, ['gc', name]);
		if (ticks !== undefined && frequency > 0)
			families.counter('jvm_gc_collection_seconds_sum', 'Time spent in a given JVM garbage collector in seconds.', ticks / frequency, [
				'gc',
				name,
			]);
	}
	if (committed > 0) {
		// Under G1 each generation may grow to the whole heap.
		const max = collectors.some((name) => name.startsWith('G1')) ? Math.max(...maxima) : maxima.reduce((sum, value) => sum + value, 0);
		families.gauge('jvm_memory_used_bytes', 'Used bytes of a given JVM memory area.', used, ['area', 'heap']);
		families.gauge('jvm_memory_committed_bytes', 'Committed bytes of a given JVM memory area.', committed, ['area', 'heap']);
		if (max > 0) families.gauge('jvm_memory_max_bytes', 'Max bytes of a given JVM memory area.', max, ['area', 'heap']);
	}
	gauge('jvm_memory_pool_used_bytes', 'Used bytes of a given JVM memory pool.', 'sun.gc.metaspace.used', ['pool', 'Metaspace']);
	gauge('jvm_threads_current', 'Current thread count of a JVM.', 'java.threads.live');
	gauge('jvm_threads_daemon', 'Daemon thread count of a JVM.', 'java.threads.daemon');
	gauge('jvm_threads_peak', 'Peak thread count of a JVM.', 'java.threads.livePeak');
	const started = numbers.get('java.threads.started');
	if (started !== undefined) families.counter('jvm_threads_started_total', 'Started thread count of a JVM.', started);
	const loaded = numbers.get('java.cls.loadedClasses');
	if (loaded !== undefined) {
		const unloaded = numbers.get('java.cls.unloadedClasses') ?? 0;
		families.gauge('jvm_classes_currently_loaded', 'The number of classes that are currently loaded in the JVM.', loaded - unloaded);
	}
	return families.list();
}
