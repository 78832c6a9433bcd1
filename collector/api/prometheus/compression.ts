import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyReply } from 'fastify';

const compress = promisify(gzip);

/** What fits into a packet is not worth the work. */
const FROM_BYTES = 1400;
/** The fastest: JSON of samples shrinks to a fifth anyhow, and whoever asks waits for it. */
const LEVEL = 1;

/** Sends a body, with gzip when the client takes it; that is done outside of this thread. */
export async function sendCompressed(reply: FastifyReply, type: string, body: Buffer): Promise<FastifyReply> {
	reply.status(200).type(type).header('vary', 'accept-encoding');
	if (body.length < FROM_BYTES || !takesGzip(reply.request.headers['accept-encoding'])) return reply.send(body);
	return reply.header('content-encoding', 'gzip').send(await compress(body, { level: LEVEL }));
}

/** `Accept-Encoding` of RFC 9110, 12.5.3: gzip by name or by `*`, unless its weight is 0. */
export function takesGzip(header: string | string[] | undefined): boolean {
	let star = false;
	for (const part of String(header ?? '').split(',')) {
		const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
		if (name !== 'gzip' && name !== 'x-gzip' && name !== '*') continue;
		const weight = parameters.find((parameter) => parameter.startsWith('q='));
		const taken = weight === undefined || Number(weight.slice(2)) > 0;
		if (name !== '*') return taken;
		star = taken;
	}
	return star;
}
