import { connect, type Socket } from 'node:net';
import type { Clock } from '../../../core/clock.ts';
import { systemErrorCode } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import type { Secret } from '../../../core/secret.ts';
import { backoffMs } from '../../delivery/backoff.ts';
import { compactShanghai } from '../../templates/shanghai-time.ts';
import {
	authenticatorIsmg,
	authenticatorSource,
	type CmppVersion,
	COMMAND,
	type Delivered,
	decodeConnectResp,
	decodeDeliver,
	decodePackets,
	decodeSubmitResp,
	encodeConnect,
	encodeDeliverResp,
	encodePacket,
	type Packet,
} from './codec.ts';

export interface SessionOptions {
	readonly host: string;
	readonly port: number;
	readonly version: CmppVersion;
	readonly sourceAddr: string;
	readonly secret: Secret;
	/** Submits that may be unanswered at a time. */
	readonly window: number;
	readonly timeoutMs: number;
	readonly activeTestMs: number;
	readonly clock: Clock;
	readonly log: Logger;
	/** Rejects when it could not be recorded; the gateway then keeps it. */
	readonly onDeliver: (delivered: Delivered) => Promise<void>;
}

/** Why a request has no answer. `sent`: its bytes had left. */
export class CmppFailure extends Error {
	readonly code: string;
	readonly sent: boolean;
	/** No repetition helps: the account is refused. */
	readonly final: boolean;

	constructor(code: string, message: string, options: { readonly sent: boolean; readonly final?: boolean }) {
		super(message);
		this.code = code;
		this.sent = options.sent;
		this.final = options.final ?? false;
	}
}

interface Pending {
	readonly resolve: (packet: Packet) => void;
	readonly reject: (failure: CmppFailure) => void;
}

const ACTIVE_TEST_TRIES = 3;
/** Result of a deliver that we could not record. */
const DELIVER_LATER = 9;

/** One connection to a gateway: bound, kept alive, bound again. Everybody on the line shares it. */
export class CmppSession {
	readonly #options: SessionOptions;
	#socket: Socket | null = null;
	#binding: Promise<void> | null = null;
	#sequence = 1;
	readonly #pending = new Map<number, Pending>();
	readonly #waiting: (() => void)[] = [];
	#inFlight = 0;
	#closed = false;
	#listening: Promise<void> | null = null;
	readonly #stop = new AbortController();

	constructor(options: SessionOptions) {
		this.#options = options;
	}

	/** Stays connected from now on, so that replies come in although nothing is sent. */
	listen(): void {
		this.#listening ??= this.#keepBound();
	}

	async close(): Promise<void> {
		this.#closed = true;
		this.#stop.abort();
		const socket = this.#socket;
		if (socket !== null) {
			await this.#request(COMMAND.terminate, Buffer.alloc(0)).catch(() => {});
			this.#drop(new CmppFailure('closed', 'the connection was closed', { sent: true }));
		}
		await this.#listening;
	}

