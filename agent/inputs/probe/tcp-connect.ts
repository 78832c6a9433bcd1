import { connect, type Socket } from 'node:net';
import type { Deadline } from './deadline.ts';
import { toFailure } from './failure.ts';
import type { ResolvedAddress } from './resolve.ts';

export function connectTcp(address: ResolvedAddress, port: number, deadline: Deadline): Promise<Socket> {
	deadline.phase('connecting');
	const socket = connect({ host: address.ip, port, family: address.family });
	return waitConnected(socket, deadline);
}

export function connectPath(path: string, deadline: Deadline): Promise<Socket> {
	deadline.phase('connecting');
	return waitConnected(connect(path), deadline);
}

function waitConnected(socket: Socket, deadline: Deadline): Promise<Socket> {
	return deadline.race<Socket>(
		(resolve, reject) => {
			socket.once('connect', () => {
				socket.setNoDelay(true);
				resolve(socket);
			});
			// Stays for the life of the socket: a late error without a listener would end the process.
			socket.on('error', (error) => reject(toFailure(error, 'connect_failed')));
		},
		() => socket.destroy(),
	);
}
