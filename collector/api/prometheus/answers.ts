import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError, errorText } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import type { QueryAnswer } from '../../promql/query-service.ts';
import { sendCompressed } from './compression.ts';

const JSON_TYPE = 'application/json';

/** A body that is complete is passed on as it is. */
export function sendAnswer(reply: FastifyReply, { json }: QueryAnswer): Promise<FastifyReply> {
	return sendCompressed(reply, JSON_TYPE, Buffer.from(json.buffer, json.byteOffset, json.byteLength));
}

export function sendData(reply: FastifyReply, data: unknown): Promise<FastifyReply> {
	return sendCompressed(reply, JSON_TYPE, Buffer.from(JSON.stringify({ status: 'success', data })));
}

/** Prometheus' error body. What is not one of our errors is logged and told without details. */
export function sendFailure(
	error: unknown,
	place: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly log: Logger },
): FastifyReply {
	const { request, reply, log } = place;
	const status = statusOf(error);
	if (status === 401) reply.header('www-authenticate', 'Basic realm="fournines", charset="UTF-8"');
	if (status >= 500 && status !== 503) {
		log.error({ method: request.method, route: request.routeOptions.url ?? '', error: errorText(error) }, 'a request failed');
	}
	const known = error instanceof AppError || status < 500;
	const text = known ? errorText(error) : 'an internal error; the log says more';
	const message =
		error instanceof AppError && error.code === 'FN_QUERY_PARSE' && !text.startsWith('invalid')
			? `invalid parameter "query": ${text}`
			: text;
	return reply
		.status(status)
		.type(JSON_TYPE)
		.send(JSON.stringify({ status: 'error', errorType: errorType(error, status), error: message }));
}

function statusOf(error: unknown): number {
	if (error instanceof AppError) return error.status;
	if (typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number') return error.statusCode;
	return 500;
}

function errorType(error: unknown, status: number): string {
	if (error instanceof AppError && error.code === 'FN_QUERY_CANCELLED') return 'canceled';
	if (status === 422) return 'execution';
	if (status === 503) return 'timeout';
	if (status === 404) return 'not_found';
	if (status === 401 || status === 403) return 'unauthorized';
	return status >= 500 ? 'internal' : 'bad_data';
}
