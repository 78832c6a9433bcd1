import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { AppError } from '../../../core/errors.ts';
import type { CaseEvent } from '../../state/cases.ts';
import { type PersonCaller, personOf } from '../person.ts';
import { registerAttachmentRoutes } from './attachment-routes.ts';
import { parseTime } from './overview-routes.ts';

const closed = { additionalProperties: false } as const;
const Params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) }, closed);
const Moment = Type.String({ maxLength: 40 });
const ListQuery = Type.Object({ from: Type.Optional(Moment), to: Type.Optional(Moment) }, closed);

/** Writes the operations log: who did what to which case, and what came of it. */
export type RecordOperation = (
	request: FastifyRequest,
	operation: { readonly action: string; readonly object: string; readonly result: 'success' | 'failure'; readonly detail: string },
) => Promise<void>;

/** What the desk keeps of one kind. */
export interface CaseDesk<Answer, Request, Action extends { readonly kind: string }> {
	open(request: Request, caller: PersonCaller): Promise<Answer>;
	act(id: string, action: Action, caller: PersonCaller): Promise<Answer>;
	get(id: string): Promise<Answer>;
	attach(id: string, name: string, bytes: Buffer, caller: PersonCaller): Promise<Answer>;
	attachment(id: string, attachment: string): Promise<{ readonly name: string; readonly bytes: Buffer }>;
	events(id: string): Promise<readonly CaseEvent<unknown>[]>;
	list(which: 'open' | { readonly fromMs: number; readonly toMs: number }): Promise<readonly Answer[]>;
}

/** List, one with its history, a new one, the next step, files: the same for problems and for changes. Refusals are recorded as well. */
export async function registerCaseRoutes<Answer extends object, Request extends object, Action extends { readonly kind: string }>(
	app: FastifyInstance,
	options: {
		readonly base: string;
		readonly tag: string;
		/** Singular, for summaries and the operations log. */
		readonly name: string;
		readonly request: TSchema;
		readonly action: TSchema;
		readonly desk: CaseDesk<Answer, Request, Action>;
		readonly idOf: (answer: Answer) => string;
		readonly record: RecordOperation;
		readonly maxFileBytes: number;
	},
): Promise<void> {
	const { base, name, desk, record } = options;
	const tags = [options.tag];
	const recorded = async (
		request: FastifyRequest,
		{ action, object, detail = JSON.stringify(request.body) }: { action: string; object: string; detail?: string },
		work: () => Promise<Answer>,
	): Promise<Answer> => {
		try {
			const answer = await work();
			await record(request, {
				action: `${name}.${action}`,
				object: object === '' ? options.idOf(answer) : object,
				result: 'success',
				detail,
			});
			return answer;
		} catch (error) {
			if (error instanceof AppError && error.status === 403)
				await record(request, { action: `${name}.${action}`, object, result: 'failure', detail: error.message });
			throw error;
		}
	};

	app.get<{ Querystring: { from?: string; to?: string } }>(
		base,
		{ schema: { tags, summary: `What is open, or each ${name} that began in a range`, querystring: ListQuery } },
		async ({ query: { from, to } }) => {
			if (from === undefined && to === undefined) return { [`${name}s`]: await desk.list('open') };
			if (from === undefined || to === undefined) throw new AppError('FN_REQUEST_INVALID', 'from and to belong together', { status: 400 });
			return { [`${name}s`]: await desk.list({ fromMs: parseTime(from, 'from'), toMs: parseTime(to, 'to') }) };
		},
	);
	app.get<{ Params: { id: string } }>(
		`${base}/:id`,
		{ schema: { tags, summary: `A ${name} with its whole history`, params: Params } },
		async ({ params: { id } }) => ({ ...(await desk.get(id)), events: await desk.events(id) }),
	);
	app.post(base, { schema: { tags, summary: `A new ${name}`, body: options.request } }, async (request, reply) =>
		reply
			.status(201)
			.send(await recorded(request, { action: 'open', object: '' }, () => desk.open(request.body as Request, personOf(request)))),
	);
	app.post<{ Params: { id: string } }>(
		`${base}/:id/actions`,
		{ schema: { tags, summary: `The next step of a ${name}`, params: Params, body: options.action } },
		(request) => {
			const { id } = request.params;
			// Both bodies were checked by their schemas.
			const action = request.body as Action;
			return recorded(request, { action: action.kind, object: id }, () => desk.act(id, action, personOf(request)));
		},
	);
	await registerAttachmentRoutes(app, {
		base,
		tag: options.tag,
		name,
		maxFileBytes: options.maxFileBytes,
		attach: (request, id, file, bytes) =>
			recorded(request, { action: 'attach', object: id, detail: file }, () => desk.attach(id, file, bytes, personOf(request))),
		attachment: (id, attachment) => desk.attachment(id, attachment),
	});
}
