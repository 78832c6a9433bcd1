import { useQuery } from '@tanstack/react-query';
import type { AlertRuleListAnswer } from '../../../protocol/rule-api.ts';
import { request } from './client.ts';

export function useAlertRules() {
	return useQuery({
		queryKey: ['alert-rules'],
		queryFn: ({ signal }) => request<AlertRuleListAnswer>('/api/fournines/v1/alert-rules', { signal }),
		refetchInterval: 15_000,
	});
}
