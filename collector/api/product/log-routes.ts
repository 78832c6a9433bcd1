import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { AppError } from '../../../core/errors.ts';
import type { LogBatch } from '../../../protocol/log-record.ts';
import type { AuditArchive } from '../../audit/archive.ts';

const unzip = promisify(gunzip);

const BODY_BYTES = 8 * 1024 * 1024;
const UNZIPPED_BYTES = 32 * 1024 * 1024;

const Short = Type.String({ maxLength: 1024 });
const TimeMs = Type.Integer({ minimum: 0, maximum: 8.64e15 });
const BatchSchema = Type.Object(
	{
		stream: Type.String({ minLength: 1, maxLength: 256 }),
		firstSeq: Type.Integer({ minimum: 0 }),
		records: Type.Array(
			Type.Object(
				{
					v: Type.Literal(1),
					stream: Type.String({ minLength: 1, maxLength: 256 }),
					seq: Type.Integer({ minimum: 0 }),
					eventTimeMs: TimeMs,
					receiveTimeMs: TimeMs,
					host: Short,
					system: Short,
					source: Short,
					kind: Short,
					actor: Short,
					action: Short,
					object: Type.String({ maxLength: 16_384 }),
					result: Type.Union([Type.Literal('success'), Type.Literal('failure'), Type.Literal('unknown')]),
					srcAddr: Short,
					srcMac: Short,
					module: Short,
					severity: Short,
					raw: Type.String({ maxLength: 1_048_576 }),
					fields: Type.Record(Type.String({ maxLength: 256 }), Type.String({ maxLength: 65_536 })),
				},
				{ additionalProperties: false },
			),
			{ maxItems: 10_000 },
		),
	},
	{ additionalProperties: false },
);
const validator = Compile(BatchSchema);

/** `POST /api/fournines/v1/logs`: a `LogBatch`, plain or gzip. Answers `LogBatchAnswer`, also with 409 when records are missing in between. */
export async function registerLogRoutes(app: FastifyInstance, archive: AuditArchive): Promise<void> {
	await app.register(async (scope) => {
		scope.removeAllContentTypeParsers();
		scope.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit: BODY_BYTES }, (_request, body, done) =>
			done(null, body),
		);
		scope.post(
			'/api/fournines/v1/logs',
			{ bodyLimit: BODY_BYTES, schema: { tags: ['audit'], summary: 'Deliver log records' } },
			async (request, reply) => {
				const batch = await readBatch(request.body as Buffer, request.headers['content-encoding']);
				try {
					return archive.append(batch);
				} catch (error) {
					if (!(error instanceof AppError) || error.code !== 'FN_AUDIT_GAP') throw error;
					const answer = { stream: batch.stream, nextSeq: archive.nextSeq(batch.stream) };
					return reply.status(409).send({ ...answer, error: { code: error.code, message: error.message } });
				}
			},
		);
	});
}

async function readBatch(body: Buffer, encoding: string | undefined): Promise<LogBatch> {
	const bad = (message: string, status = 400) => new AppError('FN_AUDIT_BATCH', message, { status });
	let bytes: Buffer = body;
	if (encoding === 'gzip') {
		try {
			bytes = await unzip(body, { maxOutputLength: UNZIPPED_BYTES });
		} catch {
			throw bad(`the body is not gzip, or unpacks to more than ${UNZIPPED_BYTES} bytes`);
		}
	} else if (encoding !== undefined && encoding !== 'identity')
		throw bad(`the content encoding "${encoding.slice(0, 40)}" is not known; use gzip or none`, 415);
	let parsed: unknown;
	try {
		parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
	} catch {
		throw bad('the body is not JSON in UTF-8');
	}
	if (!validator.Check(parsed)) {
		const [first] = validator.Errors(parsed);
		throw bad(`the batch is not well-formed at ${first?.instancePath || 'its top'}: ${first?.message ?? 'not valid'}`);
	}
	parsed.records.forEach((record, i) => {
		if (record.stream !== parsed.stream || record.seq !== parsed.firstSeq + i) {
			throw bad(`record ${i} says stream "${record.stream}" seq ${record.seq}, expected "${parsed.stream}" seq ${parsed.firstSeq + i}`);
		}
	});
	return parsed;
}
