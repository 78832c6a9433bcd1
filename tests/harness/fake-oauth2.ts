import { type FakeServer, type FaultQueue, faultQueue, startFakeServer } from './fake-server.ts';

/** A question for a token, as it came. */
export interface AskedToken {
	readonly contentType: string;
	/** `user:password` of the header, as it was encoded; `null` without one. */
	readonly basic: string | null;
	/** The body's parameters, as they were encoded. */
	readonly body: string;
}

export interface FakeOAuth2 {
	readonly tokenUrl: string;
	/** A service that wants a token, answers `{}`, and repeats in a refusal what it was sent. */
	readonly hookUrl: string;
	readonly asked: readonly AskedToken[];
	/** Bodies that the hook took, and those that it was sent. */
	readonly taken: readonly string[];
	readonly sent: () => number;
	/** The token service answers the next questions with this status, and repeats the header that it was sent. */
	readonly fail: FaultQueue<number>['fail'];
	/** No token that was given is taken any more; with `forGood`, none that will be given either. */
	revoke(forGood?: boolean): void;
	stop(): Promise<void>;
}

export interface FakeOAuth2Options {
	readonly clientId: string;
	readonly clientSecret: string;
	/** Scopes that this client may ask for. */
	readonly scopes?: readonly string[];
	/** Parameters beside those of RFC 6749 that it demands. */
	readonly parameters?: Readonly<Record<string, string>>;
	/** Where the client may name itself; both unless given. */
	readonly takes?: 'header' | 'parameters';
	readonly lifeS?: number | string | null;
	readonly tokenType?: string;
	/** Of the answer with a token. */
	readonly form?: boolean;
	/** Before a token is given. */
	readonly delayMs?: number;
}

/** A service that gives tokens by client credentials (RFC 6749 §4.4) and refuses as §5.2 says, with one that takes them. */
export async function startFakeOAuth2(options: FakeOAuth2Options): Promise<FakeOAuth2> {
	const { takes, parameters = {}, scopes = [], lifeS = 3600, tokenType = 'bearer' } = options;
	const asked: AskedToken[] = [];
	const taken: string[] = [];
	const faults = faultQueue<number>();
	let sent = 0;
	let valid = new Set<string>();
	let open = true;
	const judge = ({ contentType, basic, body }: AskedToken): readonly [status: number, error: string] => {
		const form = new URLSearchParams(body);
		const [user = '', password = ''] = (basic ?? '').split(':').map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
		const named =
			takes !== 'parameters' && basic !== null
				? [user, password]
				: takes === 'header'
					? []
					: [form.get('client_id'), form.get('client_secret')];
		if (contentType !== 'application/x-www-form-urlencoded') return [400, 'invalid_request'];
		if (basic !== null && form.has('client_secret')) return [400, 'invalid_request'];
		if (named[0] !== options.clientId || named[1] !== options.clientSecret) return [401, 'invalid_client'];
		if (form.get('grant_type') !== 'client_credentials') return [400, 'unsupported_grant_type'];
		const wanted = form.get('scope')?.split(' ') ?? [];
		if (wanted.some((scope) => !scopes.includes(scope))) return [400, 'invalid_scope'];
		const missing = Object.entries(parameters).some(([name, value]) => form.get(name) !== value);
		return missing ? [400, 'invalid_request'] : [200, ''];
	};
	const server: FakeServer = await startFakeServer({
		handle: async ({ method, url, headers, body }, exchange) => {
			if (url.pathname === '/hook') {
				sent++;
				const [type = '', token = ''] = (headers['authorization'] ?? '').split(' ');
				if (type !== (tokenType === 'bearer' ? 'Bearer' : tokenType) || !open || !valid.has(token)) {
					return exchange.answer(401, `not taken: ${headers['authorization']}`, { 'www-authenticate': 'Bearer error="invalid_token"' });
				}
				taken.push(body.toString('utf8'));
				return exchange.json({});
			}
			if (method !== 'POST' || url.pathname !== '/token') return exchange.answer(405, '');
			const authorization = /^Basic (.+)$/.exec(headers['authorization'] ?? '')?.[1];
			const question: AskedToken = {
				contentType: headers['content-type'] ?? '',
				basic: authorization === undefined ? null : Buffer.from(authorization, 'base64').toString('utf8'),
				body: body.toString('utf8'),
			};
			asked.push(question);
			if (options.delayMs !== undefined) await exchange.sleep(options.delayMs);
			const fault = faults.next();
			if (fault !== undefined) return exchange.answer(fault, `not now: ${headers['authorization']}`, { 'retry-after': '7' });
			const [status, error] = judge(question);
			if (status !== 200) {
				return exchange.answer(status, JSON.stringify({ error, error_description: `of ${body.toString('utf8')}` }), {
					'content-type': 'application/json',
				});
			}
			const token = `token-${asked.length}-of-the-service`;
			valid.add(token);
			const answer = { access_token: token, token_type: tokenType, ...(lifeS === null ? {} : { expires_in: lifeS }) };
			if (options.form !== true) return exchange.json(answer);
			const form = new URLSearchParams(Object.entries(answer).map(([name, value]): [string, string] => [name, String(value)]));
			exchange.answer(200, form.toString(), { 'content-type': 'application/x-www-form-urlencoded' });
		},
	});
	return {
		tokenUrl: `${server.baseUrl}/token`,
		hookUrl: `${server.baseUrl}/hook`,
		asked,
		taken,
		sent: () => sent,
		fail: faults.fail,
		revoke: (forGood = false) => {
			valid = new Set();
			open = !forGood;
		},
		stop: server.stop,
	};
}
