import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { AnnotationListAnswer, ChangeAnswer, ChangeRequest } from '../../../protocol/change-api.ts';
import type { DeskIdentityAnswer } from '../../../protocol/fault-api.ts';
import type { FrequentProblemsAnswer, ProblemAnswer, ProblemRequest } from '../../../protocol/problem-api.ts';
import { type ChangeAction, ChangeActionSchema, ChangeRequestSchema } from '../../changes/change.ts';
import type { Changes } from '../../changes/changes.ts';
import { type ProblemAction, ProblemActionSchema, ProblemRequestSchema } from '../../problems/problem.ts';
import type { Problems } from '../../problems/problems.ts';
import { personOf } from '../person.ts';
import { type RecordOperation, registerCaseRoutes } from './case-routes.ts';
import { parseTime } from './overview-routes.ts';

const BASE = '/api/fournines/v1';
const Moment = Type.String({ maxLength: 40 });
const Span = Type.Object({ from: Moment, to: Moment }, { additionalProperties: false });
type SpanRequest = { Querystring: { from: string; to: string } };

/** Users' problems, changes, and what charts are marked with. */
export async function registerDeskRoutes(
	app: FastifyInstance,
	services: {
		readonly problems: Problems;
		readonly changes: Changes;
		readonly annotations: (fromMs: number, toMs: number) => Promise<AnnotationListAnswer['annotations']>;
		readonly identity: (account: string) => DeskIdentityAnswer;
		readonly record: RecordOperation;
		readonly maxFileBytes: number;
	},
): Promise<void> {
	const { problems, changes, record, maxFileBytes } = services;
	app.get<SpanRequest>(
		`${BASE}/problems/frequent`,
		{ schema: { tags: ['problems'], summary: 'What users ask most, with accepted answers', querystring: Span } },
		({ query }): Promise<FrequentProblemsAnswer> => problems.frequent(parseTime(query.from, 'from'), parseTime(query.to, 'to')),
	);
	await registerCaseRoutes<ProblemAnswer, ProblemRequest, ProblemAction>(app, {
		base: `${BASE}/problems`,
		tag: 'problems',
		name: 'problem',
		request: ProblemRequestSchema,
		action: ProblemActionSchema,
		desk: {
			...problems,
			open: (request, { account }) => problems.receive(request, account),
			act: (id, action, { account }) => problems.act(id, action, account),
			attach: (id, name, bytes, { account }) => problems.attach(id, name, bytes, account),
		},
		idOf: ({ problem }) => problem.id,
		record,
		maxFileBytes,
	});
	await registerCaseRoutes<ChangeAnswer, ChangeRequest, ChangeAction>(app, {
		base: `${BASE}/changes`,
		tag: 'changes',
		name: 'change',
		request: ChangeRequestSchema,
		action: ChangeActionSchema,
		desk: { ...changes, open: (request, caller) => changes.request(request, caller) },
		idOf: ({ change }) => change.id,
		record,
		maxFileBytes,
	});
	app.get(
		`${BASE}/desk/identity`,
		{ schema: { tags: ['contracts'], summary: 'For which parties of the contract the account speaks' } },
		async (request): Promise<DeskIdentityAnswer> => services.identity(personOf(request).account),
	);
	app.get<SpanRequest>(
		`${BASE}/annotations`,
		{ schema: { tags: ['changes'], summary: 'Changes, maintenance and faults, as marks on a chart', querystring: Span } },
		async ({ query }): Promise<AnnotationListAnswer> => ({
			annotations: await services.annotations(parseTime(query.from, 'from'), parseTime(query.to, 'to')),
		}),
	);
}
