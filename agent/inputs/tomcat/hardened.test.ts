import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../../core/secret.ts';
import { startFakeServer } from '../../../tests/harness/fake-server.ts';
import { waitFor } from '../../../tests/harness/process.ts';
import { available, startTomcat, type TomcatServer } from '../../../tests/harness/tomcat.ts';
import { FamilySet } from '../input.ts';
import { values } from '../measured-values.ts';
import { parsePerfData, perfDataFamilies } from './hsperfdata.ts';
import { createTomcatInput, type TomcatInputOptions } from './input.ts';
import { dataSourceFamilies, getQuery, parseGet, parseQuery, property } from './jmx-proxy.ts';

const signal = new AbortController().signal;
const opened: { close(): Promise<void> }[] = [];
afterAll(async () => {
	for (const input of opened) await input.close();
});

const input = (url: string, options: Partial<TomcatInputOptions> = {}) => {
	const created = createTomcatInput({
		target: {},
		intervalMs: 1000,
		timeoutMs: 60_000,
		url,
		username: null,
		password: () => null,
		userAgent: 'test',
		...options,
	});
	opened.push(created);
	return created;
};
const names = (found: Record<string, number>, prefix: string) => Object.keys(found).filter((name) => name.startsWith(prefix));

/** Perf data as a JVM lays it out, of either byte order. */
function perfData(entries: Readonly<Record<string, number | string>>, little = true): Buffer {
	const parts: Buffer[] = [];
	const int = (bytes: Buffer, value: number, at: number) => (little ? bytes.writeInt32LE(value, at) : bytes.writeInt32BE(value, at));
	for (const [name, value] of Object.entries(entries)) {
		const nameBytes = Buffer.from(`${name}\0`);
		const dataAt = Math.ceil((20 + nameBytes.length) / 8) * 8;
		const data = typeof value === 'number' ? Buffer.alloc(8) : Buffer.from(`${value}\0`);
		if (typeof value === 'number') little ? data.writeBigInt64LE(BigInt(value)) : data.writeBigInt64BE(BigInt(value));
		const entry = Buffer.alloc(Math.ceil((dataAt + data.length) / 8) * 8);
		int(entry, entry.length, 0);
		int(entry, 20, 4);
		int(entry, typeof value === 'number' ? 0 : data.length, 8);
		entry[12] = typeof value === 'number' ? 0x4a : 0x42;
		int(entry, dataAt, 16);
		nameBytes.copy(entry, 20);
		data.copy(entry, dataAt);
		parts.push(entry);
	}
	const head = Buffer.alloc(32);
	head.writeUInt32BE(0xcafec0c0, 0);
	head[4] = little ? 1 : 0;
	head[5] = 2;
	int(head, 32, 24);
	int(head, parts.length, 28);
	return Buffer.concat([head, ...parts]);
}

describe('perf data', () => {
	test.each([
		['little-endian', true],
		['big-endian', false],
	])('%s numbers and texts', (_name, little) => {
		const data = parsePerfData(perfData({ 'java.threads.live': 42, 'sun.gc.collector.0.name': 'Copy', big: 2 ** 40 }, little));
		expect(Object.fromEntries(data.numbers)).toEqual({ 'java.threads.live': 42, big: 2 ** 40 });
		expect(Object.fromEntries(data.texts)).toEqual({ 'sun.gc.collector.0.name': 'Copy' });
	});

	test('the heap of G1 is as large as its largest generation, that of others as their sum', () => {
		const generations = (collector: string) => ({
			'sun.gc.generation.0.name': 'young',
			'sun.gc.generation.0.maxCapacity': 100,
			'sun.gc.generation.0.space.0.name': 'eden',
			'sun.gc.generation.0.space.0.used': 10,
			'sun.gc.generation.0.space.0.capacity': 20,
			'sun.gc.generation.1.name': 'old',
			'sun.gc.generation.1.maxCapacity': 300,
			'sun.gc.collector.0.name': collector,
			'sun.gc.collector.0.invocations': 7,
			'sun.gc.collector.0.time': 2_500_000,
			'sun.os.hrt.frequency': 1_000_000,
		});
		const max = (collector: string) =>
			values(perfDataFamilies(parsePerfData(perfData(generations(collector)))))['jvm_memory_max_bytes{area="heap"}'];
		expect([max('G1 young collection pauses'), max('Copy')]).toEqual([300, 400]);
		expect(values(perfDataFamilies(parsePerfData(perfData(generations('Copy')))))['jvm_gc_collection_seconds_sum{gc="Copy"}']).toBe(2.5);
	});

	test('no bytes whatever read beyond the file or without end', () => {
		const good = perfData({ a: 1, b: 'text', c: 3 });
		fc.assert(
			fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 12 }), fc.nat(good.length), (changes, length) => {
				const bytes = Buffer.from(good);
				for (const [at, value] of changes) bytes[at] = value;
				try {
					expect(parsePerfData(bytes.subarray(0, length)).numbers.size).toBeLessThanOrEqual(3);
				} catch (error) {
					expect(error).toMatchObject({ code: 'FN_AGENT_HSPERFDATA' });
				}
			}),
			{ numRuns: 2000 },
		);
	});
});

