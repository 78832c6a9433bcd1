import type { FastifyInstance } from 'fastify';
import type { Tracing } from '../../core/tracing.ts';
import type { Ingest } from '../ingest/ingest.ts';

/** `POST /api/v1/write`: the body goes to ingest as the bytes that came, whatever its content type says. */
export function registerWriteRoute(
	app: FastifyInstance,
	options: { readonly ingest: Ingest; readonly maxBodyBytes: number; readonly tracing: Tracing },
): void {
	const { ingest, tracing } = options;
	void app.register(async (scope) => {
		scope.removeAllContentTypeParsers();
		scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: options.maxBodyBytes }, (_request, body, done) => done(null, body));
		scope.post('/api/v1/write', { bodyLimit: options.maxBodyBytes }, async (request, reply) => {
			const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
			const answer = await tracing.span('ingest', { 'http.request.body.size': body.length }, () =>
				ingest.remoteWrite(request.headers['content-type'], request.headers['content-encoding'], body),
			);
			return reply.status(answer.status).headers(answer.headers).send(answer.body);
		});
	});
}
