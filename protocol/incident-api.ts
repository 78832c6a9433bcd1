/** JSON of `/api/fournines/v1/incidents`. Times are integer milliseconds. */
export interface IncidentAnswer {
	readonly id: string;
	/** What people say; the routes take it as well as the id. */
	readonly number: number;
	readonly state: 'open' | 'acknowledged' | 'resolved';
	readonly source: 'alerts' | 'fault' | 'drill';
	readonly title: string;
	readonly severity: string;
	readonly labels: Readonly<Record<string, string>>;
	readonly startsAtMs: number;
	readonly openedAtMs: number;
	/** First time that anybody took it. */
	readonly acknowledgedAtMs: number | null;
	readonly resolvedAtMs: number | null;
	/** Name of whoever has it; `''` while nobody has. */
	readonly owner: string;
	/** When it becomes nobody's again. */
	readonly releaseAtMs: number | null;
	/** When the next person is called; `null` when nobody will be. */
	readonly nextCallAtMs: number | null;
	/** What hides all of its alerts, so that nobody is called: `silence`, `maintenance`, `inhibition`, or `''`. */
	readonly held: string;
	/** Everybody was called, and nobody took it. */
	readonly exhausted: boolean;
	/** Name of the escalation policy; `''` without one. */
	readonly policy: string;
	readonly firingCount: number;
	readonly alertCount: number;
	readonly fault: string | null;
	readonly faultLevel: string | null;
	readonly called: readonly { readonly name: string; readonly atMs: number }[];
}

/** One line of what happened, from the first sample to the end. `detail` holds what the kind of line needs, names instead of ids. */
export interface TimelineLine {
	readonly atMs: number;
	readonly kind: string;
	/** Account, person's name, or `fournines`. */
	readonly actor: string;
	readonly detail: Readonly<Record<string, string | number>>;
}

export interface IncidentAlert {
	readonly summary: string;
	readonly severity: string;
	readonly labels: Readonly<Record<string, string>>;
	readonly startsAtMs: number;
	readonly endsAtMs: number | null;
	readonly action: string;
	readonly runbookUrl: string;
}

/** 首报, 续报, 终报, ready to be sent, and when they were. */
export interface NoticeAnswer {
	readonly notice: 'first' | 'progress' | 'final';
	readonly text: string;
	/** Whom the contract wants told. */
	readonly tell: readonly string[];
	readonly ticked: readonly { readonly atMs: number; readonly by: string; readonly told: readonly string[]; readonly channel: string }[];
}

export interface IncidentDetailAnswer {
	readonly incident: IncidentAnswer;
	readonly alerts: readonly IncidentAlert[];
	/** Oldest first. */
	readonly timeline: readonly TimelineLine[];
	/** `一级 剩 1:37 下次通报 10:15`, or `''`. */
	readonly clock: string;
	readonly notices: readonly NoticeAnswer[];
}

export interface IncidentListAnswer {
	readonly nowMs: number;
	readonly incidents: readonly IncidentAnswer[];
}

/** `GET /incidents/statistics?from=&to=`: how fast incidents were taken and over. Durations in milliseconds; `null` without any incident. */
export interface IncidentStatisticsAnswer {
	readonly count: number;
	readonly acknowledged: number;
	/** Nobody ever took them; they count in MTTA up to their end, or up to now. */
	readonly neverTaken: number;
	readonly open: number;
	/** Mean time to acknowledge. */
	readonly mttaMs: number | null;
	readonly medianToAcknowledgeMs: number | null;
	/** Mean time from opening to the end; what is not over counts up to now. */
	readonly mttrMs: number | null;
}
