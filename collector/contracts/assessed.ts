import type { AssessmentItemAnswer } from '../../protocol/contract-api.ts';
import type { Cause, Moment } from './profile.ts';

/** A report that a fault owed, and when it came. */
export interface FiledReport {
	readonly report: string;
	readonly filedMs: number | null;
}

/** A fault as the contract sees it. */
export interface AssessedFault {
	readonly id: string;
	readonly service: string | null;
	/** Services that were down because of it. Default: none. */
	readonly affected?: readonly string[];
	/** What failed; a repeat is another fault with the same point. `''` where nobody said. */
	readonly point: string;
	/** The level in force: confirmed, otherwise judged, otherwise proposed. */
	readonly level: string;
	readonly cause: Cause;
	/** Whether the party that the profile names has countersigned the cause. */
	readonly causeCountersigned: boolean;
	/** Milliseconds; `null` while it has not happened. */
	readonly moments: Readonly<Record<Moment, number | null>>;
	readonly reports: readonly FiledReport[];
	/** Ids of rules that the client has waived for this fault, with reason on its record. */
	readonly waived: readonly string[];
	/** A quality accident, and when it was told; default: none. */
	readonly accident?: { readonly grade: string; readonly toldMs: number | null } | null;
}

/** A stretch of confirmed downtime of one service inside the period, whole seconds. */
export interface AssessedOutage {
	readonly id: string;
	readonly service: string;
	readonly fromSeconds: number;
	/** `null` while it lasts. */
	readonly toSeconds: number | null;
	readonly downSeconds: number;
	/** The fault that it belongs to; its cause says who answers for it. */
	readonly faultId: string | null;
	/** Names the failure that it is part of: outages of several services with one name are one. Default: its own. */
	readonly failure?: string;
	/** Set where a countersigned cause excuses all of it. */
	readonly excused: boolean;
	/** So much of `downSeconds` is excused. Default: all of it where `excused` is set, otherwise nothing. */
	readonly excusedSeconds?: number;
}

/** A service over the period, as its ledger says. Whole seconds. */
export interface AssessedService {
	readonly service: string;
	/** As people know it. Default: its id. */
	readonly name?: string;
	readonly core: boolean;
	/** Of the part of the period that has passed. */
	readonly agreedSeconds: number;
	/** Of the whole period: an open month has a budget for all of it. */
	readonly agreedSecondsOfPeriod: number;
	readonly downSeconds: number;
	readonly unknownSeconds: number;
	/** Unknown time left out. */
	readonly outages: readonly AssessedOutage[];
	/** The outages if unknown time were up or down. Default: the same. */
	readonly outagesAs?: Readonly<Record<'up' | 'down', readonly AssessedOutage[]>>;
}

/** A user's problem as the contract sees it; times are milliseconds, `null` while something has not happened. */
export interface AssessedProblem {
	readonly id: string;
	readonly number: number;
	readonly service: string | null;
	readonly receivedMs: number;
	readonly handedMs: number | null;
	/** One for the first answer, and one more each time that the reporter did not accept it. */
	readonly rounds: readonly { readonly fromMs: number; readonly answeredMs: number | null; readonly delayUntilMs: number | null }[];
}

/** A lapse or a bonus that a person entered. */
export interface AssessedRecord {
	readonly id: string;
	readonly rule: string;
	/** In the rule's unit. */
	readonly quantity: number;
	readonly atMs: number;
	readonly note: string;
}

/** Everything that is priced. */
export interface AssessmentInput {
	readonly faults: readonly AssessedFault[];
	readonly services: readonly AssessedService[];
	readonly records: readonly AssessedRecord[];
	/** Default: none. */
	readonly problems?: readonly AssessedProblem[];
	/** What is late is judged as of this moment. */
	readonly nowMs: number;
}

export interface AssessmentItem extends AssessmentItemAnswer {
	/** Items of a group are bounded together. */
	readonly group: string | null;
}

/** Items before bounds are applied. */
export type RawItem = Omit<AssessmentItem, 'counted' | 'key'> & { readonly detail: string };
