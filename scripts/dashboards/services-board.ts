import type { BoardSpec } from './board.ts';
import { falling, rising } from './panels.ts';

const IN = 'service=~"$service"';
/** Written once a minute: five of them are enough for a rate, and a new month begins at zero. */
const PER_MINUTE = (metric: string) => `clamp_min(delta(${metric}{${IN}}[5m]), 0) / 5`;

/** What the month still allows each service: seconds of downtime, and failed requests where requests are counted. */
export const servicesBoard: BoardSpec = {
	name: 'services',
	title: '业务服务',
	description: '各业务服务本月的允许中断与请求成功率。数字由可用性台账写入，与控制台和月报相同。',
	tags: ['四个九', '可用性'],
	variables: [{ name: 'service', label: '服务', query: 'label_values(fournines_budget_seconds, service)', multi: true }],
	sections: [
		{
			title: '允许中断（本月）',
			panels: [
				{
					kind: 'table',
					title: '允许中断',
					description: '已用的是已确认的中断；失守时间是照目前速度额度用尽的时刻，或已经用尽的时刻。',
					queries: [
						{ expr: `fournines_budget_used_seconds{${IN}} / fournines_budget_seconds{${IN}}` },
						{ expr: `fournines_budget_used_seconds{${IN}}` },
						{ expr: `fournines_budget_seconds{${IN}}` },
						{ expr: `fournines_budget_loss_timestamp_seconds{${IN}} * 1000 > 0` },
					],
					columns: [
						{ field: 'service', title: '服务' },
						{ field: 'Value #A', title: '已用比例', unit: 'percentunit', decimals: 1, thresholds: rising(0.7, 1) },
						{ field: 'Value #B', title: '已用', unit: 's' },
						{ field: 'Value #C', title: '额度', unit: 's' },
						{ field: 'Value #D', title: '失守时间', unit: 'dateTimeAsIso' },
					],
					sortBy: { column: '已用比例', descending: true },
					w: 12,
					h: 9,
				},
				{
					kind: 'timeseries',
					title: '已用比例',
					queries: [{ expr: `fournines_budget_used_seconds{${IN}} / fournines_budget_seconds{${IN}}`, legend: '{{service}}' }],
					unit: 'percentunit',
					min: 0,
					thresholds: rising(0.7, 1),
					limits: true,
					w: 12,
					h: 9,
				},
			],
		},
		{
			title: '请求成功率（本月）',
			panels: [
				{
					kind: 'table',
					title: '请求',
					description: '只列出在资产清单中写了 requests 的服务。成功率只舍不入；覆盖率是计数器被连续读取的时间所占的比例。',
					queries: [
						{ expr: `fournines_requests_sli_ratio{${IN}}` },
						{ expr: `fournines_requests_counted{${IN}}` },
						{ expr: `fournines_requests_counted{${IN}} - fournines_requests_good{${IN}}` },
						{ expr: `fournines_requests_budget{${IN}}` },
						{ expr: `fournines_requests_coverage_ratio{${IN}}` },
					],
					columns: [
						{ field: 'service', title: '服务' },
						{ field: 'Value #A', title: '成功率', unit: 'percentunit', decimals: 3 },
						{ field: 'Value #B', title: '请求数', unit: 'none', decimals: 0 },
						{ field: 'Value #C', title: '失败', unit: 'none', decimals: 0 },
						{ field: 'Value #D', title: '允许失败', unit: 'none', decimals: 2 },
						{ field: 'Value #E', title: '覆盖率', unit: 'percentunit', decimals: 3, thresholds: falling(0.9, 0.99) },
					],
					sortBy: { column: '成功率', descending: false },
					w: 12,
					h: 9,
				},
				{
					kind: 'timeseries',
					title: '成功率',
					queries: [{ expr: `fournines_requests_sli_ratio{${IN}}`, legend: '{{service}}' }],
					unit: 'percentunit',
					decimals: 3,
					max: 1,
					w: 12,
					h: 9,
				},
				{
					kind: 'timeseries',
					title: '每分钟请求',
					queries: [{ expr: PER_MINUTE('fournines_requests_counted'), legend: '{{service}}' }],
					unit: 'short',
					min: 0,
					w: 12,
					h: 7,
				},
				{
					kind: 'timeseries',
					title: '每分钟失败',
					queries: [
						{
							expr: `clamp_min(${PER_MINUTE('fournines_requests_counted')} - ${PER_MINUTE('fournines_requests_good')}, 0)`,
							legend: '{{service}}',
						},
					],
					unit: 'short',
					min: 0,
					w: 12,
					h: 7,
				},
			],
		},
	],
};
