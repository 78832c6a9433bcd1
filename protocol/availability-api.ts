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

/** `GET /services/{id}/requests?from=&to=`; `null` figures for a service that names no requests. */
export interface RequestsAnswer {
	readonly requests: { readonly good: number; readonly total: number; readonly sli: string | null } | null;
}
