import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';

const closed = { additionalProperties: false } as const;
const Id = Type.String({ minLength: 1, maxLength: 64 });
const Params = Type.Object({ id: Id }, closed);
const FileParams = Type.Object({ id: Id, attachment: Type.String({ pattern: '^[1-9]\\d{0,3}$' }) }, closed);
const NameQuery = Type.Object({ name: Type.String({ minLength: 1, maxLength: 200 }) }, closed);
const LARGEST_FILE_BYTES = 1024 * 1024 * 1024;

/** Files of faults, problems and changes: one is posted as its bytes, and answered as a download. */
export async function registerAttachmentRoutes(
	app: FastifyInstance,
	options: {
		readonly base: string;
		readonly tag: string;
		/** Singular, for summaries. */
		readonly name: string;
		readonly maxFileBytes: number;
		readonly attach: (request: FastifyRequest, id: string, name: string, bytes: Buffer) => Promise<object>;
		readonly attachment: (id: string, attachment: string) => Promise<{ readonly name: string; readonly bytes: Buffer }>;
	},
): Promise<void> {
	const { base, name } = options;
	const tags = [options.tag];
	app.get<{ Params: { id: string; attachment: string } }>(
		`${base}/:id/attachments/:attachment`,
		{ schema: { tags, summary: `A file of a ${name}`, params: FileParams } },
		async (request, reply) => {
			const file = await options.attachment(request.params.id, request.params.attachment);
			// Never shown by the browser itself: a file that somebody attached must not run in our origin.
			return reply
				.type('application/octet-stream')
				.header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`)
				.header('x-content-type-options', 'nosniff')
				.send(file.bytes);
		},
	);
	await app.register(async (scope) => {
		const bodyLimit = Math.min(options.maxFileBytes, LARGEST_FILE_BYTES);
		scope.removeAllContentTypeParsers();
		scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, done) => done(null, body));
		scope.post<{ Params: { id: string }; Querystring: { name: string } }>(
			`${base}/:id/attachments`,
			{ bodyLimit, schema: { tags, summary: `Attach a file to a ${name}`, params: Params, querystring: NameQuery } },
			async (request, reply) => {
				const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
				return reply.status(201).send(await options.attach(request, request.params.id, request.query.name, bytes));
			},
		);
	});
}
