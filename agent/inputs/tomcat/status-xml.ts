import { AppError } from '../../../core/errors.ts';
import { FamilySet, type MetricFamily } from '../input.ts';

/**
 * `/manager/status?XML=true` of Tomcat 7 to 11. Read by patterns and not by an XML parser: Tomcat 7 writes pool names
 * unescaped (`name='CodeHeap 'profiled nmethods''`), which is not well-formed. Worker rows (addresses and URIs of
 * clients) are skipped. Throws `FN_AGENT_SOURCE_FORMAT` for another document.
 */
export function parseTomcatStatus(xml: string): readonly MetricFamily[] {
	const memory = /<memory\s+free='([0-9]+)'\s+total='([0-9]+)'\s+max='(-?[0-9]+)'\s*\/>/.exec(xml);
	if (memory === null || !xml.includes('<status>')) {
		throw new AppError(
			'FN_AGENT_SOURCE_FORMAT',
			'the answer is not the manager\'s status document; check that the address ends with "/manager/status"',
		);
	}
	const families = new FamilySet();
	families.gauge('tomcat_up', 'Whether the last read of the manager status succeeded.', 1);
	const [, free = 0, total = 0, max = 0] = memory.map(Number);
	const heap = ['area', 'heap'];
	families.gauge('jvm_memory_used_bytes', 'Used bytes of a given JVM memory area.', total - free, heap);
	families.gauge('jvm_memory_committed_bytes', 'Committed bytes of a given JVM memory area.', total, heap);
	if (max > 0) families.gauge('jvm_memory_max_bytes', 'Max bytes of a given JVM memory area.', max, heap);
	readPools(xml, families);
	readConnectors(xml, families);
	return families.list();
}

function readPools(xml: string, families: FamilySet): void {
	let nonHeap = 0;
	const pattern =
		/<memorypool name='(.*?)' type='([^']*)' usageInit='-?[0-9]+' usageCommitted='([0-9]+)' usageMax='(-?[0-9]+)' usageUsed='([0-9]+)'\s*\/>/g;
	for (const match of xml.matchAll(pattern)) {
		const labels = ['pool', unescapeXml(match[1] ?? '')];
		const used = Number(match[5]);
		families.gauge('jvm_memory_pool_used_bytes', 'Used bytes of a given JVM memory pool.', used, labels);
		// -1 is "no limit", not a size.
		if (Number(match[4]) > 0)
			families.gauge('jvm_memory_pool_max_bytes', 'Max bytes of a given JVM memory pool.', Number(match[4]), labels);
		if (/^non-?heap/i.test(match[2] ?? '')) nonHeap += used;
	}
	if (nonHeap > 0) families.gauge('jvm_memory_used_bytes', 'Used bytes of a given JVM memory area.', nonHeap, ['area', 'nonheap']);
}

function readConnectors(xml: string, families: FamilySet): void {
	for (const match of xml.matchAll(/<connector name='(.*?)'>(.*?)<\/connector>/gs)) {
		// The name is quoted inside of the quotes: `name='"http-nio-8080"'`.
		const name = unescapeXml(match[1] ?? '').replace(/^"|"$/g, '');
		const body = (match[2] ?? '').split('<workers>', 1)[0] ?? '';
		const field = (attribute: string) => {
			const found = new RegExp(`\\s${attribute}="(-?[0-9]+)"`).exec(body);
			return found === null ? null : Number(found[1]);
		};
		const gauge = (metric: string, help: string, value: number | null) => {
			// A connector that shares an Executor reports -1: unknown here, so absent.
			if (value !== null && value >= 0) families.gauge(metric, help, value, ['pool', name]);
		};
		gauge('tomcat_threadpool_threads_max', 'Upper bound of the pool.', field('maxThreads'));
		gauge('tomcat_threadpool_threads_total', 'Threads that the pool has now.', field('currentThreadCount'));
		gauge('tomcat_threadpool_threads_busy', 'Threads that serve a request now.', field('currentThreadsBusy'));
		gauge('tomcat_threadpool_connections', 'Connections kept alive or served now.', field('keepAliveCount'));
		const counter = (metric: string, help: string, value: number | null, scale = 1) => {
			if (value !== null && value >= 0) families.counter(metric, help, value * scale, ['worker', name]);
		};
		counter('tomcat_global_request_total', 'Requests served.', field('requestCount'));
		counter('tomcat_global_error_total', 'Answers with a status of 400 or above.', field('errorCount'));
		counter('tomcat_global_received_bytes_total', 'Bytes received in request bodies.', field('bytesReceived'));
		counter('tomcat_global_sent_bytes_total', 'Bytes sent in answers.', field('bytesSent'));
		counter('tomcat_global_processingtime_seconds_total', 'Time spent on requests.', field('processingTime'), 0.001);
		const maxTime = field('maxTime');
		if (maxTime !== null)
			families.gauge('tomcat_global_maxtime_seconds', 'Longest request since the start.', maxTime / 1000, ['worker', name]);
	}
}

function unescapeXml(text: string): string {
	return text.replace(/&(apos|quot|lt|gt|#39|#034|#34|amp);/g, (_, name: string) => {
		switch (name) {
			case 'apos':
			case '#39':
				return "'";
			case 'quot':
			case '#34':
			case '#034':
				return '"';
			case 'lt':
				return '<';
			case 'gt':
				return '>';
			default:
				return '&';
		}
	});
}
