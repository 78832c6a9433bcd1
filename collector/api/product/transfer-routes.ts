import type { FastifyInstance } from 'fastify';
import { AppError } from '../../../core/errors.ts';
import type { TransferIntake } from '../../inbox/transfer-intake.ts';

const BODY_BYTES = 256 * 1024 * 1024;

/**
 * `POST /api/fournines/v1/transfer`: a transfer file, as a relay carries it from its inbox. 200 `{ result }`: `taken` or `duplicate`, and the
 * relay may forget it. 409 `FN_TRANSFER_EARLY`: files before it are still missing; `?declare_gap=true` gives them up.
 */
export async function registerTransferRoutes(app: FastifyInstance, intake: TransferIntake): Promise<void> {
	await app.register(async (scope) => {
		scope.removeAllContentTypeParsers();
		scope.addContentTypeParser('application/octet-stream', { parseAs: 'buffer', bodyLimit: BODY_BYTES }, (_request, body, done) =>
			done(null, body),
		);
		scope.post<{ Querystring: { declare_gap?: string; path?: string } }>(
			'/api/fournines/v1/transfer',
			{ bodyLimit: BODY_BYTES, schema: { tags: ['agents'], summary: 'Deliver a transfer file' } },
			async (request) => {
				const { declare_gap: declareGap, path = 'relay' } = request.query;
				const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
				const result = await intake.take(body, path.slice(0, 64), declareGap === 'true');
				if (result === 'early') {
					throw new AppError('FN_TRANSFER_EARLY', 'files before this one are still missing; send them first, or declare them lost', {
						status: 409,
						retryable: true,
					});
				}
				return { result };
			},
		);
	});
}
