import { formatZoned } from '../../core/zone-time.ts';
import type { NoticeKind } from '../incident/incident-event.ts';

/** A declared fault, as on-call sees it. The contract's side of it stays where it is. */
export interface FaultFacts {
	readonly id: string;
	/** For people. */
	readonly number: number;
	readonly title: string;
	readonly service: string | null;
	/** Fingerprint of the alert that opened it; `null` for one that was found or reported otherwise. */
	readonly fingerprint: string | null;
	readonly level: string;
	/** 一级 */
	readonly levelName: string;
	readonly onsetMs: number;
	readonly declaredMs: number;
	/** `null` while it goes on. */
	readonly restoredMs: number | null;
	/** What has to be reached next, and until when. */
	readonly deadline: { readonly name: string; readonly dueMs: number } | null;
	/** When people have to be told of the progress again; `null` where its level asks for none. */
	readonly progressDueMs: number | null;
	/** Whom the contract wants told. */
	readonly tell: readonly string[];
}

/** Time to gather what there is to say. */
const REMIND_MS = 5 * 60_000;

/** Whether somebody has to be reminded now. `remindedMs`: the deadline of the last reminder. */
export function reminderDue({ progressDueMs, restoredMs }: FaultFacts, remindedMs: number | null, nowMs: number): boolean {
	if (progressDueMs === null || restoredMs !== null) return false;
	return nowMs >= progressDueMs - REMIND_MS && (remindedMs === null || progressDueMs > remindedMs);
}

/** `一级 剩 1:37 下次通报 10:15`: what every message about a fault carries. */
export function clockText({ levelName, deadline, progressDueMs }: FaultFacts, nowMs: number, zone: string): string {
	const parts = [levelName];
	if (deadline !== null)
		parts.push(deadline.dueMs >= nowMs ? `剩 ${hoursMinutes(deadline.dueMs - nowMs)}` : `超时 ${hoursMinutes(nowMs - deadline.dueMs)}`);
	if (progressDueMs !== null) parts.push(`下次通报 ${clock(progressDueMs, zone)}`);
	return parts.join(' ');
}

/** 首报, 续报, 终报, ready to be sent; what only a person knows is left as an underlined gap. */
export function noticeText(
	kind: NoticeKind,
	fault: FaultFacts,
	context: { readonly nowMs: number; readonly zone: string; readonly sender: string },
): string {
	const { nowMs, zone, sender } = context;
	const time = (timeMs: number) => formatZoned(timeMs, zone).slice(0, 16);
	const head = `【${NOTICE_NAMES[kind]}】故障 ${fault.number}：${fault.title}`;
	const facts = [`级别：${fault.levelName}`, `发生：${time(fault.onsetMs)}`, `申报：${time(fault.declaredMs)}`];
	const { deadline, progressDueMs, restoredMs } = fault;
	const signature = `${sender === '' ? '值班员' : sender} ${time(nowMs)}`;
	switch (kind) {
		case 'first':
			return [
				head,
				...facts,
				'影响：____',
				`处置：正在处理，${deadline === null ? '' : `要求 ${time(deadline.dueMs)} 前${deadline.name}，`}____`,
				progressDueMs === null ? '' : `下次通报：${time(progressDueMs)}`,
				signature,
			]
				.filter((line) => line !== '')
				.join('\n');
		case 'progress':
			return [
				head,
				`已持续：${hoursMinutes(nowMs - fault.onsetMs)}`,
				deadline === null ? '' : `时限：${clockText(fault, nowMs, zone)}`,
				'进展：____',
				'下一步：____',
				signature,
			]
				.filter((line) => line !== '')
				.join('\n');
		case 'final':
			return [
				head,
				...facts,
				`恢复：${restoredMs === null ? '____' : time(restoredMs)}`,
				`历时：${restoredMs === null ? '____' : hoursMinutes(restoredMs - fault.onsetMs)}`,
				'原因：____',
				'措施：____',
				signature,
			].join('\n');
	}
}

export const NOTICE_NAMES: Readonly<Record<NoticeKind, string>> = { first: '首报', progress: '续报', final: '终报' };

/** `1:37` */
function hoursMinutes(ms: number): string {
	const minutes = Math.floor(Math.max(0, ms) / 60_000);
	return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`;
}

function clock(timeMs: number, zone: string): string {
	return formatZoned(timeMs, zone).slice(11, 16);
}