describe('JMX proxy answers', () => {
	test('names are encoded, and only reads are asked for', () => {
		expect(getQuery('Catalina:type=DataSource,name="jdbc/x"', 'maxTotal')).toBe(
			'get=Catalina%3Atype%3DDataSource%2Cname%3D%22jdbc%2Fx%22&att=maxTotal',
		);
	});

	test.each([
		['a number', "OK - Attribute get 'java.lang:type=Threading' - ThreadCount = 31\r\n", '31'],
		['a key', "OK - Attribute get 'java.lang:type=MemoryPool,name=Tenured Gen' - CollectionUsage - key 'used' = 1024", '1024'],
		['an error with status 200', 'Error - javax.management.InstanceNotFoundException: x = 3', null],
		[
			'Tomcat 7 prints a composite',
			"OK - Attribute get 'a' - CollectionUsage = javax.management.openmbean.CompositeDataSupport(contents={used=1})",
			'javax.management.openmbean.CompositeDataSupport(contents={used=1})',
		],
		['a page of a proxy in between', '<html>log in</html>', null],
	])('%s', (_name, body, expected) => {
		expect(parseGet(body)).toBe(expected);
	});

	test('Tomcat 7: old names of the pool; a pooled connection and everything that is not asked for are left out', () => {
		const body =
			'OK - Number of results: 2\r\n\r\nName: Catalina:type=DataSource,context=/shop,host=localhost,class=javax.sql.DataSource,name="jdbc/shop"\r\nmodelerType: org.apache.tomcat.dbcp.dbcp.BasicDataSource\r\nmaxActive: 20\r\nmaxWait: -1\r\nnumActive: 3\r\nnumIdle: 5\r\npassword: secret\r\nurl: jdbc:x\r\n\r\n' +
			'Name: Catalina:type=DataSource,context=/shop,host=localhost,class=javax.sql.DataSource,name="jdbc/shop",connectionpool=connections,connection=1\r\nnumActive: 9\r\n\r\n';
		const beans = parseQuery(body, new Set(['maxActive', 'maxWait', 'numActive', 'numIdle']));
		expect(JSON.stringify([...beans].map(([name, attributes]) => [name, [...attributes]]))).not.toContain('secret');
		const families = new FamilySet();
		dataSourceFamilies(beans, families);
		const labels = '{context="/shop",name="jdbc/shop"}';
		expect(values(families.list())).toEqual({
			[`jdbc_connections_active${labels}`]: 3,
			[`jdbc_connections_idle${labels}`]: 5,
			[`jdbc_connections_max${labels}`]: 20,
		});
	});

	test('quotes and commas inside of a property', () => {
		expect(property('a:type=T,name="x,\\"y\\"",context=/c', 'name')).toBe('x,"y"');
		expect(property('a:type=T,name=plain,context=/c', 'context')).toBe('/c');
		expect(property('a:type=T', 'name')).toBe('');
	});
});

test('without a role for the proxy the status is still read, and the proxy is never told to write', async () => {
	const asked: string[] = [];
	const status = `<status><jvm><memory free='1' total='3' max='9'/><memorypool name='Tenured Gen' type='Heap memory' usageInit='1' usageCommitted='2' usageMax='5' usageUsed='1'/></jvm></status>`;
	let refuse = true;
	const server = await startFakeServer({
		handle: (request, exchange) => {
			asked.push(request.url.pathname + request.url.search);
			if (request.url.pathname === '/manager/status') exchange.answer(200, status);
			else if (refuse) exchange.answer(403, 'no');
			else if (request.url.searchParams.has('qry')) exchange.answer(200, 'OK - Number of results: 0\r\n');
			else exchange.answer(200, 'Error - javax.management.InstanceNotFoundException: x');
		},
	});
	try {
		const source = input(server.baseUrl, { jmxproxy: true });
		expect(values(await source.collect(signal, 0))).toMatchObject({
			tomcat_up: 1,
			'fournines_tomcat_part_success{part="jmxproxy"}': 0,
			'fournines_tomcat_way{way="manager"}': 1,
		});
		refuse = false;
		expect(values(await source.collect(signal, 0))).toMatchObject({
			'fournines_tomcat_part_success{part="jmxproxy"}': 1,
			'fournines_tomcat_way{way="jmxproxy"}': 1,
		});
		expect(asked.length).toBeGreaterThan(8);
		expect(asked.filter((path) => /[?&](set|invoke)=|\*%3A\*(&|$)|type%3DRuntime/.test(path))).toEqual([]);
	} finally {
		await server.stop();
	}
});

