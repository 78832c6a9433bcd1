import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { faultQueue } from './fake-server.ts';

export interface ReceivedMail {
	readonly from: string;
	readonly to: readonly string[];
	/** Whom the sender acts for (authzid); `''` for itself. */
	readonly identity: string;
	/** Headers and body as they came, dots unstuffed. */
	readonly data: string;
}

export interface FakeSmtp {
	readonly smarthost: string;
	readonly mails: readonly ReceivedMail[];
	/** The next mails get this answer after DATA, `drop` takes the mail and breaks the connection before answering. */
	fail(answer: string | 'drop', times?: number): void;
	stop(): Promise<void>;
}

/** A mail server (RFC 5321) with AUTH PLAIN that refuses wrong passwords, unknown recipients, and DATA before a recipient. */
export async function startFakeSmtp(options: {
	readonly user: string;
	readonly password: string;
	readonly recipients: readonly string[];
	/** For whom the user may act beside itself. */
	readonly identity?: string;
}): Promise<FakeSmtp> {
	const mails: ReceivedMail[] = [];
	const faults = faultQueue<string>();
	const sockets = new Set<Socket>();
	const server = createServer((socket) => {
		sockets.add(socket);
		socket.on('close', () => sockets.delete(socket));
		socket.on('error', () => {});
		let buffer = '';
		let authorised = false;
		let actsFor = '';
		let inData = false;
		let from = '';
		let to: string[] = [];
		const say = (line: string) => socket.write(`${line}\r\n`);
		const command = (line: string) => {
			const verb = line.toUpperCase();
			if (verb.startsWith('EHLO')) return socket.write('250-fake\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n');
			if (verb.startsWith('AUTH PLAIN')) {
				const [identity = '', user, password] = Buffer.from(line.slice(11), 'base64').toString('utf8').split('\0');
				authorised = user === options.user && password === options.password && ['', options.identity].includes(identity);
				actsFor = identity;
				return say(authorised ? '235 2.7.0 ok' : '535 5.7.8 authentication failed');
			}
			if (verb.startsWith('QUIT')) return socket.end('221 bye\r\n');
			if (!authorised) return say('530 5.7.0 authentication required');
			if (verb.startsWith('MAIL FROM:')) {
				from = /<(.*?)>/.exec(line)?.[1] ?? '';
				to = [];
				return say('250 ok');
			}
			if (verb.startsWith('RCPT TO:')) {
				const address = /<(.*?)>/.exec(line)?.[1] ?? '';
				if (!options.recipients.includes(address)) return say('550 5.1.1 no such user');
				to.push(address);
				return say('250 ok');
			}
			if (verb.startsWith('DATA')) {
				if (to.length === 0) return say('503 5.5.1 no recipient');
				inData = true;
				return say('354 go on');
			}
			return say('502 5.5.2 unknown');
		};
		say('220 fake');
		socket.on('data', (chunk: Buffer) => {
			buffer += chunk.toString('latin1');
			for (;;) {
				const end = inData ? buffer.indexOf('\r\n.\r\n') : buffer.indexOf('\r\n');
				if (end === -1) return;
				const text = buffer.slice(0, end);
				buffer = buffer.slice(end + (inData ? 5 : 2));
				if (!inData) {
					command(text);
					continue;
				}
				inData = false;
				const fault = faults.next();
				if (fault === undefined || fault === 'drop') mails.push({ from, to, identity: actsFor, data: text.replace(/\r\n\.\./g, '\r\n.') });
				if (fault === 'drop') socket.destroy();
				else say(fault ?? '250 2.0.0 queued');
			}
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		smarthost: `127.0.0.1:${(server.address() as AddressInfo).port}`,
		mails,
		fail: faults.fail,
		stop: () =>
			new Promise((resolve) => {
				for (const socket of sockets) socket.destroy();
				server.close(() => resolve());
			}),
	};
}
