import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { AppError } from '../../../core/errors.ts';
import type {
	AgentListAnswer,
	AgentSyncAnswer,
	AgentSyncRequest,
	CentralConfigAnswer,
	CentralConfigRequest,
	EnrolAnswer,
	EnrolmentTokenAnswer,
	EnrolmentTokenRequest,
	EnrolRequest,
} from '../../../protocol/agent-api.ts';
import type { Agents } from '../../agents/agents.ts';

const HOST_PATTERN = '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,199}$';
const EnrolBody = Type.Object(
	{
		token: Type.String({ minLength: 1, maxLength: 200 }),
		host: Type.String({ pattern: HOST_PATTERN }),
		agentVersion: Type.String({ maxLength: 64 }),
		publicKey: Type.String({ maxLength: 1000 }),
		proof: Type.String({ maxLength: 200 }),
	},
	{ additionalProperties: false },
);
const SyncBody = Type.Object(
	{
		agentVersion: Type.String({ maxLength: 64 }),
		configVersion: Type.String({ maxLength: 64 }),
		state: Type.Union([Type.Literal('none'), Type.Literal('applied'), Type.Literal('failed')]),
		failedVersion: Type.String({ maxLength: 64 }),
		reason: Type.String({ maxLength: 10_000 }),
	},
	{ additionalProperties: false },
);
const TokenBody = Type.Object(
	{
		host: Type.String({ pattern: `^$|${HOST_PATTERN}`, default: '' }),
		validSeconds: Type.Integer({ minimum: 60, maximum: 30 * 86_400 }),
	},
	{ additionalProperties: false },
);
const ConfigBody = Type.Object(
	{ text: Type.String({ maxLength: 500_000 }), note: Type.String({ maxLength: 255 }) },
	{ additionalProperties: false },
);
/** A one-time token has 192 random bits; this only keeps the log readable. */
const ENROL_LIMIT = { rateLimit: { max: 60, timeWindow: '1 minute' } };
const BASE = '/api/fournines/v1';

/** Enrolment, the register of agents, and their central configuration. */
export function registerAgentRoutes(
	app: FastifyInstance,
	{ agents, caller }: { readonly agents: Agents; readonly caller: (request: FastifyRequest) => { name: string; address: string } },
): void {
	const tags = ['agents'];
	app.post<{ Body: EnrolRequest }>(
		`${BASE}/enrol`,
		{ schema: { tags, summary: 'Exchange a one-time token for a key', body: EnrolBody }, config: ENROL_LIMIT },
		async (request): Promise<EnrolAnswer> => agents.enrolment.enrol(request.body, request.ip),
	);

	app.post<{ Body: AgentSyncRequest }>(
		`${BASE}/agent/sync`,
		{ schema: { tags, summary: 'Say what this agent runs on, hear what it should', body: SyncBody } },
		async (request): Promise<AgentSyncAnswer> => {
			const name = request.caller.kind === 'machine' ? request.caller.machine.name : '';
			return agents.sync(name, request.body);
		},
	);

	app.get(
		`${BASE}/agents`,
		{ schema: { tags, summary: 'All enrolled agents' } },
		async (): Promise<AgentListAnswer> => ({
			agents: await agents.list(),
		}),
	);

	app.post<{ Body: EnrolmentTokenRequest }>(
		`${BASE}/agents/enrolment-tokens`,
		{ schema: { tags, summary: 'Make a one-time token', body: TokenBody } },
		async (request): Promise<EnrolmentTokenAnswer> => agents.enrolment.issue(request.body, caller(request)),
	);

	app.delete<{ Params: { host: string } }>(
		`${BASE}/agents/:host`,
		{ schema: { tags, summary: 'Refuse this agent from now on' } },
		async (request, reply) => {
			const { host } = request.params;
			if (!(await agents.enrolment.revoke(host, caller(request)))) {
				throw new AppError('FN_AGENT_UNKNOWN', `there is no agent of ${host.slice(0, 200)}, or it is revoked already`, { status: 404 });
			}
			return reply.status(204).send();
		},
	);

	app.get<{ Params: { target: string } }>(
		`${BASE}/agents/configs/:target`,
		{ schema: { tags, summary: 'What is configured centrally' } },
		async (request): Promise<CentralConfigAnswer> => agents.configs.read(request.params.target),
	);

	app.put<{ Params: { target: string }; Body: CentralConfigRequest }>(
		`${BASE}/agents/configs/:target`,
		{ schema: { tags, summary: 'Configure agents centrally', body: ConfigBody } },
		async (request, reply) => {
			await agents.configs.write(request.params.target, request.body, caller(request));
			return reply.status(204).send();
		},
	);
}
