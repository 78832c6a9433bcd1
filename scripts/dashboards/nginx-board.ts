import type { BoardSpec } from './board.ts';
import { NEUTRAL, NONE_IS_GOOD, yesNo } from './panels.ts';

const IN = 'instance=~"$instance"';
const DROPPED = `rate(nginx_connections_accepted{${IN}}[$__rate_interval]) - rate(nginx_connections_handled{${IN}}[$__rate_interval])`;

/** The entrances: do they answer, how busy are they, does the kernel or a limit turn connections away. */
export const nginxBoard: BoardSpec = {
	name: 'nginx',
	title: 'Nginx',
	description: '各 Nginx 入口的存活、连接、请求与丢弃，来自 stub_status。',
	tags: ['四个九', '中间件'],
	variables: [{ name: 'instance', label: '实例', query: 'label_values(nginx_up, instance)', multi: true }],
	sections: [
		{
			title: '概况',
			panels: [
				{
					kind: 'stat',
					title: '存活',
					queries: [{ expr: `nginx_up{${IN}}`, legend: '{{instance}}' }],
					mappings: yesNo('正常', '中断'),
					thresholds: NEUTRAL,
					w: 8,
					h: 5,
				},
				{
					kind: 'stat',
					title: '每秒请求',
					queries: [{ expr: `sum(rate(nginx_http_requests_total{${IN}}[$__rate_interval]))` }],
					unit: 'reqps',
					thresholds: NEUTRAL,
					w: 5,
					h: 5,
				},
				{
					kind: 'stat',
					title: '活动连接',
					queries: [{ expr: `sum(nginx_connections_active{${IN}})` }],
					thresholds: NEUTRAL,
					w: 5,
					h: 5,
				},
				{
					kind: 'stat',
					title: '丢弃的连接（1 小时）',
					description: '已接受但没有处理的连接；大于零说明到了 worker_connections 或句柄的上限。',
					queries: [{ expr: `sum(increase(nginx_connections_accepted{${IN}}[1h]) - increase(nginx_connections_handled{${IN}}[1h]))` }],
					decimals: 0,
					thresholds: NONE_IS_GOOD,
					w: 6,
					h: 5,
				},
			],
		},
		{
			title: '请求与连接',
			panels: [
				{
					kind: 'timeseries',
					title: '每秒请求',
					queries: [{ expr: `rate(nginx_http_requests_total{${IN}}[$__rate_interval])`, legend: '{{instance}}' }],
					unit: 'reqps',
					min: 0,
					w: 12,
					h: 8,
				},
				{
					kind: 'timeseries',
					title: '连接状态',
					description: '读请求头、写应答、空闲等待。写应答堆积通常是后端变慢。',
					queries: [
						{ expr: `sum(nginx_connections_reading{${IN}})`, legend: '读请求' },
						{ expr: `sum(nginx_connections_writing{${IN}})`, legend: '写应答' },
						{ expr: `sum(nginx_connections_waiting{${IN}})`, legend: '空闲' },
					],
					unit: 'short',
					min: 0,
					stacked: true,
					w: 12,
					h: 8,
				},
				{
					kind: 'timeseries',
					title: '新连接',
					queries: [{ expr: `rate(nginx_connections_accepted{${IN}}[$__rate_interval])`, legend: '{{instance}}' }],
					unit: 'cps',
					min: 0,
					w: 8,
					h: 8,
				},
				{
					kind: 'timeseries',
					title: '丢弃的连接',
					queries: [{ expr: DROPPED, legend: '{{instance}}' }],
					unit: 'cps',
					min: 0,
					w: 8,
					h: 8,
				},
				{
					kind: 'timeseries',
					title: '每个连接的请求数',
					description: '接近 1 说明没有复用连接，握手开销大。',
					queries: [
						{
							expr: `rate(nginx_http_requests_total{${IN}}[$__rate_interval]) / rate(nginx_connections_handled{${IN}}[$__rate_interval])`,
							legend: '{{instance}}',
						},
					],
					decimals: 1,
					min: 0,
					w: 8,
					h: 8,
				},
			],
		},
	],
};
