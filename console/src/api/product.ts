import { keepPreviousData, QueryCache, QueryClient, useQuery } from '@tanstack/react-query';
import type {
	BoardListAnswer,
	LedgerAnswer,
	LoginRequest,
	NotificationListAnswer,
	OverviewAnswer,
	SessionAnswer,
	SetupRequest,
	SetupStateAnswer,
} from '../../../protocol/api.ts';
import { ApiError, request } from './client.ts';

const PRODUCT = '/api/fournines/v1';
export const SESSION_KEY = ['session'] as const;
export const OVERVIEW_REFRESH_MS = 5000;

/** A 401 anywhere means that the session is over: the session becomes `null`, and the shell shows the log-in. */
export function createQueryClient(): QueryClient {
	const client: QueryClient = new QueryClient({
		queryCache: new QueryCache({
			onError: (error) => {
				if (isUnauthorized(error)) client.setQueryData(SESSION_KEY, null);
			},
		}),
		defaultOptions: {
			queries: {
				retry: (failures, error) => failures < 1 && error instanceof ApiError && error.status === 0,
				refetchOnWindowFocus: false,
				// A console is mostly used where the browser believes itself offline: in networks without the internet.
				networkMode: 'always',
			},
			mutations: {
				networkMode: 'always',
				onError: (error) => {
					if (isUnauthorized(error) && client.getQueryData(SESSION_KEY) !== undefined) client.setQueryData(SESSION_KEY, null);
				},
			},
		},
	});
	return client;
}

/** Forgets what the last person saw, before the next one sees the screen. The session itself stays: the page watches it. */
export function forgetAnswers(client: QueryClient): void {
	client.removeQueries({ predicate: (query) => query.queryKey[0] !== SESSION_KEY[0] });
}

function isUnauthorized(error: unknown): boolean {
	return error instanceof ApiError && error.status === 401;
}

/** `null` when nobody is logged in. */
export function useSession() {
	return useQuery({
		queryKey: SESSION_KEY,
		queryFn: async ({ signal }): Promise<SessionAnswer | null> => {
			try {
				return await request<SessionAnswer>(`${PRODUCT}/session`, { signal });
			} catch (error) {
				if (isUnauthorized(error)) return null;
				throw error;
			}
		},
		staleTime: 60_000,
	});
}

export function useSetupState() {
	return useQuery({
		queryKey: ['setup'],
		queryFn: ({ signal }) => request<SetupStateAnswer>(`${PRODUCT}/setup`, { signal }),
	});
}

export function logIn(credentials: LoginRequest): Promise<SessionAnswer> {
	return request<SessionAnswer>(`${PRODUCT}/session`, { method: 'POST', json: credentials });
}

export function logOut(): Promise<void> {
	return request<void>(`${PRODUCT}/session`, { method: 'DELETE' });
}

export function setUp(accounts: SetupRequest): Promise<void> {
	return request<void>(`${PRODUCT}/setup`, { method: 'POST', json: accounts });
}

export function useOverview() {
	return useQuery({
		queryKey: ['overview'],
		queryFn: ({ signal }) => request<OverviewAnswer>(`${PRODUCT}/overview`, { signal }),
		refetchInterval: OVERVIEW_REFRESH_MS,
		retry: false,
	});
}

export function useLedger(service: string, range: { readonly fromMs: number; readonly toMs: number }) {
	return useQuery({
		queryKey: ['ledger', service, range],
		queryFn: ({ signal }) => {
			const query = new URLSearchParams({
				from: String(Math.floor(range.fromMs / 1000)),
				to: String(Math.floor(range.toMs / 1000)),
			});
			return request<LedgerAnswer>(`${PRODUCT}/services/${encodeURIComponent(service)}/ledger?${query}`, { signal });
		},
		placeholderData: keepPreviousData,
		gcTime: 30_000,
	});
}

export function useBoardList() {
	return useQuery({
		queryKey: ['boards'],
		queryFn: ({ signal }) => request<BoardListAnswer>(`${PRODUCT}/boards`, { signal }),
		staleTime: 60_000,
	});
}

/** The Grafana JSON as it is; `boards/` reads it. */
export function useBoard(uid: string) {
	return useQuery({
		queryKey: ['board', uid],
		queryFn: ({ signal }) => request<unknown>(`${PRODUCT}/boards/${encodeURIComponent(uid)}`, { signal }),
		staleTime: 60_000,
	});
}

export function useNotifications() {
	return useQuery({
		queryKey: ['notifications'],
		queryFn: ({ signal }) => request<NotificationListAnswer>(`${PRODUCT}/notifications?limit=200`, { signal }),
		refetchInterval: 10_000,
	});
}

/** Without a version the month as it is known now. */
export function reportAddress(options: {
	readonly month: string;
	readonly version?: number;
	readonly format: 'html' | 'xlsx';
	readonly language: 'zh' | 'en';
}): string {
	const { month, version, format, language } = options;
	const query = new URLSearchParams({ month, format, lang: language });
	if (version !== undefined) query.set('version', String(version));
	return `${PRODUCT}/reports/availability?${query}`;
}
