/** A mail as its reader sees it. */
export interface ReadMail {
	/** By name in small letters, decoded. */
	readonly headers: Readonly<Record<string, string>>;
	readonly text: string;
	readonly html: string;
}

/** Reads a mail (RFC 5322, 2045, 2047) whose parts are text, in UTF-8. */
export function readMail(data: string): ReadMail {
	const { headers, body } = split(data);
	const found = { text: '', html: '' };
	collect(headers, body, found);
	return { headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, words(value)])), ...found };
}

function split(data: string): { readonly headers: Readonly<Record<string, string>>; readonly body: string } {
	const end = data.indexOf('\r\n\r\n');
	const head = data.slice(0, end === -1 ? undefined : end).replace(/\r\n[ \t]+/g, ' ');
	const lines = head
		.split('\r\n')
		.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]);
	return { headers: Object.fromEntries(lines) as Record<string, string>, body: end === -1 ? '' : data.slice(end + 4) };
}

function collect(headers: Readonly<Record<string, string>>, body: string, found: { text: string; html: string }): void {
	const type = headers['content-type'] ?? 'text/plain';
	const boundary = /boundary="?([^";]+)/.exec(type)?.[1];
	if (boundary !== undefined) {
		const parts = body.split(`--${boundary}`).slice(1, -1);
		for (const part of parts.map((text) => split(text.replace(/^\r\n/, '')))) collect(part.headers, part.body, found);
		return;
	}
	const text = decoded(body, headers['content-transfer-encoding'] ?? '').replaceAll('\r\n', '\n');
	if (type.startsWith('text/html')) found.html = text;
	else found.text = text;
}

function decoded(body: string, encoding: string): string {
	if (encoding.toLowerCase() === 'base64') return Buffer.from(body, 'base64').toString('utf8');
	if (encoding.toLowerCase() !== 'quoted-printable') return Buffer.from(body, 'latin1').toString('utf8');
	return quoted(body.replace(/=\r\n/g, ''));
}

function quoted(text: string): string {
	const bytes = text.replace(/=([0-9A-F]{2})/gi, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
	return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Encoded words; the space between two of them is none. */
function words(value: string): string {
	return value.replace(/\?=\s+=\?/g, '?==?').replace(/(?:=\?utf-8\?[bq]\?[^?]*\?=)+/gi, (run) => {
		const bytes = [...run.matchAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi)].map(([, kind = '', text = '']) =>
			kind.toLowerCase() === 'b'
				? Buffer.from(text, 'base64')
				: Buffer.from(
						text.replaceAll('_', ' ').replace(/=([0-9A-F]{2})/gi, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
						'latin1',
					),
		);
		return Buffer.concat(bytes).toString('utf8');
	});
}