	/** One SUBMIT; rejects with `CmppFailure`. */
	async submit(body: Buffer): Promise<{ readonly messageId: string; readonly result: number }> {
		await this.#bound();
		while (this.#inFlight >= this.#options.window) await new Promise<void>((resolve) => this.#waiting.push(resolve));
		this.#inFlight++;
		try {
			const answer = await this.#request(COMMAND.submit, body);
			const response = decodeSubmitResp(answer.body);
			if (response === null) throw new CmppFailure('bad-answer', 'the gateway answered a submit with something else', { sent: true });
			return response;
		} finally {
			this.#inFlight--;
			this.#waiting.shift()?.();
		}
	}

	async #keepBound(): Promise<void> {
		const { clock, log, activeTestMs, host, port } = this.#options;
		let failures = 0;
		let silent = 0;
		while (!this.#closed) {
			try {
				await this.#bound();
				failures = 0;
				await clock.sleep(activeTestMs, this.#stop.signal);
				if (this.#closed) return;
				await this.#request(COMMAND.activeTest, Buffer.alloc(0));
				silent = 0;
			} catch (error) {
				if (this.#closed) return;
				if (this.#socket !== null && ++silent < ACTIVE_TEST_TRIES) continue;
				silent = 0;
				this.#drop(new CmppFailure('silent', 'the gateway does not answer', { sent: true }));
				log.warn({ gateway: `${host}:${port}`, error: String(error) }, 'the connection to the message gateway is down');
				await clock.sleep(backoffMs(++failures), this.#stop.signal);
			}
		}
	}

	#bound(): Promise<void> {
		if (this.#closed) return Promise.reject(new CmppFailure('closed', 'the channel is being closed', { sent: false }));
		if (this.#socket !== null && this.#binding === null) return Promise.resolve();
		this.#binding ??= this.#bind().finally(() => {
			this.#binding = null;
		});
		return this.#binding;
	}

	async #bind(): Promise<void> {
		const { version, sourceAddr, secret, clock } = this.#options;
		await this.#open();
		const timestamp = Number(compactShanghai(clock.now()).slice(4));
		const credentials = { sourceAddr, secret: secret.reveal(), timestamp };
		const answer = await this.#request(COMMAND.connect, encodeConnect({ ...credentials, version })).catch((error: unknown) => {
			const code = error instanceof CmppFailure ? error.code : 'error';
			throw new CmppFailure(code, 'the gateway did not answer the log-in', { sent: false });
		});
		const response = decodeConnectResp(answer.body);
		const refuse = (code: string, message: string, final: boolean) => {
			this.#drop(new CmppFailure(code, message, { sent: false, final }));
			throw new CmppFailure(code, message, { sent: false, final });
		};
		if (response === null) return refuse('bad-answer', 'the gateway answered the log-in with something else', false);
		if (response.status !== 0) {
			// 5 is "other", and may pass; the rest is our account, secret or version.
			return refuse(`connect-${response.status}`, `the gateway refused the log-in with status ${response.status}`, response.status !== 5);
		}
		const wanted = authenticatorIsmg(0, authenticatorSource(credentials), secret.reveal(), version);
		if (!wanted.equals(response.authenticator)) {
			return refuse('authenticator', 'whoever answered does not know the shared secret', true);
		}
	}

	#open(): Promise<void> {
		const { host, port, timeoutMs } = this.#options;
		return new Promise((resolve, reject) => {
			const socket = connect({ host, port });
			const timer = setTimeout(() => socket.destroy(new Error('timed out')), timeoutMs);
			let stream: Buffer = Buffer.alloc(0);
			socket.on('connect', () => {
				clearTimeout(timer);
				socket.setNoDelay(true);
				this.#socket = socket;
				resolve();
			});
			socket.on('data', (chunk: Buffer) => {
				const decoded = decodePackets(Buffer.concat([stream, chunk]));
				if (decoded === null) {
					socket.destroy(new Error('the gateway speaks something else'));
					return;
				}
				stream = decoded.rest;
				for (const packet of decoded.packets) this.#take(packet);
			});
			socket.on('error', (error) => {
				clearTimeout(timer);
				reject(new CmppFailure(systemErrorCode(error) || 'error', error.message, { sent: false }));
			});
			socket.on('close', () => {
				clearTimeout(timer);
				reject(new CmppFailure('closed', 'the gateway closed the connection', { sent: false }));
				if (this.#socket === socket) this.#drop(new CmppFailure('closed', 'the gateway closed the connection', { sent: true }));
			});
		});
	}

	#request(command: number, body: Buffer): Promise<Packet> {
		const socket = this.#socket;
		if (socket === null) return Promise.reject(new CmppFailure('closed', 'the connection is down', { sent: false }));
		const sequence = this.#sequence;
		this.#sequence = (this.#sequence % 0xfffffffe) + 1;
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				this.#pending.delete(sequence);
				reject(new CmppFailure('timeout', `no answer within ${this.#options.timeoutMs} ms`, { sent: true }));
			}, this.#options.timeoutMs);
			const settle =
				<T>(act: (value: T) => void) =>
				(value: T) => {
					clearTimeout(timer);
					this.#pending.delete(sequence);
					act(value);
				};
			this.#pending.set(sequence, { resolve: settle(resolve), reject: settle(reject) });
			socket.write(encodePacket({ command, sequence, body }));
		});
	}

	#take(packet: Packet): void {
		const { version, onDeliver, log } = this.#options;
		const answer = (command: number, body: Buffer) => this.#socket?.write(encodePacket({ command, sequence: packet.sequence, body }));
		switch (packet.command) {
			case COMMAND.connectResp:
			case COMMAND.submitResp:
			case COMMAND.activeTestResp:
			case COMMAND.terminateResp:
				this.#pending.get(packet.sequence)?.resolve(packet);
				return;
			case COMMAND.activeTest:
				answer(COMMAND.activeTestResp, Buffer.alloc(1));
				return;
			case COMMAND.terminate:
				answer(COMMAND.terminateResp, Buffer.alloc(0));
				this.#drop(new CmppFailure('terminated', 'the gateway ended the session', { sent: true }));
				return;
			case COMMAND.deliver: {
				const delivered = decodeDeliver(packet.body, version);
				if (delivered === null) {
					answer(COMMAND.deliverResp, encodeDeliverResp(packet.body.subarray(0, 8), 1, version));
					return;
				}
				onDeliver(delivered).then(
					() => answer(COMMAND.deliverResp, encodeDeliverResp(delivered.id, 0, version)),
					(error: unknown) => {
						log.warn({ error: String(error) }, 'what the gateway delivered could not be recorded; it will send it again');
						answer(COMMAND.deliverResp, encodeDeliverResp(delivered.id, DELIVER_LATER, version));
					},
				);
			}
		}
	}

	#drop(failure: CmppFailure): void {
		this.#socket?.destroy();
		this.#socket = null;
		for (const pending of [...this.#pending.values()]) pending.reject(failure);
	}
}
