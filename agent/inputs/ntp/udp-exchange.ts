import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import { AppError } from '../../../core/errors.ts';

export interface UdpExchange<T> {
	/** What is asked, for messages: `the time server 10.0.0.1:123`. */
	readonly what: string;
	readonly host: string;
	readonly port: number;
	readonly timeoutMs: number;
	readonly signal: AbortSignal;
	/** Called right before the packet leaves. */
	readonly packet: () => Uint8Array;
	/** `null`: this datagram is not the answer, go on waiting. Throws what the exchange is to fail with. */
	readonly accept: (bytes: Buffer) => T | null;
}

/** One question and its answer over a connected UDP socket. Throws `FN_AGENT_NTP_TIMEOUT` and `FN_AGENT_NTP_FAILED` (both retryable), and what `accept` throws. */
export function exchangeUdp<T>(exchange: UdpExchange<T>): Promise<T> {
	return new Promise((resolve, reject) => {
		const socket = createSocket(isIP(exchange.host) === 6 ? 'udp6' : 'udp4');
		let settled = false;
		const settle = (act: () => void) => {
			if (settled) return;
			settled = true;
			clearTimeout(timer);
			exchange.signal.removeEventListener('abort', late);
			socket.close();
			act();
		};
		const fail = (cause: unknown) =>
			settle(() => reject(new AppError('FN_AGENT_NTP_FAILED', `${exchange.what} cannot be asked`, { cause, retryable: true })));
		const late = () =>
			settle(() =>
				reject(
					new AppError('FN_AGENT_NTP_TIMEOUT', `${exchange.what} gave no answer within ${exchange.timeoutMs} ms; UDP must be let through`, {
						retryable: true,
					}),
				),
			);
		const timer = setTimeout(late, exchange.timeoutMs);
		exchange.signal.addEventListener('abort', late, { once: true });
		socket.on('error', fail);
		socket.on('message', (bytes) => {
			try {
				const answer = exchange.accept(bytes);
				if (answer !== null) settle(() => resolve(answer));
			} catch (error) {
				settle(() => reject(error));
			}
		});
		socket.on('connect', () => {
			if (settled) return;
			try {
				socket.send(exchange.packet());
			} catch (error) {
				fail(error);
			}
		});
		socket.connect(exchange.port, exchange.host);
	});
}
