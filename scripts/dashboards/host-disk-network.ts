import type { BoardSpec } from './board.ts';
import { falling, noYes, rising } from './panels.ts';

/** The machine that a board of one host shows. */
export const HOST = 'instance="$host"';
/** What holds data: not memory, not images. */
export const REAL_FS = 'fstype!~"tmpfs|ramfs|devtmpfs|squashfs|overlay|iso9660"';
const REAL_NIC = 'device!~"lo|veth.*|docker.*|br-.*|ifb.*"';
const REAL_DISK = 'device!~"loop.*|ram.*|sr.*"';

/** What one machine does with its disks and its network. */
export const DISK_AND_NETWORK: BoardSpec['sections'] = [
	{
		title: '磁盘',
		panels: [
			{
				kind: 'table',
				title: '文件系统',
				description: '写满时间按最近 6 小时的趋势推算；空白表示没有在变满，或监测还不满 1 小时。',
				queries: [
					{ expr: `node_filesystem_size_bytes{${HOST},${REAL_FS}}` },
					{ expr: `node_filesystem_avail_bytes{${HOST},${REAL_FS}}` },
					{ expr: `1 - node_filesystem_avail_bytes{${HOST},${REAL_FS}} / node_filesystem_size_bytes{${HOST},${REAL_FS}}` },
					{ expr: `1 - node_filesystem_files_free{${HOST},${REAL_FS}} / node_filesystem_files{${HOST},${REAL_FS}}` },
					{
						expr: `node_filesystem_avail_bytes{${HOST},${REAL_FS}} / (-deriv(node_filesystem_avail_bytes{${HOST},${REAL_FS}}[6h]) > 0) and node_filesystem_avail_bytes{${HOST},${REAL_FS}} offset 1h`,
					},
					{ expr: `node_filesystem_readonly{${HOST},${REAL_FS}}` },
				],
				columns: [
					{ field: 'mountpoint', title: '挂载点' },
					{ field: 'Value #A', title: '容量', unit: 'bytes' },
					{ field: 'Value #B', title: '可用', unit: 'bytes' },
					{ field: 'Value #C', title: '已用', unit: 'percentunit', decimals: 1, thresholds: rising(0.8, 0.9) },
					{ field: 'Value #D', title: 'inode 已用', unit: 'percentunit', decimals: 1, thresholds: rising(0.8, 0.9) },
					{ field: 'Value #E', title: '预计写满', unit: 'dtdurations', thresholds: falling(86_400, 604_800) },
					{ field: 'Value #F', title: '可写', mappings: noYes('只读', '可写') },
				],
				sortBy: { column: '已用', descending: true },
				w: 12,
				h: 7,
			},
			{
				kind: 'timeseries',
				title: '可用空间',
				queries: [{ expr: `node_filesystem_avail_bytes{${HOST},${REAL_FS}}`, legend: '{{mountpoint}}' }],
				unit: 'bytes',
				min: 0,
				w: 6,
				h: 7,
			},
			{
				kind: 'timeseries',
				title: '磁盘忙碌时间',
				description: '设备有请求在处理的时间比例。',
				queries: [{ expr: `rate(node_disk_io_time_seconds_total{${HOST},${REAL_DISK}}[$__rate_interval])`, legend: '{{device}}' }],
				unit: 'percentunit',
				min: 0,
				w: 6,
				h: 7,
			},
			{
				kind: 'timeseries',
				title: '读写延迟',
				description: '每次请求平均用时；持续超过 0.1 秒时业务会明显变慢。',
				queries: [
					{
						expr: `rate(node_disk_read_time_seconds_total{${HOST},${REAL_DISK}}[$__rate_interval]) / rate(node_disk_reads_completed_total{${HOST},${REAL_DISK}}[$__rate_interval])`,
						legend: '{{device}} 读',
					},
					{
						expr: `rate(node_disk_write_time_seconds_total{${HOST},${REAL_DISK}}[$__rate_interval]) / rate(node_disk_writes_completed_total{${HOST},${REAL_DISK}}[$__rate_interval])`,
						legend: '{{device}} 写',
					},
				],
				unit: 's',
				min: 0,
				w: 8,
				h: 7,
			},
			{
				kind: 'timeseries',
				title: '读写流量（写向下）',
				queries: [
					{ expr: `rate(node_disk_read_bytes_total{${HOST},${REAL_DISK}}[$__rate_interval])`, legend: '{{device}} 读' },
					{ expr: `rate(node_disk_written_bytes_total{${HOST},${REAL_DISK}}[$__rate_interval])`, legend: '{{device}} 写' },
				],
				unit: 'binBps',
				downwards: '/写$/',
				w: 8,
				h: 7,
			},
			{
				kind: 'timeseries',
				title: '读写次数（写向下）',
				queries: [
					{ expr: `rate(node_disk_reads_completed_total{${HOST},${REAL_DISK}}[$__rate_interval])`, legend: '{{device}} 读' },
					{ expr: `rate(node_disk_writes_completed_total{${HOST},${REAL_DISK}}[$__rate_interval])`, legend: '{{device}} 写' },
				],
				unit: 'iops',
				downwards: '/写$/',
				w: 8,
				h: 7,
			},
		],
	},
	{
		title: '网络',
		panels: [
			{
				kind: 'timeseries',
				title: '流量（发送向下）',
				queries: [
					{ expr: `rate(node_network_receive_bytes_total{${HOST},${REAL_NIC}}[$__rate_interval]) * 8`, legend: '{{device}} 接收' },
					{ expr: `rate(node_network_transmit_bytes_total{${HOST},${REAL_NIC}}[$__rate_interval]) * 8`, legend: '{{device}} 发送' },
				],
				unit: 'bps',
				downwards: '/发送$/',
				w: 8,
				h: 7,
			},
			{
				kind: 'timeseries',
				title: '错误与丢包',
				queries: [
					{ expr: `rate(node_network_receive_errs_total{${HOST},${REAL_NIC}}[$__rate_interval])`, legend: '{{device}} 接收错误' },
					{ expr: `rate(node_network_transmit_errs_total{${HOST},${REAL_NIC}}[$__rate_interval])`, legend: '{{device}} 发送错误' },
					{ expr: `rate(node_network_receive_drop_total{${HOST},${REAL_NIC}}[$__rate_interval])`, legend: '{{device}} 接收丢包' },
					{ expr: `rate(node_network_transmit_drop_total{${HOST},${REAL_NIC}}[$__rate_interval])`, legend: '{{device}} 发送丢包' },
				],
				unit: 'pps',
				min: 0,
				w: 8,
				h: 7,
			},
			{
				kind: 'timeseries',
				title: 'TCP 连接',
				queries: [
					{ expr: `node_netstat_Tcp_CurrEstab{${HOST}}`, legend: '已建立' },
					{ expr: `node_sockstat_TCP_tw{${HOST}}`, legend: 'TIME_WAIT' },
					{ expr: `node_sockstat_TCP_orphan{${HOST}}`, legend: '孤儿' },
				],
				unit: 'short',
				min: 0,
				w: 8,
				h: 7,
			},
			{
				kind: 'timeseries',
				title: 'TCP 重传率',
				queries: [
					{
						expr: `rate(node_netstat_Tcp_RetransSegs{${HOST}}[$__rate_interval]) / rate(node_netstat_Tcp_OutSegs{${HOST}}[$__rate_interval])`,
						legend: '重传',
					},
				],
				unit: 'percentunit',
				min: 0,
				w: 8,
				h: 7,
			},
			{
				kind: 'timeseries',
				title: '监听队列溢出',
				description: '应用来不及接受连接时，内核丢弃的连接数。',
				queries: [
					{ expr: `rate(node_netstat_TcpExt_ListenOverflows{${HOST}}[$__rate_interval])`, legend: '溢出' },
					{ expr: `rate(node_netstat_TcpExt_ListenDrops{${HOST}}[$__rate_interval])`, legend: '丢弃' },
				],
				unit: 'cps',
				min: 0,
				w: 8,
				h: 7,
			},
			{
				kind: 'timeseries',
				title: '文件句柄',
				queries: [{ expr: `node_filefd_allocated{${HOST}} / node_filefd_maximum{${HOST}}`, legend: '已用' }],
				unit: 'percentunit',
				min: 0,
				w: 8,
				h: 7,
			},
		],
	},
];
