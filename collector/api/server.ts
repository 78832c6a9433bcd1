import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import staticFiles from '@fastify/static';
import swagger from '@fastify/swagger';
import fastify, {
	type FastifyError,
	type FastifyInstance,
	type FastifyReply,
	type FastifyRequest,
	type FastifyServerOptions,
} from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { AppError, errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { type Caller, type GuardOptions, guard } from './guard.ts';
import { runbookPage } from './runbook-page.ts';

declare module 'fastify' {
	interface FastifyRequest {
		caller: Caller;
	}
}

export interface HttpServerOptions {
	readonly log: Logger;
	readonly guard: GuardOptions;
	/** Folder of the built console; without one the API stands alone. */
	readonly consoleDir: string | null;
	/** Folder of the runbooks that messages link to, as Markdown. */
	readonly runbookDir?: string;
	readonly tls: { readonly cert: string; readonly key: string } | null;
	/** Addresses and networks whose `X-Forwarded-For` is believed. Default: none. */
	readonly trustedProxies?: readonly string[];
	readonly version: string;
}

/** Ordinary bodies are small JSON; routes that take more say so themselves. */
const BODY_LIMIT_BYTES = 1024 * 1024;

/** The listener with everything that all routes share: guard, validation, errors, headers, the console's files. */
export async function createHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
	const { log } = options;
	const common = {
		bodyLimit: BODY_LIMIT_BYTES,
		forceCloseConnections: true,
		requestTimeout: 120_000,
		routerOptions: { maxParamLength: 500 },
		schemaController: OWN_COMPILERS,
		...(options.trustedProxies?.length ? { trustProxy: [...options.trustedProxies] } : {}),
	} as const;
	const app: FastifyInstance =
		options.tls === null ? fastify(common) : (fastify({ ...common, https: options.tls }) as unknown as FastifyInstance);
	// typebox is the only validator: the built-in one would turn "7" into 7 and drop unknown keys in silence.
	app.setValidatorCompiler(validatorOf);
	app.setErrorHandler((error: FastifyError | AppError, request, reply) => sendError(error, { request, reply, log }));
	await app.register(helmet, {
		contentSecurityPolicy: {
			directives: {
				defaultSrc: ["'self'"],
				// Ant Design writes its styles into the page.
				styleSrc: ["'self'", "'unsafe-inline'"],
				imgSrc: ["'self'", 'data:', 'blob:'],
				fontSrc: ["'self'", 'data:'],
				connectSrc: ["'self'"],
				frameAncestors: ["'none'"],
				upgradeInsecureRequests: null,
			},
		},
		hsts: options.tls !== null,
	});
	await app.register(cookie);
	await app.register(formbody);
	await app.register(rateLimit, {
		global: false,
		errorResponseBuilder: (_request, context) =>
			new AppError('FN_RATE_LIMIT', `too many requests; try again in ${context.after}`, { status: 429 }),
	});
	await app.register(swagger, {
		openapi: { openapi: '3.1.0', info: { title: 'Fournines', version: options.version } },
		hideUntagged: true,
	});
	app.decorateRequest('caller');
	app.addHook('onRequest', async (request) => {
		request.caller = await guard(request, options.guard);
	});
	// A challenge makes a browser open its own dialog over the console's log-in, and hold the answer back from the page.
	app.addHook('onSend', async (request, reply) => {
		if (request.headers['x-requested-with'] !== undefined) reply.removeHeader('www-authenticate');
	});
	// Of requests on one connection, each can keep its successor alive until the next full collection; without this with its body.
	app.addHook('onResponse', async (request) => {
		request.body = undefined;
	});
	app.get('/-/healthy', async () => 'Fournines is healthy.\n');
	app.get('/api/fournines/openapi.json', async () => app.swagger());
	if (options.runbookDir !== undefined) serveRunbooks(app, options.runbookDir);
	await serveConsole(app, options.consoleDir);
	return app;
}

