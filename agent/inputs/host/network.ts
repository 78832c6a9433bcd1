import { readdirSync } from 'node:fs';
import type { HostReader } from './host-reader.ts';
import { readText, tryReadText, words } from './proc-text.ts';

/** Column of `/proc/net/dev` after the colon, by direction. */
const RECEIVE = { bytes: 0, packets: 1, errs: 2, drop: 3 } as const;
const TRANSMIT = { bytes: 8, packets: 9, errs: 10, drop: 11 } as const;

export const networkDeviceReader: HostReader = {
	name: 'netdev',
	read({ roots, families }) {
		for (const line of readText(`${roots.proc}/net/dev`).split('\n')) {
			const colon = line.indexOf(':');
			if (colon < 0) continue;
			const device = line.slice(0, colon).trim();
			const values = words(line.slice(colon + 1));
			if (values.length < 16) continue;
			for (const [field, column] of Object.entries(RECEIVE)) {
				const name = `node_network_receive_${field}_total`;
				families.counter(name, `Network device statistic receive_${field}.`, Number(values[column]), ['device', device]);
			}
			for (const [field, column] of Object.entries(TRANSMIT)) {
				const name = `node_network_transmit_${field}_total`;
				families.counter(name, `Network device statistic transmit_${field}.`, Number(values[column]), ['device', device]);
			}
		}
	},
};

/** State of the interfaces, from `/sys/class/net`. */
export const networkClassReader: HostReader = {
	name: 'netclass',
	read({ roots, families }) {
		for (const device of readdirSync(`${roots.sys}/class/net`)) {
			const field = (name: string) => tryReadText(`${roots.sys}/class/net/${device}/${name}`)?.trim() ?? null;
			const operstate = field('operstate');
			// Not an interface: `bonding_masters` lies in the same folder.
			if (operstate === null) continue;
			const labels = ['device', device];
			const up = operstate === 'up';
			families.gauge('node_network_up', "Value is 1 if operstate is 'up', 0 otherwise.", up ? 1 : 0, labels);
			const carrier = field('carrier');
			if (carrier !== null) families.gauge('node_network_carrier', 'Network device property: carrier.', Number(carrier), labels);
			const mtu = field('mtu');
			if (mtu !== null) families.gauge('node_network_mtu_bytes', 'Network device property: mtu_bytes.', Number(mtu), labels);
			const speed = field('speed');
			// Virtual interfaces say -1.
			if (speed !== null && Number(speed) >= 0) {
				families.gauge('node_network_speed_bytes', 'Network device property: speed_bytes.', (Number(speed) * 1e6) / 8, labels);
			}
			const flags = Number(field('flags') ?? 0);
			families.gauge('node_network_info', 'Non-numeric data of the interface; the value is always 1.', 1, [
				...['device', device, 'operstate', operstate, 'adminstate', (flags & 1) === 1 ? 'up' : 'down'],
				...['address', field('address') ?? '', 'broadcast', field('broadcast') ?? ''],
				...['duplex', field('duplex') ?? '', 'ifalias', field('ifalias') ?? ''],
			]);
		}
	},
};

const NETSTAT_FIELDS = new Set([
	'Tcp_ActiveOpens',
	'Tcp_PassiveOpens',
	'Tcp_CurrEstab',
	'Tcp_InErrs',
	'Tcp_InSegs',
	'Tcp_OutRsts',
	'Tcp_OutSegs',
	'Tcp_RetransSegs',
	'TcpExt_ListenDrops',
	'TcpExt_ListenOverflows',
	'TcpExt_SyncookiesFailed',
	'TcpExt_TCPSynRetrans',
	'TcpExt_TCPTimeouts',
	'Udp_InDatagrams',
	'Udp_InErrors',
	'Udp_NoPorts',
	'Udp_OutDatagrams',
	'Udp_RcvbufErrors',
	'Udp_SndbufErrors',
	'Ip_Forwarding',
]);

export const netstatReader: HostReader = {
	name: 'netstat',
	read({ roots, families }) {
		for (const file of ['snmp', 'netstat']) {
			const lines = readText(`${roots.proc}/net/${file}`).split('\n');
			// Pairs of lines: names, then values, each behind the protocol.
			for (let i = 0; i + 1 < lines.length; i += 2) {
				const names = words(lines[i] as string);
				const values = words(lines[i + 1] as string);
				const protocol = (names[0] ?? '').replace(/:$/, '');
				for (let column = 1; column < names.length; column++) {
					const field = `${protocol}_${names[column]}`;
					if (!NETSTAT_FIELDS.has(field)) continue;
					families.add(`node_netstat_${field}`, 'unknown', `Statistic ${field.replace('_', '')}.`, Number(values[column]), []);
				}
			}
		}
	},
};

export const sockstatReader: HostReader = {
	name: 'sockstat',
	read({ roots, families }) {
		for (const line of readText(`${roots.proc}/net/sockstat`).split('\n')) {
			const [head, ...pairs] = words(line);
			const protocol = (head ?? '').replace(/:$/, '');
			if (protocol !== 'TCP' && protocol !== 'UDP' && protocol !== 'sockets') continue;
			for (let i = 0; i + 1 < pairs.length; i += 2) {
				families.gauge(
					`node_sockstat_${protocol}_${pairs[i]}`,
					`Number of ${protocol} sockets in state ${pairs[i]}.`,
					Number(pairs[i + 1]),
				);
			}
		}
	},
};