describe.skipIf(!available())('a real Tomcat 10', () => {
	describe('with an executor and a data source', () => {
		let server: TomcatServer;
		beforeAll(async () => {
			server = await startTomcat({ executor: true });
		});
		afterAll(() => server?.remove());

		test('the JMX proxy tells what the status document does not, and no secret of it', async () => {
			const source = input(server.url, { username: server.jmxUsername, password: () => new Secret(server.password), jmxproxy: true });
			const families = await source.collect(signal, 0);
			const found = values(families);
			expect(found).toMatchObject({
				'fournines_tomcat_way{way="jmxproxy"}': 1,
				'fournines_tomcat_part_success{part="jmxproxy"}': 1,
				'tomcat_threadpool_threads_max{pool="shared"}': 15,
				'tomcat_sessions_active_total{context="/manager"}': expect.any(Number),
			});
			expect(found['jvm_gc_collection_seconds_count{gc="Copy"}']).toBeGreaterThanOrEqual(0);
			expect(found['jvm_gc_collection_seconds_count{gc="MarkSweepCompact"}']).toBeGreaterThanOrEqual(0);
			expect(found['jvm_memory_pool_collection_used_bytes{pool="Tenured Gen"}']).toBeGreaterThanOrEqual(0);
			expect(found['jvm_threads_current']).toBeGreaterThan(5);
			expect(found['process_cpu_seconds_total']).toBeGreaterThan(0);
			const [max = ''] = names(found, 'jdbc_connections_max');
			expect([max, found[max]]).toEqual([expect.stringContaining('jdbc/orders'), 40]);
			expect(found[names(found, 'fournines_jdbc_wait_limit_seconds')[0] ?? '']).toBe(2.5);
			expect(JSON.stringify(families)).not.toMatch(/secret-/);
		});

		test('an account with the role for the status alone loses the proxy and keeps the rest', async () => {
			const source = input(server.url, { username: server.username, password: () => new Secret(server.password), jmxproxy: true });
			expect(values(await source.collect(signal, 0))).toMatchObject({
				tomcat_up: 1,
				'fournines_tomcat_part_success{part="jmxproxy"}': 0,
				'fournines_tomcat_way{way="manager"}': 1,
			});
		});
	});

	describe.each([
		['serial', ['-XX:+UseSerialGC']],
		['G1', ['-XX:+UseG1GC']],
	])('without its manager, %s', (_name, jvm) => {
		let server: TomcatServer;
		beforeAll(async () => {
			server = await startTomcat({ manager: false, jvm });
		});
		afterAll(() => server?.remove());

		test("the JVM's own counters and the kernel's", async () => {
			const source = input(server.url, { way: 'auto' });
			const sockets = `fournines_tomcat_sockets{port="${server.port}",state="established"}`;
			await (await fetch(server.url)).text();
			const found = values(await source.collect(signal, 0));
			expect(found).toMatchObject({ tomcat_up: 1, 'fournines_tomcat_way{way="hsperfdata"}': 1 });
			expect(found['jvm_memory_used_bytes{area="heap"}']).toBeGreaterThan(1e6);
			expect(found['jvm_memory_max_bytes{area="heap"}']).toBeGreaterThan(80e6);
			expect(found['jvm_memory_max_bytes{area="heap"}']).toBeLessThan(110e6);
			expect(found['jvm_threads_current']).toBeGreaterThan(5);
			expect(names(found, 'jvm_gc_collection_seconds_sum').length).toBeGreaterThan(1);
			expect(found['fournines_tomcat_process_threads']).toBeGreaterThan(found['jvm_threads_current'] ?? 0);
			expect(found['process_resident_memory_bytes']).toBeGreaterThan(20e6);
			expect(found['process_open_fds']).toBeGreaterThan(10);
			expect(found[sockets]).toBeGreaterThanOrEqual(0);
		});

		test('a JVM that keeps its counters to itself is seen from outside; one that has ended is down', async () => {
			await server.stop();
			await expect(input(server.url, { way: 'auto' }).collect(signal, 0)).rejects.toBeInstanceOf(Error);
			await server.start();
			await waitFor('it to be seen', async () => values(await input(server.url, { way: 'process' }).collect(signal, 0))['tomcat_up'] === 1);
		});
	});

	test('without shared counters', async () => {
		const server = await startTomcat({ manager: false, jvm: ['-XX:+UseSerialGC', '-XX:+PerfDisableSharedMem'] });
		try {
			const found = values(await input(server.url, { way: 'process' }).collect(signal, 0));
			expect(found).toMatchObject({ tomcat_up: 1, 'fournines_tomcat_way{way="process"}': 1 });
			expect(names(found, 'jvm_')).toEqual([]);
		} finally {
			await server.remove();
		}
	});
});
