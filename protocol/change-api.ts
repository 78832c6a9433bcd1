import type { AttachmentAnswer, CaseEventAnswer } from './problem-api.ts';

/** JSON of `/api/fournines/v1/changes` (变更) and of `/annotations`. Times are integer milliseconds. */

const CHANGE_STAGES = ['requested', 'approved', 'started', 'done', 'rolled-back', 'closed', 'refused', 'cancelled'] as const;
export type ChangeStage = (typeof CHANGE_STAGES)[number];

/** `POST /changes`. */
export interface ChangeRequest {
	readonly title: string;
	readonly nature: 'routine' | 'urgent';
	readonly services: readonly string[];
	readonly hosts: readonly string[];
	readonly fromMs: number;
	readonly toMs: number;
	/** Work on core data: done while the system is stopped, and approved by the client. */
	readonly coreData: boolean;
	readonly plan: string;
	/** 回退方案 */
	readonly rollback: string;
	readonly risk: string;
	/** The maintenance window that it is carried out in, if there is one. */
	readonly maintenance: string | null;
}

export interface Change extends ChangeRequest {
	readonly id: string;
	readonly stage: ChangeStage;
	/** When it was asked for. */
	readonly atMs: number;
	readonly seq: number;
	readonly requestedBy: string;
	readonly approvedBy: string;
	readonly clientApprovedBy: string;
	/** 双人核对: who looked at the plan before the work, and at the result after it. */
	readonly planCheckedBy: string;
	readonly resultCheckedBy: string;
	readonly executor: string;
	readonly startedMs: number | null;
	readonly endedMs: number | null;
	readonly result: string;
	readonly attachments: readonly AttachmentAnswer[];
}

export interface ChangeAnswer {
	readonly number: number;
	readonly change: Change;
	/** What it still needs before the next step, in the words of the steps: `approve`, `approve-for-client`, `check-plan`, … */
	readonly missing: readonly string[];
}

export interface ChangeListAnswer {
	readonly changes: readonly ChangeAnswer[];
}

export interface ChangeDetailAnswer extends ChangeAnswer {
	readonly events: readonly CaseEventAnswer[];
}

/** One mark on a chart, under the names that Grafana gives to an annotation. */
export interface Annotation {
	readonly id: string;
	readonly kind: 'change' | 'maintenance' | 'fault';
	readonly time: number;
	/** `null` while it goes on. */
	readonly timeEnd: number | null;
	readonly title: string;
	readonly text: string;
	readonly tags: readonly string[];
	readonly services: readonly string[];
	readonly hosts: readonly string[];
}

/** `GET /annotations?from=&to=`. */
export interface AnnotationListAnswer {
	readonly annotations: readonly Annotation[];
}
