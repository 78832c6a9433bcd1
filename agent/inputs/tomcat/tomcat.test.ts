import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../../core/secret.ts';
import { available, startTomcat, type TomcatServer } from '../../../tests/harness/tomcat.ts';
import { values } from '../measured-values.ts';
import { createTomcatInput } from './input.ts';
import { parseTomcatStatus } from './status-xml.ts';

const TOMCAT_7 = `<?xml version="1.0" encoding="utf-8"?><?xml-stylesheet type="text/xsl" href="/manager/xform.xsl" ?>
<status><jvm><memory free='100' total='300' max='1000'/><memorypool name='CodeHeap 'profiled nmethods'' type='Non-heap memory' usageInit='2555904' usageCommitted='9' usageMax='-1' usageUsed='7'/><memorypool name='PS Old Gen' type='Heap memory' usageInit='1' usageCommitted='2' usageMax='500' usageUsed='50'/></jvm><connector name='"http-bio-8080"'><threadInfo  maxThreads="-1" currentThreadCount="-1" currentThreadsBusy="-1" /><requestInfo  maxTime="1500" processingTime="2500" requestCount="10" errorCount="2" bytesReceived="5" bytesSent="900" /><workers><worker  stage="S" requestProcessingTime="3" requestBytesSent="0" requestBytesReceived="0" remoteAddr="10.1.2.3" virtualHost="x" method="GET" currentUri="/private" currentQueryString="token=1" protocol="HTTP/1.1" /></workers></connector></status>`;

describe('status document', () => {
	test('Tomcat 7: unescaped names, unlimited pools, a shared executor', () => {
		const found = values(parseTomcatStatus(TOMCAT_7));
		expect(found).toEqual({
			tomcat_up: 1,
			'jvm_memory_used_bytes{area="heap"}': 200,
			'jvm_memory_committed_bytes{area="heap"}': 300,
			'jvm_memory_max_bytes{area="heap"}': 1000,
			'jvm_memory_used_bytes{area="nonheap"}': 7,
			[`jvm_memory_pool_used_bytes{pool="CodeHeap 'profiled nmethods'"}`]: 7,
			'jvm_memory_pool_used_bytes{pool="PS Old Gen"}': 50,
			'jvm_memory_pool_max_bytes{pool="PS Old Gen"}': 500,
			'tomcat_global_request_total{worker="http-bio-8080"}': 10,
			'tomcat_global_error_total{worker="http-bio-8080"}': 2,
			'tomcat_global_received_bytes_total{worker="http-bio-8080"}': 5,
			'tomcat_global_sent_bytes_total{worker="http-bio-8080"}': 900,
			'tomcat_global_processingtime_seconds_total{worker="http-bio-8080"}': 2.5,
			'tomcat_global_maxtime_seconds{worker="http-bio-8080"}': 1.5,
		});
	});

	test('another page is refused', () => {
		expect(() => parseTomcatStatus('<html>log in</html>')).toThrow(expect.objectContaining({ code: 'FN_AGENT_SOURCE_FORMAT' }));
	});
});

describe.skipIf(!available())('a real Tomcat 10', () => {
	let server: TomcatServer;
	beforeAll(async () => {
		server = await startTomcat();
	});
	afterAll(() => server?.remove());

	const input = (password: string) =>
		createTomcatInput({
			target: {},
			intervalMs: 1000,
			timeoutMs: 60_000,
			url: server.url,
			username: server.username,
			password: () => new Secret(password),
			userAgent: 'test',
		});

	test('memory, pools and requests', async () => {
		const found = values(await input(server.password).collect(new AbortController().signal, 0));
		const pool = `http-nio-127.0.0.1-${server.port}`;
		expect(found).toMatchObject({ tomcat_up: 1, [`tomcat_threadpool_threads_max{pool="${pool}"}`]: 20 });
		expect(found[`tomcat_global_request_total{worker="${pool}"}`]).toBeGreaterThan(0);
		expect(found['jvm_memory_used_bytes{area="heap"}']).toBeGreaterThan(0);
		expect(found['jvm_memory_used_bytes{area="nonheap"}']).toBeGreaterThan(0);
	});

	test('a refused account is not tried again within the lock time', async () => {
		const source = input('wrong');
		const signal = new AbortController().signal;
		await expect(source.collect(signal, 1_000_000)).rejects.toMatchObject({ code: 'FN_AGENT_SOURCE_STATUS', status: 401 });
		await expect(source.collect(signal, 1_010_000)).rejects.toMatchObject({ code: 'FN_AGENT_SOURCE_REFUSED' });
		await expect(source.collect(signal, 1_000_000 + 5 * 60_000)).rejects.toMatchObject({ code: 'FN_AGENT_SOURCE_STATUS' });
	});
});
