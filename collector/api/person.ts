import type { FastifyRequest } from 'fastify';
import { AppError } from '../../core/errors.ts';
import type { Role } from '../../protocol/api.ts';

/** Who does something that is somebody's word, and from where. */
export interface PersonCaller {
	readonly account: string;
	readonly role: Role;
	readonly address: string;
}

/** Throws `FN_AUTH_FORBIDDEN` for tokens. */
export function personOf(request: FastifyRequest): PersonCaller {
	if (request.caller.kind !== 'person') throw new AppError('FN_AUTH_FORBIDDEN', 'only a person can do this', { status: 403 });
	const { account, role } = request.caller.user;
	return { account, role, address: request.ip };
}
