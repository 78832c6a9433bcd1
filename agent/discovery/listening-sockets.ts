import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { systemErrorCode } from '../../core/errors.ts';

export interface ListeningSocket {
	/** `127.0.0.1`, `0.0.0.0`, `::1`, `::`, … */
	readonly host: string;
	readonly port: number;
	readonly inode: string;
}

export interface ProcessFacts {
	readonly pid: number;
	/** `comm`: at most 15 characters. */
	readonly name: string;
	readonly arguments: readonly string[];
}

const LISTEN = '0A';

/** Sockets in state LISTEN of `/proc/net/tcp` or `tcp6`. Addresses are hexadecimal words in the machine's byte order (little-endian on all that we run on). */
export function parseListeningSockets(text: string): readonly ListeningSocket[] {
	const sockets: ListeningSocket[] = [];
	for (const line of text.split('\n')) {
		const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
		const match = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(local ?? '');
		if (match === null || state !== LISTEN || inode === undefined) continue;
		sockets.push({ host: addressOf(match[1] ?? ''), port: Number.parseInt(match[2] ?? '', 16), inode });
	}
	return sockets;
}

function addressOf(hex: string): string {
	const words = hex.match(/.{8}/g) ?? [];
	const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16)));
	if (bytes.length === 4) return bytes.join('.');
	if (bytes.every((byte) => byte === 0)) return '::';
	if (bytes.slice(0, 15).every((byte) => byte === 0) && bytes[15] === 1) return '::1';
	// An IPv4 address that a dual-stack socket shows in its IPv6 form.
	if (bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255) return bytes.slice(12).join('.');
	const groups: string[] = [];
	for (let i = 0; i < 16; i += 2) groups.push((((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)).toString(16));
	return groups.join(':');
}

/** Which process holds which of the socket inodes. Processes of other users can only be seen by root; they are left out. */
export function ownersOfSockets(proc: string, inodes: ReadonlySet<string>): ReadonlyMap<string, ProcessFacts> {
	const owners = new Map<string, ProcessFacts>();
	for (const entry of readdirSync(proc)) {
		if (!/^[0-9]+$/.test(entry)) continue;
		// A process may end at any moment while we look: then it owns nothing any more.
		const held = tolerant(() => socketsOf(`${proc}/${entry}/fd`).filter((inode) => inodes.has(inode) && !owners.has(inode)), []);
		if (held.length === 0) continue;
		const name = tolerant(() => readFileSync(`${proc}/${entry}/comm`, 'utf8').trim(), '');
		const args = tolerant(() => readFileSync(`${proc}/${entry}/cmdline`, 'utf8').split('\0'), []);
		for (const inode of held) owners.set(inode, { pid: Number(entry), name, arguments: args });
	}
	return owners;
}

function socketsOf(folder: string): string[] {
	const inodes: string[] = [];
	for (const descriptor of readdirSync(folder)) {
		const match = /^socket:\[([0-9]+)\]$/.exec(tolerant(() => readlinkSync(`${folder}/${descriptor}`), ''));
		if (match !== null) inodes.push(match[1] ?? '');
	}
	return inodes;
}

function tolerant<T>(read: () => T, otherwise: T): T {
	try {
		return read();
	} catch (error) {
		if (['ENOENT', 'EACCES', 'EPERM', 'ESRCH'].includes(systemErrorCode(error))) return otherwise;
		throw error;
	}
}
