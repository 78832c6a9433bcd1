/** JSON of `/api/fournines/v1/contracts`. Times are integer milliseconds, points hundredths of a point, money fen. */

/** The same said in both languages of the product. */
export interface WordsAnswer {
	readonly zh: string;
	readonly en: string;
}

/** When a contract runs. Outside of it nothing is computed. */
export interface ContractTermAnswer {
	readonly state: 'before' | 'running' | 'over';
	readonly fromMs: number;
	/** `null` for a contract without an end; otherwise the first moment after it. */
	readonly toMs: number | null;
	/** `2021-08-01`, in the contract's zone. */
	readonly firstDay: string;
	readonly lastDay: string | null;
	readonly clause: string;
	/** What was agreed after the signature; the latest day counts. */
	readonly extensions: readonly { readonly until: string; readonly clause: string }[];
}

export type PartyName = 'manager' | 'client' | 'supervision';

/** `GET /contracts`. */
export interface ContractListAnswer {
	readonly contracts: readonly {
		readonly id: string;
		readonly name: string;
		readonly term: ContractTermAnswer;
		/** What the text leaves open. */
		readonly settings: readonly {
			readonly id: string;
			readonly question: string;
			readonly clause: string;
			readonly default: string;
			readonly options: readonly string[];
		}[];
	}[];
}

/** `GET /contracts/{id}`: what the console shows of a profile. */
export interface ContractProfileAnswer {
	readonly id: string;
	readonly name: string;
	readonly version: number;
	readonly grading: { readonly by: 'impact' | 'minutes'; readonly judge: PartyName; readonly confirm: PartyName | null };
	readonly levels: readonly { readonly id: string; readonly name: string; readonly when: string }[];
	readonly closing: { readonly countersign: PartyName | null };
	readonly reports: readonly { readonly id: string; readonly name: string }[];
	/** 质量事故, where the contract knows them. */
	/** Where a fine by the score can be given up by the client. */
	readonly payment: { readonly lapse?: { readonly clause: string } };
	readonly accidents?: { readonly grades: readonly string[]; readonly clause: string };
	readonly rules: readonly {
		readonly id: string;
		readonly name: string;
		readonly kind: string;
		readonly clause: string;
		readonly unit?: string;
		readonly bonus?: boolean;
	}[];
}

export interface PeriodAnswer {
	readonly id: string;
	readonly fromMs: number;
	readonly toMs: number;
}

export interface ScoreAnswer {
	readonly centipoints: number;
	readonly deducted: number;
	readonly bonus: number;
	readonly fen: number;
	readonly money: readonly { readonly clause: string; readonly fen: number; readonly reason: WordsAnswer }[];
}

/** One deduction or bonus, with where it comes from. */
export interface AssessmentItemAnswer {
	/** `rule:subject:detail`; the same in every computation, so that adjustments and disputes can name it. */
	readonly key: string;
	readonly rule: string;
	readonly name: string;
	readonly clause: string;
	readonly faultId: string | null;
	readonly problemId: string | null;
	readonly service: string | null;
	readonly recordId: string | null;
	readonly clock: string | null;
	readonly atMs: number;
	/** Negative for a deduction, positive for a bonus. */
	readonly centipoints: number;
	/** What is left of it after the bounds of groups and of the bonus. */
	readonly counted: number;
	/** Money beside the points, as a deduction (never negative). */
	readonly fen: number;
	readonly reason: WordsAnswer;
}

/** Something that will cost points or money unless it is prevented. */
export interface NextDeductionAnswer {
	readonly rule: string;
	readonly clause: string;
	/** A clock of a fault counts down by itself; downtime only while the service is down. */
	readonly kind: 'clock' | 'downtime';
	readonly faultId: string | null;
	readonly problemId: string | null;
	readonly service: string | null;
	readonly clock: string | null;
	/** Seconds until then: of time for a clock, of further downtime otherwise. */
	readonly seconds: number;
	/** More than now. */
	readonly centipoints: number;
	readonly fen: number;
}

/** What the client makes of an item of the self-assessment, or an item that it adds. */
export interface AdjustmentAnswer {
	/** Key of an item; an unknown key is an item of the client's own. */
	readonly key: string;
	/** Negative deducts. Replaces what the item counted. */
	readonly centipoints: number;
	readonly clause: string;
	readonly note: string;
	readonly atMs: number;
	readonly by: string;
}

/** `GET /contracts/{id}/periods/{period}`. */
export interface AssessedPeriodAnswer {
	readonly assessment: {
		readonly profile: string;
		readonly period: PeriodAnswer;
		readonly asOfMs: number;
		readonly items: readonly AssessmentItemAnswer[];
		readonly next: readonly NextDeductionAnswer[];
		readonly selfCheckDueMs: number | null;
	};
	readonly scores: {
		readonly self: ScoreAnswer;
		readonly client: ScoreAnswer;
		readonly final: ScoreAnswer;
		readonly items: readonly {
			readonly key: string;
			readonly self: number;
			readonly client: number;
			readonly final: number;
			readonly disputed: 'no' | 'open' | 'decided';
		}[];
	};
	readonly records: readonly {
		readonly id: string;
		readonly rule: string;
		readonly quantity: number;
		readonly atMs: number;
		readonly note: string;
		readonly by: string;
		readonly evidence: string;
	}[];
	readonly adjustments: readonly AdjustmentAnswer[];
	readonly disputes: readonly {
		readonly id: string;
		readonly key: string;
		readonly evidence: string;
		readonly openedBy: string;
		readonly openedMs: number;
		readonly decision: { readonly centipoints: number; readonly reason: string; readonly by: string; readonly atMs: number } | null;
	}[];
}

/** `GET /contracts/{id}/standing`. */
export interface ContractStandingAnswer {
	readonly term: ContractTermAnswer;
	readonly periods: readonly {
		readonly period: PeriodAnswer;
		readonly over: boolean;
		readonly self: number;
		readonly client: number;
		readonly final: number;
		readonly fen: number;
	}[];
	readonly years: readonly YearAnswer[];
	readonly termination: readonly TerminationAnswer[];
}

/** The mean of the periods of a contract year that are over, truncated. */
export interface YearAnswer {
	/** `y1`, `y2`, … */
	readonly id: string;
	readonly clause: string;
	readonly periods: readonly string[];
	/** How many of them are over; the means are of these. */
	readonly over: number;
	readonly self: number | null;
	readonly client: number | null;
	readonly final: number | null;
	/** Where the year is paid by its mean: what the steps take of the fee of the periods that are over. */
	readonly fen: number | null;
}

/** How near the contract is to what lets the client end it. */
export type TerminationAnswer = { readonly clause: string; readonly state: 'far' | 'near' | 'reached' } & (
	| { readonly kind: 'records'; readonly rule: string; readonly most: number; readonly limit: number }
	| { readonly kind: 'money-share'; readonly fen: number; readonly limitFen: number }
	| {
			readonly kind: 'outage';
			readonly service: string | null;
			readonly seconds: number;
			readonly limitSeconds: number;
			readonly ongoing: boolean;
	  }
	| {
			readonly kind: 'low-scores';
			readonly below: number;
			readonly inARow: number;
			readonly inAll: number;
			readonly mostInARow: number;
			readonly mostInAll: number;
	  }
);
