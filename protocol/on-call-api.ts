/** JSON of `/api/fournines/v1/oncall`. Times are integer milliseconds. */
export interface PersonAnswer {
	readonly id: string;
	readonly name: string;
	/** Names of channels, in the order in which they are tried; no numbers. */
	readonly channels: readonly string[];
}

export interface RosterAnswer {
	readonly id: string;
	readonly name: string;
	readonly zone: string;
	readonly now: readonly string[];
	/** The next people, and from when; `null` when none come within two months. */
	readonly next: { readonly atMs: number; readonly people: readonly string[] } | null;
}

export interface OnCallAnswer {
	readonly nowMs: number;
	readonly people: readonly PersonAnswer[];
	readonly rosters: readonly RosterAnswer[];
	readonly outlook: {
		readonly fromMs: number;
		readonly toMs: number;
		readonly gaps: readonly {
			readonly rule: string;
			readonly fromMs: number;
			readonly toMs: number;
			readonly wanted: number;
			readonly people: readonly string[];
		}[];
		readonly overloads: readonly {
			readonly person: string;
			readonly kind: 'in-row' | 'week';
			readonly fromMs: number;
			readonly toMs: number;
			readonly hours: number;
			readonly limitHours: number;
		}[];
		readonly unknownYears: readonly number[];
	};
	readonly nextDrillMs: number | null;
}

export interface ShiftListAnswer {
	readonly shifts: readonly { readonly fromMs: number; readonly toMs: number; readonly people: readonly string[] }[];
}

export interface DutyChangeAnswer {
	readonly id: string;
	readonly roster: string;
	readonly what: 'replace' | 'add' | 'alone' | 'swap';
	readonly changes: readonly { readonly fromMs: number; readonly toMs: number; readonly instead: string; readonly person: string }[];
	readonly reason: string;
	readonly by: string;
	readonly atMs: number;
	readonly cancelled: { readonly by: string; readonly atMs: number; readonly reason: string } | null;
}

export interface DutyChangeListAnswer {
	readonly changes: readonly DutyChangeAnswer[];
}

export type HandoverSide = 'outgoing' | 'incoming';

export interface HandoverAnswer {
	readonly id: string;
	readonly roster: string;
	readonly atMs: number;
	readonly outgoing: readonly string[];
	readonly incoming: readonly string[];
	readonly facts: {
		readonly incidents: readonly { readonly number: number; readonly title: string; readonly state: string; readonly owner: string }[];
		readonly alerts: readonly { readonly title: string; readonly severity: string; readonly sinceMs: number }[];
		readonly silences: readonly { readonly id: string; readonly comment: string; readonly by: string; readonly endsAtMs: number }[];
		readonly maintenance: readonly { readonly title: string; readonly fromMs: number; readonly toMs: number }[];
		readonly budgets: readonly { readonly service: string; readonly remainingSeconds: number; readonly totalSeconds: number }[];
	};
	readonly signatures: readonly {
		readonly side: HandoverSide;
		readonly person: string;
		readonly by: string;
		readonly atMs: number;
		readonly note: string;
	}[];
	readonly missing: readonly HandoverSide[];
	/** The lead has been told that it is late. */
	readonly toldLead: boolean;
}

export interface HandoverListAnswer {
	readonly handovers: readonly HandoverAnswer[];
}
