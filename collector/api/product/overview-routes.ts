import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { AppError } from '../../../core/errors.ts';
import type { BoardListAnswer, LedgerAnswer, NotificationListAnswer, OverviewAnswer } from '../../../protocol/api.ts';
import type { Availability } from '../../availability/availability.ts';

/** Grafana dashboards as shipped. */
export interface BoardSource {
	list(): BoardListAnswer;
	/** The JSON text, or `null`. */
	get(uid: string): string | null;
}

export interface ProductServices {
	readonly overview: () => Promise<OverviewAnswer>;
	readonly availability: Availability;
	readonly boards: BoardSource;
	readonly notifications: (limit: number) => Promise<NotificationListAnswer>;
}

const IdParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) }, { additionalProperties: false });
const LedgerQuery = Type.Object(
	{ from: Type.String({ maxLength: 40 }), to: Type.String({ maxLength: 40 }) },
	{ additionalProperties: false },
);
const LimitQuery = Type.Object({ limit: Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,2}$' })) }, { additionalProperties: false });

export function registerProductRoutes(app: FastifyInstance, services: ProductServices): void {
	app.get('/api/fournines/v1/overview', { schema: { tags: ['overview'], summary: 'Services, hosts and open alerts now' } }, () =>
		services.overview(),
	);

	app.get<{ Params: { id: string }; Querystring: { from: string; to: string } }>(
		'/api/fournines/v1/services/:id/ledger',
		{
			schema: { tags: ['availability'], summary: 'Every second of a service, and its figures', params: IdParams, querystring: LedgerQuery },
		},
		async (request): Promise<LedgerAnswer> => {
			const range = { fromMs: parseTime(request.query.from, 'from'), toMs: parseTime(request.query.to, 'to') };
			const ledger = await services.availability.ledger(request.params.id, range);
			return {
				service: ledger.service.id,
				figures: ledger.figures,
				intervals: ledger.timeline.map(({ from, to, state, reason }) => ({ fromSeconds: from, toSeconds: to, state, reason })),
				provisionalFromSeconds: ledger.provisionalFrom,
			};
		},
	);

	app.get('/api/fournines/v1/boards', { schema: { tags: ['boards'], summary: 'The shipped boards' } }, async () => services.boards.list());

	app.get<{ Params: { id: string } }>(
		'/api/fournines/v1/boards/:id',
		{ schema: { tags: ['boards'], summary: 'A board as Grafana JSON', params: IdParams } },
		async (request, reply) => {
			const board = services.boards.get(request.params.id);
			if (board === null) throw new AppError('FN_BOARD_UNKNOWN', `there is no board "${request.params.id}"`, { status: 404 });
			return reply.type('application/json; charset=utf-8').send(board);
		},
	);

	app.get<{ Querystring: { limit?: string } }>(
		'/api/fournines/v1/notifications',
		{ schema: { tags: ['alerts'], summary: 'What was sent, newest first', querystring: LimitQuery } },
		(request) => services.notifications(Number(request.query.limit ?? '100')),
	);
}

/** RFC 3339 or Unix seconds, as the Prometheus API takes them. */
export function parseTime(text: string, name: string): number {
	const seconds = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
	if (!Number.isFinite(seconds) || Math.abs(seconds) > 8.64e15) {
		throw new AppError('FN_REQUEST_INVALID', `${name}: "${text}" is neither an RFC 3339 time nor Unix seconds`, { status: 400 });
	}
	return Math.round(seconds);
}
