import type { ServiceState } from './api.ts';

/** JSON of the budget part of `/api/fournines/v1`. Times are integer milliseconds. */
export interface BudgetAnswer {
	readonly serviceId: string;
	readonly target: string;
	readonly budgetSeconds: number;
	readonly usedSeconds: number;
	/** Negative when the target is lost. */
	readonly remainingSeconds: number;
	readonly lostAtMs: number | null;
	readonly lossForecastAtMs: number | null;
	readonly burns: readonly {
		readonly name: string;
		readonly longSeconds: number;
		readonly shortSeconds: number;
		readonly longUsedSeconds: number;
		readonly shortUsedSeconds: number;
		readonly longLimitSeconds: number;
		readonly shortLimitSeconds: number;
		readonly failedChecks: number;
		readonly burning: boolean;
	}[];
}

/** `GET /budgets`. */
export interface BudgetListAnswer {
	readonly budgets: readonly BudgetAnswer[];
}

/** `GET /services/{id}/what-if?from=&to=`. */
export interface WhatIfAnswer {
	readonly costSeconds: number;
	readonly freeSeconds: number;
	readonly remainingSeconds: number;
	readonly remainingAfterSeconds: number;
	readonly kept: boolean;
}

/** Good and all requests of the whole minutes of a window; they stand beside the figures of time and are never mixed in. Whole numbers. */
export interface RequestFigures {
	readonly fromMs: number;
	readonly toMs: number;
	readonly good: number;
	readonly total: number;
	/** In minutes that are excluded; not part of `total`. */
	readonly excluded: number;
	/** By which counters had risen after nobody had read them for minutes: when they came is not known. Not part of `total`. */
	readonly unplaced: number;
	/** Percent, truncated; `null` where no request came. */
	readonly sli: string | null;
	/** Share of the agreed time in which every counter was read, percent, truncated; `null` when no time was agreed. */
	readonly coverage: string | null;
	readonly target: string;
	/** How many of `total` may fail, with two decimals, truncated. */
	readonly budgetRequests: string;
	/** Of these, used: requests that were not good. */
	readonly budgetUsedRequests: number;
}

/** `GET /services/{id}/requests?from=&to=`; `null` for a service that names no requests. */
export interface RequestsAnswer {
	readonly requests: RequestFigures | null;
	/** The counters, as PromQL. */
	readonly expressions: { readonly good: string; readonly total: string } | null;
}

interface LedgerWord {
	readonly state: ServiceState;
	readonly reason: string;
	readonly unconfirmed: boolean;
}

/** What differs between two versions of a month. */
export interface ReportChangesAnswer {
	readonly intervals: readonly {
		readonly service: string;
		readonly fromSeconds: number;
		readonly toSeconds: number;
		readonly was: LedgerWord;
		readonly is: LedgerWord;
		/** Late checks, another definition of the service, or other time that is left out. */
		readonly why: 'late' | 'definition' | 'exclusion';
	}[];
	/** Keys of the figures, those of requests as `requests.total`; `service` for a service that came or went. */
	readonly figures: readonly { readonly service: string; readonly key: string; readonly was: string; readonly is: string }[];
}

/** `POST /reports/availability` answers it with 201; 409 while the month goes on, and where nothing has changed. */
export interface ReportVersionAnswer {
	readonly version: number;
	readonly issuedAtMs: number;
	readonly issuedBy: string;
	readonly note: string;
	readonly digest: string;
	readonly changes: ReportChangesAnswer;
}

/** `GET /reports/availability/versions?month=`. */
export interface ReportVersionsAnswer {
	readonly versions: readonly ReportVersionAnswer[];
	/** What has changed since the newest version; `null` where none was issued. */
	readonly pending: ReportChangesAnswer | null;
	/** Whether the month is over. */
	readonly over: boolean;
}
