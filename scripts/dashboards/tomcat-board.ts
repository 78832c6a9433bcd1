import type { BoardSpec } from './board.ts';
import { NEUTRAL, rising, yesNo } from './panels.ts';

const IN = 'instance=~"$instance"';
const BUSY = `tomcat_threadpool_threads_busy{${IN}} / tomcat_threadpool_threads_max{${IN}}`;

/** Application servers: threads, requests, errors, time per request, memory. */
export const tomcatBoard: BoardSpec = {
	name: 'tomcat',
	title: 'Tomcat',
	description: '各 Tomcat 的线程池、请求、错误、处理时间与 JVM 内存，来自 manager 状态页。',
	tags: ['四个九', '中间件'],
	variables: [{ name: 'instance', label: '实例', query: 'label_values(tomcat_up, instance)', multi: true }],
	sections: [
		{
			title: '概况',
			panels: [
				{
					kind: 'stat',
					title: '存活',
					queries: [{ expr: `tomcat_up{${IN}}`, legend: '{{instance}}' }],
					mappings: yesNo('正常', '中断'),
					thresholds: NEUTRAL,
					w: 6,
					h: 5,
				},
				{
					kind: 'gauge',
					title: '最忙的线程池',
					description: '忙碌线程占上限的比例；持续超过 90% 时请求开始排队。',
					queries: [{ expr: `max(${BUSY})` }],
					unit: 'percentunit',
					min: 0,
					max: 1,
					thresholds: rising(0.7, 0.9),
					w: 5,
					h: 5,
				},
				{
					kind: 'stat',
					title: '每秒请求',
					queries: [{ expr: `sum(rate(tomcat_global_request_total{${IN}}[$__rate_interval]))` }],
					unit: 'reqps',
					thresholds: NEUTRAL,
					w: 4,
					h: 5,
				},
				{
					kind: 'stat',
					title: '每次请求用时',
					queries: [
						{
							expr: `sum(rate(tomcat_global_processingtime_seconds_total{${IN}}[$__rate_interval])) / sum(rate(tomcat_global_request_total{${IN}}[$__rate_interval]))`,
						},
					],
					unit: 's',
					thresholds: rising(1, 3),
					w: 4,
					h: 5,
				},
				{
					kind: 'gauge',
					title: '堆内存',
					queries: [{ expr: `max(jvm_memory_used_bytes{${IN},area="heap"} / jvm_memory_max_bytes{${IN},area="heap"})` }],
					unit: 'percentunit',
					min: 0,
					max: 1,
					thresholds: rising(0.8, 0.9),
					w: 5,
					h: 5,
				},
			],
		},
		{
			title: '线程与请求',
			panels: [
				{
					kind: 'timeseries',
					title: '线程池占用',
					queries: [{ expr: BUSY, legend: '{{instance}} {{pool}}' }],
					unit: 'percentunit',
					min: 0,
					thresholds: rising(0.7, 0.9),
					limits: true,
					w: 12,
					h: 8,
				},
				{
					kind: 'timeseries',
					title: '线程数',
					queries: [
						{ expr: `tomcat_threadpool_threads_busy{${IN}}`, legend: '{{instance}} {{pool}} 忙碌' },
						{ expr: `tomcat_threadpool_threads_total{${IN}}`, legend: '{{instance}} {{pool}} 现有' },
					],
					unit: 'short',
					min: 0,
					w: 12,
					h: 8,
				},
				{
					kind: 'timeseries',
					title: '每秒请求',
					queries: [{ expr: `rate(tomcat_global_request_total{${IN}}[$__rate_interval])`, legend: '{{instance}} {{worker}}' }],
					unit: 'reqps',
					min: 0,
					w: 8,
					h: 8,
				},
				{
					kind: 'timeseries',
					title: '错误比例',
					description: '状态码 400 及以上的应答占全部请求的比例。',
					queries: [
						{
							expr: `rate(tomcat_global_error_total{${IN}}[$__rate_interval]) / rate(tomcat_global_request_total{${IN}}[$__rate_interval])`,
							legend: '{{instance}} {{worker}}',
						},
					],
					unit: 'percentunit',
					min: 0,
					w: 8,
					h: 8,
				},
				{
					kind: 'timeseries',
					title: '每次请求平均用时',
					queries: [
						{
							expr: `rate(tomcat_global_processingtime_seconds_total{${IN}}[$__rate_interval]) / rate(tomcat_global_request_total{${IN}}[$__rate_interval])`,
							legend: '{{instance}} {{worker}}',
						},
					],
					unit: 's',
					min: 0,
					w: 8,
					h: 8,
				},
			],
		},
		{
			title: '内存与流量',
			panels: [
				{
					kind: 'timeseries',
					title: '堆与非堆',
					queries: [
						{ expr: `jvm_memory_used_bytes{${IN}}`, legend: '{{instance}} {{area}} 已用' },
						{ expr: `jvm_memory_max_bytes{${IN}}`, legend: '{{instance}} {{area}} 上限' },
					],
					unit: 'bytes',
					min: 0,
					w: 8,
					h: 8,
				},
				{
					kind: 'table',
					title: '内存池',
					queries: [
						{ expr: `jvm_memory_pool_used_bytes{${IN}}` },
						{ expr: `jvm_memory_pool_max_bytes{${IN}}` },
						{ expr: `jvm_memory_pool_used_bytes{${IN}} / jvm_memory_pool_max_bytes{${IN}}` },
					],
					columns: [
						{ field: 'instance', title: '实例' },
						{ field: 'pool', title: '内存池' },
						{ field: 'Value #A', title: '已用', unit: 'bytes' },
						{ field: 'Value #B', title: '上限', unit: 'bytes' },
						{ field: 'Value #C', title: '占用', unit: 'percentunit', decimals: 1, thresholds: rising(0.8, 0.9) },
					],
					sortBy: { column: '占用', descending: true },
					w: 8,
					h: 8,
				},
				{
					kind: 'timeseries',
					title: '流量（发送向下）',
					queries: [
						{ expr: `rate(tomcat_global_received_bytes_total{${IN}}[$__rate_interval]) * 8`, legend: '{{instance}} 接收' },
						{ expr: `rate(tomcat_global_sent_bytes_total{${IN}}[$__rate_interval]) * 8`, legend: '{{instance}} 发送' },
					],
					unit: 'bps',
					downwards: '/发送$/',
					w: 8,
					h: 8,
				},
			],
		},
	],
};
