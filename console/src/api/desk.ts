import { useQuery } from '@tanstack/react-query';
import type { AnnotationListAnswer, ChangeDetailAnswer, ChangeListAnswer } from '../../../protocol/change-api.ts';
import type {
	AssessedPeriodAnswer,
	ContractListAnswer,
	ContractProfileAnswer,
	ContractStandingAnswer,
} from '../../../protocol/contract-api.ts';
import type { DeskIdentityAnswer, FaultDetailAnswer, FaultListAnswer } from '../../../protocol/fault-api.ts';
import type { InventoryStateAnswer } from '../../../protocol/inventory-api.ts';
import type { MaintenanceDetailAnswer, MaintenanceListAnswer } from '../../../protocol/maintenance-api.ts';
import type { FrequentProblemsAnswer, ProblemDetailAnswer, ProblemListAnswer } from '../../../protocol/problem-api.ts';
import { ApiError, request } from './client.ts';

const PRODUCT = '/api/fournines/v1';
/** Everything of the desk: an action at one place shows at the others. */
export const DESK_KEY = ['desk'] as const;
const LIST_REFRESH_MS = 10_000;

export interface Span {
	readonly fromMs: number;
	readonly toMs: number;
}

const spanQuery = ({ fromMs, toMs }: Span): string => `from=${Math.floor(fromMs / 1000)}&to=${Math.ceil(toMs / 1000)}`;
const part = encodeURIComponent;

function useDesk<T>(path: string, refreshMs: number | false = false, enabled = true) {
	return useQuery({
		enabled,
		queryKey: [...DESK_KEY, path],
		queryFn: ({ signal }) => request<T>(PRODUCT + path, { signal }),
		refetchInterval: refreshMs,
	});
}

/** `null` asks for what is open. */
const listPath = (name: string, span: Span | null): string => (span === null ? `/${name}` : `/${name}?${spanQuery(span)}`);

export const useDeskIdentity = () => useDesk<DeskIdentityAnswer>('/desk/identity');
export const useFaults = (span: Span | null) => useDesk<FaultListAnswer>(listPath('faults', span), LIST_REFRESH_MS);
export const useFault = (id: string) => useDesk<FaultDetailAnswer>(`/faults/${part(id)}`, LIST_REFRESH_MS);
export const useProblems = (span: Span | null) => useDesk<ProblemListAnswer>(listPath('problems', span), LIST_REFRESH_MS);
export const useProblem = (id: string) => useDesk<ProblemDetailAnswer>(`/problems/${part(id)}`, LIST_REFRESH_MS);
export const useFrequentProblems = (span: Span) => useDesk<FrequentProblemsAnswer>(`/problems/frequent?${spanQuery(span)}`);
export const useChanges = (span: Span | null) => useDesk<ChangeListAnswer>(listPath('changes', span), LIST_REFRESH_MS);
export const useChange = (id: string) => useDesk<ChangeDetailAnswer>(`/changes/${part(id)}`, LIST_REFRESH_MS);
export const useMaintenanceList = (span: Span) => useDesk<MaintenanceListAnswer>(`/maintenance?${spanQuery(span)}`, LIST_REFRESH_MS);
export const useMaintenance = (id: string) => useDesk<MaintenanceDetailAnswer>(`/maintenance/${part(id)}`);
export const useInventory = () => useDesk<InventoryStateAnswer>('/inventory/state');
export const useContracts = () => useDesk<ContractListAnswer>('/contracts');
export const useContract = (id: string) => useDesk<ContractProfileAnswer>(`/contracts/${part(id)}`);
export const useStanding = (id: string) => useDesk<ContractStandingAnswer>(`/contracts/${part(id)}/standing`);

/** `settings` are other answers to open questions, `id:answer` separated by commas. Without a period nothing is asked. */
export function useAssessment(id: string, period: string, settings = '') {
	const query = settings === '' ? '' : `?${new URLSearchParams({ settings })}`;
	return useDesk<AssessedPeriodAnswer>(`/contracts/${part(id)}/periods/${part(period)}${query}`, 30_000, period !== '');
}

/** Charts are drawn without marks where they cannot be read. */
export function useAnnotations(span: Span) {
	return useQuery({
		queryKey: ['annotations', span],
		queryFn: ({ signal }) => request<AnnotationListAnswer>(`${PRODUCT}/annotations?${spanQuery(span)}`, { signal }),
		staleTime: LIST_REFRESH_MS,
	});
}

/** A step at the desk. `path` is below the product's API. */
export function send<T>(method: 'POST' | 'PUT', path: string, json: unknown): Promise<T> {
	return request<T>(PRODUCT + path, { method, json });
}

/** Attaches a file as its bytes. `path` names the case, `/faults/…`. Throws `ApiError`. */
export async function attachFile(path: string, file: File): Promise<void> {
	const response = await fetch(`${PRODUCT}${path}/attachments?name=${part(file.name.slice(0, 200))}`, {
		method: 'POST',
		headers: { 'content-type': 'application/octet-stream', 'x-requested-with': 'XMLHttpRequest' },
		credentials: 'same-origin',
		body: file,
		signal: AbortSignal.timeout(120_000),
	});
	if (response.ok) return;
	const text = await response.text();
	throw new ApiError(text.slice(0, 500), { status: response.status, code: /"code":"(FN_[A-Z_]+)"/.exec(text)?.[1] ?? '' });
}

export function attachmentAddress(path: string, attachment: string): string {
	return `${PRODUCT}${path}/attachments/${part(attachment)}`;
}
