import { createHash, createHmac } from 'node:crypto';

/**
 * Aliyun's signature version 3, ACS3-HMAC-SHA256 (help.aliyun.com, 请求体和签名机制 V3). `headers` are those that are signed, in
 * lower case: host, every x-acs-*, and content-type where there is a body. Answers the value of the header Authorization.
 */
export function aliyunAuthorization(
	request: {
		readonly method: string;
		readonly path: string;
		readonly query: Readonly<Record<string, string>>;
		readonly headers: Readonly<Record<string, string>>;
		readonly payloadSha256: string;
	},
	key: { readonly id: string; readonly secret: string },
): string {
	const names = Object.keys(request.headers).sort();
	const canonical = [
		request.method,
		request.path,
		canonicalQuery(request.query),
		...names.map((name) => `${name}:${(request.headers[name] ?? '').trim()}`),
		'',
		names.join(';'),
		request.payloadSha256,
	].join('\n');
	const toSign = `ACS3-HMAC-SHA256\n${createHash('sha256').update(canonical).digest('hex')}`;
	const signature = createHmac('sha256', key.secret).update(toSign).digest('hex');
	return `ACS3-HMAC-SHA256 Credential=${key.id},SignedHeaders=${names.join(';')},Signature=${signature}`;
}

/** Sorted and percent-encoded by RFC 3986. */
export function canonicalQuery(query: Readonly<Record<string, string>>): string {
	return Object.keys(query)
		.sort()
		.map((name) => `${encode(name)}=${encode(query[name] ?? '')}`)
		.join('&');
}

function encode(text: string): string {
	return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
