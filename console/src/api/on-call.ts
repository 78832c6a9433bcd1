import { useQuery } from '@tanstack/react-query';
import type { IncidentDetailAnswer, IncidentListAnswer, IncidentStatisticsAnswer } from '../../../protocol/incident-api.ts';
import type { DutyChangeListAnswer, HandoverListAnswer, OnCallAnswer, ShiftListAnswer } from '../../../protocol/on-call-api.ts';
import { request } from './client.ts';

const PRODUCT = '/api/fournines/v1';
/** Everything of on-call: taking an incident shows on both pages. */
export const ON_CALL_KEY = ['on-call'] as const;
const REFRESH_MS = 5000;

function useOnCallPath<T>(path: string, refreshMs: number | false = REFRESH_MS) {
	return useQuery({
		queryKey: [...ON_CALL_KEY, path],
		queryFn: ({ signal }) => request<T>(PRODUCT + path, { signal }),
		refetchInterval: refreshMs,
	});
}

const span = (fromMs: number, toMs: number) => `from=${Math.floor(fromMs / 1000)}&to=${Math.ceil(toMs / 1000)}`;

export const useIncidents = (which: 'open' | 'all', fromMs: number) =>
	useOnCallPath<IncidentListAnswer>(
		which === 'open' ? '/incidents?state=unresolved&limit=500' : `/incidents?from=${Math.floor(fromMs / 1000)}&limit=500`,
	);
export const useIncident = (id: string) => useOnCallPath<IncidentDetailAnswer>(`/incidents/${encodeURIComponent(id)}`);
export const useIncidentStatistics = (fromMs: number, toMs: number) =>
	useOnCallPath<IncidentStatisticsAnswer>(`/incidents/statistics?${span(fromMs, toMs)}`, 30_000);
export const useOnCall = () => useOnCallPath<OnCallAnswer>('/oncall');
export const useShifts = (roster: string, fromMs: number, toMs: number) =>
	useOnCallPath<ShiftListAnswer>(`/oncall/rosters/${encodeURIComponent(roster)}/shifts?${span(fromMs, toMs)}`, 60_000);
export const useDutyChanges = (roster: string) =>
	useOnCallPath<DutyChangeListAnswer>(`/oncall/rosters/${encodeURIComponent(roster)}/changes`, 30_000);
export const useHandovers = () => useOnCallPath<HandoverListAnswer>('/oncall/handovers', 30_000);

/** An action of on-call; `path` begins after the product's own prefix. */
export function sendOnCall(path: string, body: unknown): Promise<unknown> {
	return request(PRODUCT + path, { method: 'POST', json: body });
}
