import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, errorText } from '../core/errors.ts';
import { type HttpResponse, httpExchange } from '../core/http-client.ts';

/** Where a running collector is and how to prove who we are. */
export interface CollectorAccess {
	readonly url: string;
	readonly token: string | null;
}

/**
 * From the options that commands share: `--url` (default http://127.0.0.1:9999) and `--token-file` (default: the token of the scope, by
 * default `read`, that the collector left in `<data>/keys`, if it can be read).
 */
export function collectorAccess(options: {
	readonly url?: string | undefined;
	readonly tokenFile?: string | undefined;
	readonly data?: string | undefined;
	readonly scope?: 'read' | 'enrol';
}): CollectorAccess {
	const file = options.tokenFile ?? join(options.data ?? 'data', 'keys', `local-${options.scope ?? 'read'}.token`);
	if (options.tokenFile !== undefined && !existsSync(file))
		throw new AppError('FN_CLI_TOKEN', `the token file ${file} does not exist; name the right one with --token-file`);
	let token: string | null = null;
	try {
		token = readFileSync(file, 'utf8').trim();
	} catch {
		// Without a token a collector in loopback mode still answers.
	}
	return { url: (options.url ?? 'http://127.0.0.1:9999').replace(/\/+$/, ''), token };
}

/** A call that must succeed, a POST when there is a body; throws `FN_CLI_COLLECTOR` with the collector's own words otherwise. */
export async function callCollector(access: CollectorAccess, path: string, body?: unknown): Promise<HttpResponse> {
	let response: HttpResponse;
	try {
		response = await httpExchange(access.url + path, {
			timeoutMs: 130_000,
			maxBodyBytes: 512 * 1024 * 1024,
			...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
			headers: {
				...(body === undefined ? {} : { 'content-type': 'application/json' }),
				...(access.token === null ? {} : { authorization: `Bearer ${access.token}` }),
			},
		});
	} catch (error) {
		throw new AppError(
			'FN_CLI_COLLECTOR',
			`no collector answers at ${access.url} (${errorText(error)}); start one with "npm start", or name its address with --url`,
			{ cause: error },
		);
	}
	if (response.status < 300) return response;
	throw new AppError('FN_CLI_COLLECTOR', `the collector at ${access.url} answered ${response.status}: ${reasonOf(response.body)}`);
}

function reasonOf(body: Buffer): string {
	const text = body.toString('utf8');
	try {
		const { error } = JSON.parse(text) as { error?: string | { message?: string } };
		return typeof error === 'string' ? error : (error?.message ?? text.slice(0, 300));
	} catch {
		return text.slice(0, 300);
	}
}
