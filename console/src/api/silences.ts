import { useQuery } from '@tanstack/react-query';
import { request } from './client.ts';

/** Alertmanager's `gettableSilence` and `postableSilence` (its api/v2/openapi.yaml). */
export interface SilenceMatcher {
	readonly name: string;
	readonly value: string;
	readonly isRegex: boolean;
	readonly isEqual: boolean;
}

export interface Silence {
	readonly id: string;
	readonly status: { readonly state: 'active' | 'pending' | 'expired' };
	readonly startsAt: string;
	readonly endsAt: string;
	readonly createdBy: string;
	readonly comment: string;
	readonly matchers: readonly SilenceMatcher[];
	/** What was not seen because of it: messages, and seconds with a critical alert among them. */
	readonly hidden: { readonly messages: number; readonly criticalSeconds: number };
	/** Present when it hides only at times that come back. */
	readonly recurrence?: readonly SilenceTimes[];
	/** Of a recurring one: the time that is under way or comes next; `null` when none does. */
	readonly next?: { readonly startsAt: string; readonly endsAt: string } | null;
}

/** Times that come back, with the keys of Alertmanager's `time_intervals` and the statutory calendar. */
export interface SilenceTimes {
	readonly times?: readonly { readonly start_time: string; readonly end_time: string }[];
	readonly weekdays?: readonly string[];
	readonly days?: 'working' | 'off';
	readonly location?: string;
}

export interface NewSilence {
	readonly matchers: readonly SilenceMatcher[];
	readonly startsAt: string;
	readonly endsAt: string;
	readonly createdBy: string;
	readonly comment: string;
	readonly recurrence?: readonly SilenceTimes[];
}

export const SILENCES_KEY = ['silences'] as const;

export function useSilences() {
	return useQuery({
		queryKey: SILENCES_KEY,
		queryFn: ({ signal }) => request<readonly Silence[]>('/api/v2/silences', { signal }),
		refetchInterval: 10_000,
	});
}

export function createSilence(silence: NewSilence): Promise<{ readonly silenceID: string }> {
	return request('/api/v2/silences', { method: 'POST', json: silence });
}

export function expireSilence(id: string): Promise<void> {
	return request(`/api/v2/silence/${encodeURIComponent(id)}`, { method: 'DELETE' });
}
