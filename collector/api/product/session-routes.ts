import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { AppError } from '../../../core/errors.ts';
import { type LoginRequest, ROLES, type SessionAnswer, type SetupRequest, type SetupStateAnswer } from '../../../protocol/api.ts';
import type { Accounts } from '../../identity/accounts.ts';
import { SESSION_COOKIE } from '../guard.ts';

const LoginBody = Type.Object(
	{ account: Type.String({ minLength: 1, maxLength: 64 }), password: Type.String({ minLength: 1, maxLength: 256 }) },
	{ additionalProperties: false },
);
const SetupBody = Type.Object(
	{
		code: Type.String({ minLength: 1, maxLength: 64 }),
		accounts: Type.Array(
			Type.Object(
				{
					role: Type.Union(ROLES.map((role) => Type.Literal(role))),
					account: Type.String({ maxLength: 64 }),
					password: Type.String({ maxLength: 256 }),
				},
				{ additionalProperties: false },
			),
			{ minItems: 1, maxItems: ROLES.length },
		),
	},
	{ additionalProperties: false },
);
/** Guessing is slowed per address here and stopped per account by the lock-out. */
const GUESS_LIMIT = { rateLimit: { max: 30, timeWindow: '1 minute' } };

export function registerSessionRoutes(
	app: FastifyInstance,
	options: { readonly accounts: Accounts; readonly secureCookie: boolean },
): void {
	const { accounts } = options;
	const cookieOptions = (request: FastifyRequest) =>
		({
			path: '/',
			httpOnly: true,
			sameSite: 'strict',
			// A proxy that ends TLS says so; whoever says it himself only keeps his own cookie from himself.
			secure: options.secureCookie || request.headers['x-forwarded-proto'] === 'https',
		}) as const;
	const tags = ['session'];

	app.get('/api/fournines/v1/session', { schema: { tags, summary: 'Who I am' } }, async (request): Promise<SessionAnswer> => {
		const cookie = request.cookies[SESSION_COOKIE];
		const user = cookie === undefined ? null : await accounts.session(cookie);
		if (user === null) throw new AppError('FN_AUTH_REQUIRED', 'nobody is logged in', { status: 401 });
		return user;
	});

	app.post<{ Body: LoginRequest }>(
		'/api/fournines/v1/session',
		{ schema: { tags, summary: 'Log in', body: LoginBody }, config: GUESS_LIMIT },
		async (request, reply): Promise<SessionAnswer> => {
			const { session, user } = await accounts.logIn(request.body.account, request.body.password, request.ip);
			reply.setCookie(SESSION_COOKIE, session, cookieOptions(request));
			return user;
		},
	);

	app.delete('/api/fournines/v1/session', { schema: { tags, summary: 'Log out' } }, async (request, reply) => {
		const cookie = request.cookies[SESSION_COOKIE];
		if (cookie !== undefined) await accounts.logOut(cookie, request.ip);
		return reply.clearCookie(SESSION_COOKIE, cookieOptions(request)).status(204).send();
	});

	app.get(
		'/api/fournines/v1/setup',
		{ schema: { tags, summary: 'Whether the first accounts are missing' } },
		async (): Promise<SetupStateAnswer> => ({
			needed: (await accounts.setupCode()) !== null,
		}),
	);

	app.post<{ Body: SetupRequest }>(
		'/api/fournines/v1/setup',
		{ schema: { tags, summary: 'Make the first accounts', body: SetupBody }, config: GUESS_LIMIT },
		async (request, reply) => {
			await accounts.setUp(request.body, request.ip);
			return reply.status(204).send();
		},
	);
}
