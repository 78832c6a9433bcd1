import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import type { Tracing } from '../../core/tracing.ts';
import type { Ingest, IngestAnswer } from '../ingest/ingest.ts';
import type { OtlpIngest } from '../ingest/otlp-ingest.ts';
import type { TextIngest } from '../ingest/text-ingest.ts';

export interface WriteRouteOptions {
	readonly ingest: Ingest;
	readonly text: TextIngest;
	readonly otlp: OtlpIngest;
	readonly maxBodyBytes: number;
	readonly tracing: Tracing;
}

const QuerySchema = Type.Object(
	{
		timestamp: Type.Optional(Type.String({ maxLength: 20 })),
		job: Type.Optional(Type.String({ maxLength: 1024 })),
		instance: Type.Optional(Type.String({ maxLength: 1024 })),
	},
	{ additionalProperties: false },
);
type Query = Static<typeof QuerySchema>;

interface Headers {
	readonly type: string | undefined;
	readonly encoding: string | undefined;
}

type Take = (body: Buffer, headers: Headers, query: Query) => Promise<Omit<IngestAnswer, 'body'> & { readonly body: string | Uint8Array }>;

/** The ways in for samples. Bodies go to ingest as the bytes that came, whatever their content type says. */
export function registerWriteRoutes(app: FastifyInstance, { ingest, text, otlp, maxBodyBytes, tracing }: WriteRouteOptions): void {
	const routes: readonly { readonly path: string; readonly query?: typeof QuerySchema; readonly take: Take }[] = [
		{ path: '/api/v1/write', take: (body, { type, encoding }) => ingest.remoteWrite(type, encoding, body) },
		{
			path: '/api/v1/import/prometheus',
			query: QuerySchema,
			take: (body, { type, encoding }, query) => text.importText(type, encoding, body, query),
		},
		{ path: '/v1/metrics', take: (body, { type, encoding }) => otlp.metrics(type, encoding, body) },
	];
	void app.register(async (scope) => {
		scope.removeAllContentTypeParsers();
		scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: maxBodyBytes }, (_request, body, done) => done(null, body));
		for (const { path, query, take } of routes) {
			const schema = query === undefined ? {} : { querystring: query };
			scope.post<{ Querystring: Query }>(path, { bodyLimit: maxBodyBytes, schema }, async (request, reply) => {
				const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
				const headers = { type: request.headers['content-type'], encoding: request.headers['content-encoding'] };
				const answer = await tracing.span('ingest', { 'http.route': path, 'http.request.body.size': body.length }, () =>
					take(body, headers, request.query),
				);
				return reply
					.status(answer.status)
					.headers(answer.headers)
					.send(typeof answer.body === 'string' ? answer.body : Buffer.from(answer.body));
			});
		}
	});
}
