import type { Language } from './language.ts';

/** Every word that messages are made of, one catalogue for both languages. */
export interface Phrases {
	readonly severity: Readonly<Record<string, string>>;
	readonly resolved: string;
	readonly repeat: string;
	readonly possibleDuplicate: string;
	readonly flapping: string;
	readonly where: string;
	readonly since: string;
	readonly level: string;
	readonly detail: string;
	readonly action: string;
	readonly runbook: string;
	readonly lasted: string;
	readonly ended: string;
	readonly number: string;
	readonly system: string;
	readonly colon: string;
	readonly comma: string;
	readonly separator: string;
	readonly open: string;
	readonly close: string;
	readonly from: string;
	readonly gap: string;
	readonly consequence: string;
	readonly takeLink: string;
	readonly takeButton: string;
	readonly taken: string;
	readonly seeMore: string;
	readonly take: (code: string) => string;
	readonly takeOne: (code: string) => string;
	readonly takeCode: (code: string) => string;
	readonly takeList: string;
	readonly affects: (names: string, more: number) => string;
	readonly ongoing: (duration: string) => string;
	readonly count: (firing: number, resolved: number) => string;
	readonly more: (count: number) => string;
	readonly merged: (count: number) => string;
	readonly units: { readonly d: string; readonly h: string; readonly m: string; readonly s: string };
}

const CHINESE: Phrases = {
	severity: { critical: '严重', warning: '警告', info: '提示' },
	resolved: '恢复',
	repeat: '仍未恢复',
	possibleDuplicate: '可能重复',
	flapping: '反复告警，平稳前不再通知',
	where: '对象',
	since: '开始',
	level: '级别',
	detail: '说明',
	action: '先做',
	runbook: '手册',
	lasted: '持续',
	ended: '恢复时间',
	number: '编号',
	system: '系统',
	colon: '：',
	comma: '，',
	separator: '；',
	open: '【',
	close: '】',
	from: '起',
	gap: '',
	consequence: '受其影响',
	takeLink: '认领',
	takeButton: '我来处理',
	taken: '已认领',
	seeMore: '登录查看详情',
	take: (code) => `回复 ${code} 认领`,
	takeOne: (code) => `回复编号认领，如 ${code}`,
	takeCode: (code) => `认领 ${code}`,
	takeList: '全部事件',
	affects: (names, more) => `影响 ${names}${more > 0 ? ` 等 ${more} 项` : ''}`,
	ongoing: (duration) => `已 ${duration}`,
	count: (firing, resolved) =>
		resolved === 0 ? `${firing} 条告警` : firing === 0 ? `${resolved} 条恢复` : `${firing} 条告警、${resolved} 条恢复`,
	more: (count) => `另有 ${count} 条，请登录查看`,
	merged: (count) => `合并 ${count} 条通知`,
	units: { d: '天', h: '小时', m: '分', s: '秒' },
};

const ENGLISH: Phrases = {
	severity: { critical: 'Critical', warning: 'Warning', info: 'Info' },
	resolved: 'Resolved',
	repeat: 'still firing',
	possibleDuplicate: 'possible duplicate',
	flapping: 'flapping, quiet until calm',
	where: 'Where',
	since: 'Since',
	level: 'Severity',
	detail: 'Details',
	action: 'Do first',
	runbook: 'Runbook',
	lasted: 'lasted',
	ended: 'Resolved at',
	number: 'No.',
	system: 'system',
	colon: ': ',
	comma: ', ',
	separator: '; ',
	open: '[',
	close: '] ',
	from: '',
	gap: ' ',
	consequence: 'Affected by it',
	takeLink: 'Take it',
	takeButton: 'I take it',
	taken: 'Taken',
	seeMore: 'log in to see more',
	take: (code) => `reply ${code} to take it`,
	takeOne: (code) => `reply a code to take it, like ${code}`,
	takeCode: (code) => `Take ${code}`,
	takeList: 'All incidents',
	affects: (names, more) => `affects ${names}${more > 0 ? ` and ${more} more` : ''}`,
	ongoing: (duration) => `for ${duration}`,
	count: (firing, resolved) =>
		resolved === 0 ? `${firing} alerts` : firing === 0 ? `${resolved} resolved` : `${firing} alerts, ${resolved} resolved`,
	more: (count) => `${count} more, log in to see them`,
	merged: (count) => `${count} notifications in one`,
	units: { d: 'd', h: 'h', m: 'm', s: 's' },
};

export function phrases(language: Language): Phrases {
	return language === 'en' ? ENGLISH : CHINESE;
}

/** `5分12秒`; two units at most, because nobody needs the seconds of an outage of days. */
export function spokenDuration(ms: number, language: Language): string {
	const { units } = phrases(language);
	const seconds = Math.max(0, Math.round(ms / 1000));
	const parts: [number, string][] = [
		[Math.floor(seconds / 86_400), units.d],
		[Math.floor(seconds / 3600) % 24, units.h],
		[Math.floor(seconds / 60) % 60, units.m],
		[seconds % 60, units.s],
	];
	const first = parts.findIndex(([count]) => count > 0);
	if (first === -1) return `0${units.s}`;
	return parts
		.slice(first, first + 2)
		.filter(([count]) => count > 0)
		.map(([count, unit]) => `${count}${unit}`)
		.join('');
}
