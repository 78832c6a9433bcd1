import { useQuery } from '@tanstack/react-query';
import type { BudgetListAnswer, ReportVersionsAnswer, RequestsAnswer, WhatIfAnswer } from '../../../protocol/availability-api.ts';
import { request } from './client.ts';
import type { Span } from './desk.ts';

const PRODUCT = '/api/fournines/v1';
export const REPORTS_KEY = ['reports'] as const;
const BUDGET_REFRESH_MS = 30_000;

const seconds = (span: Span): string =>
	new URLSearchParams({ from: String(Math.floor(span.fromMs / 1000)), to: String(Math.floor(span.toMs / 1000)) }).toString();
const servicePath = (service: string, what: string) => `${PRODUCT}/services/${encodeURIComponent(service)}/${what}`;

export function useRequests(service: string, span: Span) {
	return useQuery({
		// Minutes are counted when they are over.
		queryKey: ['requests', service, span.fromMs, Math.floor(span.toMs / 60_000)],
		queryFn: ({ signal }) => request<RequestsAnswer>(`${servicePath(service, 'requests')}?${seconds(span)}`, { signal }),
		gcTime: 30_000,
	});
}

export function useBudgets() {
	return useQuery({
		queryKey: ['budgets'],
		queryFn: ({ signal }) => request<BudgetListAnswer>(`${PRODUCT}/budgets`, { signal }),
		refetchInterval: BUDGET_REFRESH_MS,
	});
}

/** `null` asks nothing. */
export function useWhatIf(service: string, span: Span | null) {
	return useQuery({
		queryKey: ['what-if', service, span],
		enabled: span !== null,
		queryFn: ({ signal }) =>
			request<WhatIfAnswer>(`${servicePath(service, 'what-if')}?${seconds(span ?? { fromMs: 0, toMs: 0 })}`, { signal }),
	});
}

export function useReportVersions(month: string, enabled: boolean) {
	return useQuery({
		queryKey: [...REPORTS_KEY, month],
		enabled,
		queryFn: ({ signal }) =>
			request<ReportVersionsAnswer>(`${PRODUCT}/reports/availability/versions?${new URLSearchParams({ month })}`, { signal }),
	});
}
