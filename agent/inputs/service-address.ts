import { AppError } from '../../core/errors.ts';

export type ServiceAddress =
	| { readonly kind: 'tcp'; readonly host: string; readonly port: number }
	| { readonly kind: 'socket'; readonly path: string };

/** `host:port`, `[v6]:port`, `host`, or the absolute path of a socket. Throws `FN_AGENT_ADDRESS_INVALID`. */
export function parseServiceAddress(text: string, defaultPort: number): ServiceAddress {
	if (text.startsWith('/')) return { kind: 'socket', path: text };
	const match = /^(?:\[([^\]]+)\]|([^:]+))(?::([0-9]{1,5}))?$/.exec(text);
	const host = match?.[1] ?? match?.[2];
	const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
	if (host === undefined || port < 1 || port > 65535) {
		throw new AppError('FN_AGENT_ADDRESS_INVALID', `"${text}" is not an address; write host:port, [v6]:port or the path of a socket`);
	}
	return { kind: 'tcp', host, port };
}

/** The address as the label `instance` shows it: with the port also where it was left out. */
export function serviceInstance(text: string, defaultPort: number): string {
	const address = parseServiceAddress(text, defaultPort);
	if (address.kind === 'socket') return address.path;
	return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
