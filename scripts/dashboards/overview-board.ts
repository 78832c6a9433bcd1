import type { BoardSpec } from './board.ts';
import { NEUTRAL, NONE_IS_GOOD, rising, yesNo } from './panels.ts';

/** The whole installation on one page: what is down, what fires, which hosts are silent, and the platform itself. */
export const overviewBoard: BoardSpec = {
	name: 'overview',
	title: '总览',
	description: '检测项、告警、主机与监控平台自身。',
	tags: ['四个九', '总览'],
	variables: [{ name: 'system', label: '系统', query: 'label_values(fournines_agent_last_push_timestamp_seconds, system)', multi: true }],
	sections: [
		{
			title: '现在',
			panels: [
				{
					kind: 'stat',
					title: '失败的检测项',
					queries: [{ expr: 'count(max by (check) (probe_success{system=~"$system"}) == 0) or vector(0)' }],
					thresholds: NONE_IS_GOOD,
					w: 4,
					h: 4,
				},
				{
					kind: 'stat',
					title: '检测项',
					queries: [{ expr: 'count(count by (check) (probe_success{system=~"$system"})) or vector(0)' }],
					thresholds: NEUTRAL,
					w: 4,
					h: 4,
				},
				{
					kind: 'stat',
					title: '严重告警',
					queries: [{ expr: 'count(ALERTS{alertstate="firing",severity="critical"}) or vector(0)' }],
					thresholds: NONE_IS_GOOD,
					w: 4,
					h: 4,
				},
				{
					kind: 'stat',
					title: '其他告警',
					queries: [{ expr: 'count(ALERTS{alertstate="firing",severity!="critical"}) or vector(0)' }],
					thresholds: [
						{ color: 'green', value: null },
						{ color: 'orange', value: 1 },
					],
					w: 4,
					h: 4,
				},
				{
					kind: 'stat',
					title: '失联的主机',
					description: '一天内上报过、但最近一分钟没有上报的主机。',
					queries: [
						{
							expr: 'count(time() - last_over_time(fournines_agent_last_push_timestamp_seconds{system=~"$system"}[1d]) > 60) or vector(0)',
						},
					],
					thresholds: NONE_IS_GOOD,
					w: 4,
					h: 4,
				},
				{
					kind: 'stat',
					title: '主机',
					queries: [{ expr: 'count(last_over_time(fournines_agent_last_push_timestamp_seconds{system=~"$system"}[1d])) or vector(0)' }],
					thresholds: NEUTRAL,
					w: 4,
					h: 4,
				},
			],
		},
		{
			title: '检测',
			panels: [
				{
					kind: 'table',
					title: '检测项',
					queries: [
						{ expr: 'probe_success{system=~"$system"}' },
						{ expr: 'probe_duration_seconds{system=~"$system"}' },
						{ expr: 'avg_over_time(probe_success{system=~"$system"}[1h])' },
						{ expr: 'fournines_check_interval_seconds{system=~"$system"}' },
					],
					columns: [
						{ field: 'check', title: '检测项' },
						{ field: 'instance', title: '目标' },
						{ field: 'vantage', title: '检测点' },
						{ field: 'Value #A', title: '状态', mappings: yesNo('正常', '失败') },
						{ field: 'Value #B', title: '用时', unit: 's' },
						{ field: 'Value #C', title: '1 小时成功率', unit: 'percentunit', decimals: 2 },
						{ field: 'Value #D', title: '间隔', unit: 's' },
					],
					sortBy: { column: '状态', descending: false },
					w: 14,
					h: 9,
				},
				{
					kind: 'timeseries',
					title: '检测用时',
					queries: [{ expr: 'probe_duration_seconds{system=~"$system"}', legend: '{{check}} {{vantage}}' }],
					unit: 's',
					min: 0,
					w: 10,
					h: 9,
				},
				{
					kind: 'timeseries',
					title: '检测成功率',
					queries: [{ expr: 'avg by (check) (avg_over_time(probe_success{system=~"$system"}[$__rate_interval]))', legend: '{{check}}' }],
					unit: 'percentunit',
					min: 0,
					max: 1,
					w: 12,
					h: 7,
				},
				{
					kind: 'timeseries',
					title: '告警数',
					queries: [
						{ expr: 'count(ALERTS{alertstate="firing",severity="critical"}) or vector(0)', legend: '严重' },
						{ expr: 'count(ALERTS{alertstate="firing",severity!="critical"}) or vector(0)', legend: '其他' },
					],
					unit: 'short',
					min: 0,
					w: 12,
					h: 7,
				},
			],
		},
		{
			title: '主机',
			panels: [
				{
					kind: 'table',
					title: '主机',
					queries: [
						{
							expr: 'time() - max by (instance, host, system) (last_over_time(fournines_agent_last_push_timestamp_seconds{system=~"$system"}[1d]))',
						},
						{
							expr: '1 - avg by (instance, host, system) (rate(node_cpu_seconds_total{mode="idle",system=~"$system"}[$__rate_interval]))',
						},
						{
							expr: '1 - max by (instance, host, system) (node_memory_MemAvailable_bytes{system=~"$system"} / node_memory_MemTotal_bytes{system=~"$system"})',
						},
						{
							expr: 'max by (instance, host, system) (1 - node_filesystem_avail_bytes{system=~"$system",fstype!~"tmpfs|ramfs|overlay|squashfs"} / node_filesystem_size_bytes{system=~"$system",fstype!~"tmpfs|ramfs|overlay|squashfs"})',
						},
						{ expr: 'max by (instance, host, system) (node_load5{system=~"$system"})' },
					],
					columns: [
						{ field: 'instance', title: '主机' },
						{ field: 'system', title: '系统' },
						{ field: 'Value #A', title: '数据延迟', unit: 's', decimals: 0, thresholds: rising(45, 60) },
						{ field: 'Value #B', title: 'CPU', unit: 'percentunit', decimals: 1, thresholds: rising(0.7, 0.8) },
						{ field: 'Value #C', title: '内存', unit: 'percentunit', decimals: 1, thresholds: rising(0.8, 0.9) },
						{ field: 'Value #D', title: '最满的磁盘', unit: 'percentunit', decimals: 1, thresholds: rising(0.8, 0.9) },
						{ field: 'Value #E', title: '5 分钟负载', decimals: 2 },
					],
					sortBy: { column: '数据延迟', descending: true },
					w: 14,
					h: 8,
				},
				{
					kind: 'bargauge',
					title: '最忙的主机',
					queries: [
						{
							expr: 'topk(8, 1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle",system=~"$system"}[$__rate_interval])))',
							legend: '{{instance}}',
						},
					],
					unit: 'percentunit',
					min: 0,
					max: 1,
					thresholds: rising(0.7, 0.8),
					w: 10,
					h: 8,
				},
			],
		},
		{
			title: '监控平台',
			panels: [
				{
					kind: 'timeseries',
					title: '写入速率（样本/秒）',
					queries: [{ expr: 'sum(rate(fournines_ingest_samples_total[$__rate_interval]))', legend: '样本' }],
					unit: 'short',
					min: 0,
					w: 8,
					h: 7,
				},
				{
					kind: 'timeseries',
					title: '时序数',
					queries: [{ expr: 'fournines_store_series', legend: '时序' }],
					unit: 'short',
					min: 0,
					w: 8,
					h: 7,
				},
				{
					kind: 'timeseries',
					title: '平台内存',
					queries: [{ expr: 'process_resident_memory_bytes{job="fournines"}', legend: '内存' }],
					unit: 'bytes',
					min: 0,
					w: 8,
					h: 7,
				},
				{
					kind: 'timeseries',
					title: '规则组用时',
					description: '接近规则组的间隔时会错过计算。',
					// A group is named by its file's whole path and its own name, of which only the name fits into a legend.
					queries: [
						{
							expr: 'label_replace(topk(5, fournines_ruler_group_duration_seconds), "group", "$1", "group", ".*;(.*)")',
							legend: '{{group}}',
						},
					],
					unit: 's',
					min: 0,
					w: 8,
					h: 7,
				},
				{
					kind: 'timeseries',
					title: '查询用时（99 分位）',
					queries: [
						{
							expr: 'histogram_quantile(0.99, sum by (le) (rate(fournines_query_duration_seconds_bucket[$__rate_interval])))',
							legend: '99 分位',
						},
					],
					unit: 's',
					min: 0,
					w: 8,
					h: 7,
				},
				{
					kind: 'timeseries',
					title: '待发送的通知',
					description: '持续上升说明某个通知渠道不可用。',
					queries: [{ expr: 'fournines_alerts_outbox_count', legend: '待发送' }],
					unit: 'short',
					min: 0,
					w: 8,
					h: 7,
				},
			],
		},
	],
};
