import type { FastifyRequest } from 'fastify';
import { AppError } from '../../core/errors.ts';
import type { Accounts, UserIdentity } from '../identity/accounts.ts';
import { may } from '../identity/rights.ts';
import type { MachineIdentity, TokenStore } from '../identity/tokens.ts';
import { accessOf } from './access.ts';

export const SESSION_COOKIE = 'fournines_session';

export type Caller =
	| { readonly kind: 'person'; readonly user: UserIdentity }
	| { readonly kind: 'machine'; readonly machine: MachineIdentity }
	| { readonly kind: 'nobody' };

export interface GuardOptions {
	readonly accounts: Accounts;
	readonly tokens: TokenStore;
	/** Reads of the Prometheus API without a token, for `fournines up` on loopback only. */
	readonly openReads: boolean;
	/** Host, with the port where it is not the usual one, under which people reach the collector through a proxy. */
	readonly externalHost?: string;
}

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** Lets a request through or throws `FN_AUTH_REQUIRED` (401), `FN_AUTH_FORBIDDEN` (403), `FN_AUTH_CROSS_SITE` (403). */
export async function guard(request: FastifyRequest, options: GuardOptions): Promise<Caller> {
	// What matches no route is answered with 404, whoever asks.
	if (request.is404) return { kind: 'nobody' };
	const route = request.routeOptions.url ?? request.url;
	const access = accessOf(request.method, route);
	if (access.kind === 'open') return { kind: 'nobody' };
	const caller = await identify(request, options);
	if (caller.kind === 'person') {
		if (!SAFE_METHODS.includes(request.method)) assertSameSite(request, options.externalHost);
		if (access.right !== null && may(caller.user.role, access.right)) return caller;
		throw new AppError('FN_AUTH_FORBIDDEN', `the account "${caller.user.account}" (${caller.user.role}) may not do this`, { status: 403 });
	}
	if (caller.kind === 'machine') {
		if (access.scopes.includes(caller.machine.scope)) return caller;
		throw new AppError(
			'FN_AUTH_FORBIDDEN',
			`the token "${caller.machine.name}" has the scope "${caller.machine.scope}", which does not allow this`,
			{ status: 403 },
		);
	}
	if (options.openReads && access.right === 'read' && isPrometheusRead(route) && isDirectLoopback(request)) return caller;
	throw new AppError('FN_AUTH_REQUIRED', 'log in, or send a token: "Authorization: Bearer …", or HTTP Basic with the token as password', {
		status: 401,
	});
}

async function identify(request: FastifyRequest, { accounts, tokens }: GuardOptions): Promise<Caller> {
	const token = tokenOf(request.headers.authorization);
	if (token !== null) {
		const machine = await tokens.verify(token);
		if (machine === null) throw new AppError('FN_AUTH_REQUIRED', 'the token is unknown or was revoked', { status: 401 });
		return { kind: 'machine', machine };
	}
	const cookie = request.cookies[SESSION_COOKIE];
	const user = cookie === undefined ? null : await accounts.session(cookie);
	return user === null ? { kind: 'nobody' } : { kind: 'person', user };
}

/** From `Bearer TOKEN`, or from `Basic` with the token as password (promtool and amtool know only user-info in the address). */
export function tokenOf(header: string | undefined): string | null {
	if (header === undefined) return null;
	const [scheme = '', value = ''] = header.split(' ', 2);
	if (scheme.toLowerCase() === 'bearer') return value;
	if (scheme.toLowerCase() !== 'basic') return null;
	const text = Buffer.from(value, 'base64').toString('utf8');
	const colon = text.indexOf(':');
	return colon < 0 ? null : text.slice(colon + 1);
}

/** A form on another site can make a browser send our cookie in old browsers; its Origin gives it away. */
function assertSameSite(request: FastifyRequest, externalHost = ''): void {
	const { origin } = request.headers;
	if (origin === undefined) return;
	let host = '';
	try {
		host = new URL(origin).host;
	} catch {
		// "null" and other opaque origins are foreign.
	}
	// Many a proxy puts its own name for the collector into Host.
	if (host !== request.headers.host && (host === '' || host !== externalHost))
		throw new AppError('FN_AUTH_CROSS_SITE', `a page of ${origin.slice(0, 100)} may not do this with your session`, { status: 403 });
}

function isPrometheusRead(route: string): boolean {
	return route.startsWith('/api/v1/') || route === '/metrics' || route === '/federate';
}

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/** Not only the peer must be local: a reverse proxy on this machine, or a page that had its name re-bound, is not. */
function isDirectLoopback(request: FastifyRequest): boolean {
	if (!/^(127\.|::1$|::ffff:127\.)/.test(request.socket.remoteAddress ?? '')) return false;
	if (!LOOPBACK_HOST.test(request.headers.host ?? '')) return false;
	return !Object.keys(request.headers).some((name) => name === 'forwarded' || name.startsWith('x-forwarded-'));
}