/** Without them fastify loads a validator and a serializer at every start that nobody uses. Its types know only its own, which return more. */
const OWN_COMPILERS = {
	compilersFactory: { buildValidator: () => validatorOf, buildSerializer: () => () => (data: unknown) => JSON.stringify(data) },
} as unknown as NonNullable<FastifyServerOptions['schemaController']>;

/** Compiled when it is first used: a start needs none of them. */
function validatorOf({ schema, httpPart }: { readonly schema: unknown; readonly httpPart?: string }) {
	let compiled: ReturnType<typeof Compile> | null = null;
	return (value: unknown) => {
		compiled ??= Compile(schema as TSchema);
		if (compiled.Check(value)) return { value };
		const [first] = compiled.Errors(value);
		const place = `${httpPart ?? 'body'}${first === undefined ? '' : first.instancePath.replaceAll('/', '.')}`;
		return { error: new AppError('FN_REQUEST_INVALID', `${place}: ${first?.message ?? 'not valid'}`, { status: 400 }) };
	};
}

/** What the links of messages open: whoever got one at night wants to read it, on a telephone and without a log-in. */
function serveRunbooks(app: FastifyInstance, root: string): void {
	app.get<{ Params: { name: string } }>('/docs/runbooks/:name', async ({ params: { name } }, reply) => {
		const text = /^[a-z0-9-]+\.md$/.test(name) ? await readFile(join(root, name), 'utf8').catch(() => null) : null;
		if (text === null) throw new AppError('FN_RUNBOOK_UNKNOWN', `there is no runbook "${name.slice(0, 100)}"`, { status: 404 });
		return reply.type('text/html; charset=utf-8').send(runbookPage(text));
	});
}

async function serveConsole(app: FastifyInstance, consoleDir: string | null): Promise<void> {
	if (consoleDir !== null) {
		await app.register(staticFiles, {
			root: consoleDir,
			index: 'index.html',
			cacheControl: false,
			// Built files carry a digest in their names; the page that names them must be asked for again after every upgrade.
			setHeaders: (reply, path) => {
				reply.header('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
			},
		});
	}
	app.setNotFoundHandler((request, reply) => {
		// The console routes by itself: an address inside it that is opened directly gets the page.
		const wantsPage =
			request.method === 'GET' &&
			!/^\/(api|-|v1|metrics|assets)(\/|$)/.test(request.url) &&
			(request.headers.accept ?? '').includes('text/html');
		if (consoleDir !== null && wantsPage) return reply.header('cache-control', 'no-cache').sendFile('index.html');
		const path = request.url.split('?', 1)[0]?.slice(0, 200) ?? '';
		return reply.status(404).send({ error: { code: 'FN_NOT_FOUND', message: `there is nothing at ${request.method} ${path}` } });
	});
}

interface ErrorPlace {
	readonly request: FastifyRequest;
	readonly reply: FastifyReply;
	readonly log: Logger;
}

function sendError(error: FastifyError | AppError, { request, reply, log }: ErrorPlace): FastifyReply {
	if (error instanceof AppError && error.status < 500) {
		if (error.status === 401) reply.header('www-authenticate', 'Basic realm="fournines", charset="UTF-8"');
		return reply.status(error.status).send({ error: { code: error.code, message: error.message } });
	}
	const status = 'statusCode' in error ? (error.statusCode ?? 500) : error instanceof AppError ? error.status : 500;
	if (status < 500) return reply.status(status).send({ error: { code: 'FN_REQUEST_INVALID', message: error.message } });
	log.error({ method: request.method, route: request.routeOptions.url ?? '', error: errorText(error) }, 'a request failed');
	const known = error instanceof AppError;
	return reply
		.status(status)
		.send({ error: { code: known ? error.code : 'FN_INTERNAL', message: known ? error.message : 'an internal error; the log says more' } });
}
