import type { PartyName } from './contract-api.ts';
import type { AttachmentAnswer, CaseEventAnswer, DeskClockAnswer } from './problem-api.ts';

/** JSON of `/api/fournines/v1/faults`. Times are integer milliseconds. */

export type FaultStage = 'candidate' | 'dismissed' | 'merged' | 'declared' | 'restored' | 'resolved' | 'closed';
export type FaultCause = 'own' | 'cloud' | 'carrier' | 'client' | 'force-majeure' | 'unknown';
export type FaultMoment = 'onset' | 'detected' | 'notified' | 'declared' | 'acknowledged' | 'restored' | 'resolved' | 'reported' | 'closed';

export interface FaultAnswer {
	readonly number: number;
	readonly fault: {
		readonly id: string;
		readonly profile: string;
		readonly stage: FaultStage;
		readonly source: 'outage' | 'alert' | 'manual' | 'split';
		readonly service: string | null;
		readonly title: string;
		readonly point: string;
		readonly owner: string;
		readonly escalatedTo: string;
		readonly level: string;
		readonly levelState: 'proposed' | 'judged' | 'confirmed';
		readonly moments: Readonly<Record<FaultMoment, number | null>>;
		readonly cause: FaultCause;
		readonly causeText: string;
		readonly countersigned: readonly PartyName[];
		readonly reports: readonly { readonly report: string; readonly filedMs: number | null; readonly by: string }[];
		readonly waived: readonly string[];
		readonly orders: readonly {
			readonly number: number;
			readonly assignee: string;
			readonly text: string;
			readonly steps: readonly { readonly text: string; readonly doneMs: number | null; readonly doneBy: string }[];
			readonly finishedMs: number | null;
		}[];
		readonly attachments: readonly AttachmentAnswer[];
		readonly links: readonly { readonly fault: string; readonly relation: string }[];
		/** Services above the failed one that were down because of it. */
		readonly affected: readonly string[];
		readonly accident: { readonly grade: string; readonly toldMs: number | null } | null;
		readonly mergedInto: string | null;
		readonly repeatOf: string | null;
		readonly dismissedReason: string;
	};
	/** What is owed, soonest first. */
	readonly steps: readonly { readonly step: string; readonly by: string; readonly dueMs: number | null; readonly clock: string | null }[];
	readonly clocks: readonly DeskClockAnswer[];
}

export interface FaultListAnswer {
	readonly faults: readonly FaultAnswer[];
}

export interface FaultDetailAnswer extends FaultAnswer {
	readonly events: readonly CaseEventAnswer[];
}

/** `GET /desk/identity`: for whom the account speaks. */
export interface DeskIdentityAnswer {
	readonly parties: readonly PartyName[];
	readonly disputesDecidedBy: PartyName;
}
