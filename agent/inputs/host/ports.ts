import { closeSync, openSync, readSync } from 'node:fs';
import { systemErrorCode } from '../../../core/errors.ts';
import { type ListeningSocket, ownersOfSockets, parseListeningSockets } from '../../discovery/listening-sockets.ts';
import type { HostReader } from './host-reader.ts';

const CHUNK_BYTES = 16 * 1024;
/** Listeners that are named one by one; of more than that only their number is told. */
const MAX_NAMED = 50;

export interface PortReaderOptions {
	/** Ports that must be listened on; each is 0 or 1. */
	readonly expected: readonly number[];
	/** Whether every other listener that can be reached from outside is reported. */
	readonly reportUnexpected: boolean;
	/** Ports that are neither expected nor reported. */
	readonly ignored: readonly number[];
}

/**
 * TCP ports that are listened on, expected and unexpected. A listener on loopback only is never unexpected. The kernel
 * lists listening sockets first, so reading ends at the first connection: a server with a hundred thousand of them costs
 * no more than an idle one.
 */
export function portReader(options: PortReaderOptions): HostReader {
	const expected = new Set(options.expected);
	const ignored = new Set(options.ignored);
	const labelsOf = new Map(options.expected.map((port) => [port, ['port', String(port)] as const]));
	/** Who holds a socket is looked up once: it means reading the open files of every process. */
	const owners = new Map<string, string>();
	return {
		name: 'ports',
		read({ roots: { proc }, families }) {
			const sockets = ['tcp', 'tcp6'].flatMap((file) => listening(`${proc}/net/${file}`));
			const open = new Set(sockets.map((socket) => socket.port));
			for (const port of options.expected) {
				families.gauge(
					'fournines_host_port_listening',
					'Whether anything listens on the expected TCP port.',
					open.has(port) ? 1 : 0,
					labelsOf.get(port) ?? [],
				);
			}
			if (!options.reportUnexpected) return;
			const unexpected = sockets.filter((socket) => !expected.has(socket.port) && !ignored.has(socket.port) && !isLoopback(socket.host));
			families.gauge(
				'fournines_host_ports_unexpected',
				'Listeners that other machines can reach and that are not expected.',
				unexpected.length,
			);
			const named = unexpected.slice(0, MAX_NAMED);
			const unknown = named.filter((socket) => !owners.has(socket.inode));
			if (unknown.length > 0) {
				const found = ownersOfSockets(proc, new Set(unknown.map((socket) => socket.inode)));
				for (const socket of unknown) owners.set(socket.inode, found.get(socket.inode)?.name ?? '');
			}
			for (const inode of owners.keys()) if (!named.some((socket) => socket.inode === inode)) owners.delete(inode);
			for (const socket of named) {
				families.gauge('fournines_host_port_unexpected', 'A listener that is not expected; the value is always 1.', 1, [
					...['address', socket.host, 'port', String(socket.port), 'process', owners.get(socket.inode) ?? ''],
				]);
			}
		},
	};
}

function isLoopback(host: string): boolean {
	return host === '::1' || host.startsWith('127.');
}

function listening(file: string): readonly ListeningSocket[] {
	let descriptor: number;
	try {
		descriptor = openSync(file, 'r');
	} catch (error) {
		// IPv6 switched off.
		if (systemErrorCode(error) === 'ENOENT') return [];
		throw error;
	}
	try {
		const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
		let text = '';
		for (;;) {
			const count = readSync(descriptor, chunk, 0, CHUNK_BYTES, null);
			if (count === 0) return parseListeningSockets(text);
			text += chunk.toString('latin1', 0, count);
			if (/^ *[0-9]+: [0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4} (?!0A)/m.test(text)) return parseListeningSockets(text);
		}
	} finally {
		closeSync(descriptor);
	}
}
