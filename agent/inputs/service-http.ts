import { AppError } from '../../core/errors.ts';
import { type HttpRequest, httpExchange } from '../../core/http-client.ts';

/** Reads a status page: the body of a 200. Throws `FN_AGENT_SOURCE_STATUS` for any other status, and what `httpExchange` throws. */
export async function readStatusPage(url: string, request: HttpRequest): Promise<string> {
	const response = await httpExchange(url, request);
	if (response.status === 200) return response.body.toString('utf8');
	const hint =
		response.status === 401 || response.status === 403
			? '; check the account and the addresses that the server lets in'
			: response.status === 404
				? '; check the address'
				: '';
	throw new AppError('FN_AGENT_SOURCE_STATUS', `the source answered ${response.status}${hint}`, {
		status: response.status,
		retryable: true,
	});
}

/** `host:port` of an address, with the scheme's port where none is written. */
export function addressOfUrl(url: string): string {
	const { protocol, hostname, port } = new URL(url);
	return `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
}
