import { createHash, createHmac } from 'node:crypto';

/** Tencent Cloud's TC3-HMAC-SHA256 (cloud.tencent.com/document/api/213/30654). `headers` are those that are signed, in lower case. */
export function tencentAuthorization(
	request: {
		readonly service: string;
		readonly timestamp: number;
		readonly headers: Readonly<Record<string, string>>;
		readonly payload: string;
	},
	key: { readonly id: string; readonly secret: string },
): string {
	const names = Object.keys(request.headers).sort();
	const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
	const hmac = (secret: string | Buffer, text: string) => createHmac('sha256', secret).update(text).digest();
	const canonical = [
		'POST',
		'/',
		'',
		...names.map((name) => `${name}:${(request.headers[name] ?? '').trim().toLowerCase()}`),
		'',
		names.join(';'),
		sha256(request.payload),
	].join('\n');
	const date = new Date(request.timestamp * 1000).toISOString().slice(0, 10);
	const scope = `${date}/${request.service}/tc3_request`;
	const toSign = ['TC3-HMAC-SHA256', String(request.timestamp), scope, sha256(canonical)].join('\n');
	const signingKey = hmac(hmac(hmac(`TC3${key.secret}`, date), request.service), 'tc3_request');
	const signature = hmac(signingKey, toSign).toString('hex');
	return `TC3-HMAC-SHA256 Credential=${key.id}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
}
