/** JSON of `/api/fournines/v1/problems`: users' problems, 受理 → 交办 → 回复 → 结案. Times are integer milliseconds. */

export const PROBLEM_CHANNELS = ['phone', 'qq', 'wechat', 'mail', 'visit'] as const;
export type ProblemChannel = (typeof PROBLEM_CHANNELS)[number];

export const PROBLEM_STAGES = ['received', 'accepted', 'handed', 'answered', 'closed', 'withdrawn'] as const;
export type ProblemStage = (typeof PROBLEM_STAGES)[number];

/** What a reporter told. */
interface Told {
	readonly channel: ProblemChannel;
	readonly reporter: string;
	readonly contact: string;
	readonly department: string;
	readonly service: string | null;
	readonly category: string;
	readonly title: string;
	readonly text: string;
}

export interface Problem extends Told {
	readonly id: string;
	readonly stage: ProblemStage;
	/** When the reporter told it. */
	readonly atMs: number;
	readonly seq: number;
	/** Contract profile whose clocks run. */
	readonly profile: string;
	readonly acceptedBy: string;
	/** To whom it was handed over. */
	readonly owner: string;
	readonly acceptedMs: number | null;
	readonly handedMs: number | null;
	/** One for the first answer, and one more each time that the reporter did not accept it. */
	readonly rounds: readonly {
		readonly fromMs: number;
		readonly answeredMs: number | null;
		readonly answer: string;
		readonly delayUntilMs: number | null;
	}[];
	/** Who confirmed for the reporter, and when; what closed it. */
	readonly confirmedBy: string;
	readonly closedMs: number | null;
	readonly faults: readonly string[];
	readonly attachments: readonly AttachmentAnswer[];
}

/** A file of a fault, a problem or a change; `GET …/attachments/{id}` answers its bytes. */
export interface AttachmentAnswer {
	readonly id: string;
	readonly name: string;
	readonly sizeBytes: number;
	readonly sha256: string;
}

export interface DeskClockAnswer {
	readonly clock: string;
	readonly name: string;
	readonly clause: string;
	readonly fromMs: number;
	readonly dueMs: number;
	readonly stoppedMs: number | null;
	readonly late: boolean;
}

export interface ProblemAnswer {
	readonly number: number;
	readonly problem: Problem;
	readonly clocks: readonly DeskClockAnswer[];
}

export interface ProblemListAnswer {
	readonly problems: readonly ProblemAnswer[];
}

export interface CaseEventAnswer {
	readonly seq: number;
	readonly atMs: number;
	readonly actor: string;
	readonly body: { readonly kind: string } & Readonly<Record<string, unknown>>;
}

export interface ProblemDetailAnswer extends ProblemAnswer {
	readonly events: readonly CaseEventAnswer[];
}

/** `POST /problems`. */
export interface ProblemRequest extends Told {
	readonly receivedMs: number;
}

/** `GET /problems/frequent?from=&to=`: what users ask most, with the newest answer that was accepted. */
export interface FrequentProblemsAnswer {
	readonly categories: readonly {
		readonly category: string;
		readonly count: number;
		readonly reopened: number;
		readonly answer: string;
		readonly titles: readonly string[];
	}[];
}
