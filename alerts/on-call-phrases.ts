import type { Language } from './templates/language.ts';

/** Every word that on-call says to people, one catalogue for both languages. Reports to the client (首报 …) are Chinese, as contracts are. */
export interface OnCallPhrases {
	readonly taken: (number: number, name: string, title: string) => string;
	readonly confirmed: (number: number, title: string) => string;
	readonly alreadyTaken: (number: number, name: string) => string;
	readonly notYours: string;
	readonly nothingWaits: string;
	readonly answerWith: (codes: readonly string[]) => string;
	readonly drill: (by: string | null) => string;
	readonly unsigned: (roster: string, sides: readonly ('outgoing' | 'incoming')[]) => string;
	readonly reportDue: (number: number, title: string) => string;
	readonly fault: (number: number, title: string) => string;
	readonly faultOver: (number: number) => string;
}

const CHINESE: OnCallPhrases = {
	taken: (number, name, title) => `事件 ${number} 已由 ${name} 确认处理：${title}`,
	confirmed: (number, title) => `已确认事件 ${number}：${title}`,
	alreadyTaken: (number, name) => `事件 ${number} 已由 ${name} 确认`,
	notYours: '该事件已结束，或未呼叫过您',
	nothingWaits: '没有等待您确认的事件',
	answerWith: (codes) => `请回复编号：${codes.join('、')}`,
	drill: (by) => `演练：请确认收到（${by === null ? '按计划' : `发起 ${by}`}）`,
	unsigned: (roster, sides) =>
		`交接班未签字（${roster}）：${sides.map((side) => (side === 'outgoing' ? '交班' : '接班')).join('、')}方尚未签字`,
	reportDue: (number, title) => `请通报故障 ${number} 进展：${title}`,
	fault: (number, title) => `故障 ${number}：${title}`,
	faultOver: (number) => `故障 ${number} 已恢复`,
};

const ENGLISH: OnCallPhrases = {
	taken: (number, name, title) => `Incident ${number} was taken by ${name}: ${title}`,
	confirmed: (number, title) => `You have incident ${number}: ${title}`,
	alreadyTaken: (number, name) => `Incident ${number} was taken by ${name}`,
	notYours: 'That incident is over, or you were not called for it',
	nothingWaits: 'Nothing waits for you',
	answerWith: (codes) => `Please answer with its number: ${codes.join(', ')}`,
	drill: (by) => `Drill: please confirm (${by === null ? 'as scheduled' : `started by ${by}`})`,
	unsigned: (roster, sides) =>
		`Hand-over not signed (${roster}): by who ${sides.map((side) => (side === 'outgoing' ? 'hands over' : 'takes over')).join(' and ')}`,
	reportDue: (number, title) => `Please report on fault ${number}: ${title}`,
	fault: (number, title) => `Fault ${number}: ${title}`,
	faultOver: (number) => `fault ${number} is over`,
};

export function onCallPhrases(language: Language): OnCallPhrases {
	return language === 'en' ? ENGLISH : CHINESE;
}
