import { useQuery } from '@tanstack/react-query';
import type {
	AgentListAnswer,
	CentralConfigAnswer,
	CentralConfigRequest,
	EnrolmentTokenAnswer,
	EnrolmentTokenRequest,
} from '../../../protocol/agent-api.ts';
import { request } from './client.ts';

const AGENTS = '/api/fournines/v1/agents';
export const AGENTS_KEY = ['agents'] as const;

export function useAgents() {
	return useQuery({
		queryKey: AGENTS_KEY,
		queryFn: ({ signal }) => request<AgentListAnswer>(AGENTS, { signal }),
		refetchInterval: 10_000,
	});
}

export function useCentralConfig(target: string) {
	return useQuery({
		queryKey: [...AGENTS_KEY, 'config', target],
		queryFn: ({ signal }) => request<CentralConfigAnswer>(`${AGENTS}/configs/${encodeURIComponent(target)}`, { signal }),
	});
}

export function writeCentralConfig(target: string, body: CentralConfigRequest): Promise<void> {
	return request(`${AGENTS}/configs/${encodeURIComponent(target)}`, { method: 'PUT', json: body });
}

export function makeEnrolmentToken(body: EnrolmentTokenRequest): Promise<EnrolmentTokenAnswer> {
	return request(`${AGENTS}/enrolment-tokens`, { method: 'POST', json: body });
}

export function revokeAgent(host: string): Promise<void> {
	return request(`${AGENTS}/${encodeURIComponent(host)}`, { method: 'DELETE' });
}
