interface Cookie {
	readonly name: string;
	readonly value: string;
	readonly domain: string;
	readonly hostOnly: boolean;
	readonly path: string;
	readonly secure: boolean;
}

/** What a browser keeps for one visit; a server that sets more is not logged in to any better. */
const MOST_COOKIES = 100;
const MOST_BYTES = 8 * 1024;

/** The cookies of one run of a journey (RFC 6265, without persistence: a run begins with an empty jar). */
export class CookieJar {
	readonly #cookies = new Map<string, Cookie>();

	/** Takes the `Set-Cookie` lines of an answer of `url`. */
	take(lines: readonly string[], url: URL, nowMs: number): void {
		for (const line of lines) {
			const [pair = '', ...attributes] = line.split(';');
			const equals = pair.indexOf('=');
			if (equals < 1 || line.length > MOST_BYTES) continue;
			const given = new Map(
				attributes.map((attribute) => {
					const at = attribute.indexOf('=');
					return at < 0
						? [attribute.trim().toLowerCase(), '']
						: [attribute.slice(0, at).trim().toLowerCase(), attribute.slice(at + 1).trim()];
				}),
			);
			const host = url.hostname.toLowerCase();
			const domain = (given.get('domain') ?? '').replace(/^\./, '').toLowerCase();
			// A cookie for somebody else's domain is refused, as a browser does.
			if (domain !== '' && host !== domain && !host.endsWith(`.${domain}`)) continue;
			const path = given.get('path')?.startsWith('/') ? (given.get('path') as string) : defaultPath(url.pathname);
			const cookie: Cookie = {
				name: pair.slice(0, equals).trim(),
				value: pair.slice(equals + 1).trim(),
				domain: domain === '' ? host : domain,
				hostOnly: domain === '',
				path,
				secure: given.has('secure'),
			};
			const key = `${cookie.domain};${cookie.path};${cookie.name}`;
			const maxAge = given.get('max-age');
			const expires = Date.parse(given.get('expires') ?? '');
			const over = maxAge !== undefined && /^-?[0-9]+$/.test(maxAge) ? Number(maxAge) <= 0 : expires <= nowMs;
			if (over) this.#cookies.delete(key);
			else if (this.#cookies.has(key) || this.#cookies.size < MOST_COOKIES) this.#cookies.set(key, cookie);
		}
	}

	/** The header `cookie` of a request, `''` for none. */
	header(url: URL): string {
		const host = url.hostname.toLowerCase();
		return [...this.#cookies.values()]
			.filter(
				({ domain, hostOnly, path, secure }) =>
					(host === domain || (!hostOnly && host.endsWith(`.${domain}`))) &&
					(url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`)) &&
					(!secure || url.protocol === 'https:'),
			)
			.sort((a, b) => b.path.length - a.path.length)
			.map(({ name, value }) => `${name}=${value}`)
			.join('; ');
	}
}

function defaultPath(pathname: string): string {
	const slash = pathname.lastIndexOf('/');
	return slash <= 0 ? '/' : pathname.slice(0, slash);
}
