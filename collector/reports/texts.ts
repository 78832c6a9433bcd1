/** Languages of documents. Chinese is the default everywhere. */
export type Language = 'zh' | 'en';

/** One catalogue for all reports; the type makes a key that is missing in either language a compile error. */
const TEXTS = {
	title: { zh: '可用性报告', en: 'Availability report' },
	period: { zh: '统计区间', en: 'Period' },
	issued: { zh: '生成时间', en: 'Issued' },
	open: { zh: '本期尚未结束，数字按已过去的时间计算。', en: 'The period is still open; figures are of the time that has passed.' },
	services: { zh: '服务可用率', en: 'Services' },
	service: { zh: '服务', en: 'Service' },
	target: { zh: '目标', en: 'Target' },
	sli: { zh: '可用率', en: 'Availability' },
	worst: { zh: '最差', en: 'worst case' },
	coverage: { zh: '监测覆盖率', en: 'Coverage' },
	met: { zh: '结论', en: 'Result' },
	verdictMet: { zh: '达标', en: 'met' },
	verdictMissed: { zh: '未达标', en: 'missed' },
	verdictOpen: { zh: '待定', en: 'undecided' },
	budget: { zh: '允许中断', en: 'Budget' },
	used: { zh: '已用', en: 'Used' },
	down: { zh: '中断', en: 'Down' },
	degraded: { zh: '降级', en: 'Degraded' },
	unknown: { zh: '未知', en: 'Unknown' },
	excluded: { zh: '不计时间', en: 'Excluded' },
	mtbf: { zh: '平均无故障时间', en: 'MTBF' },
	mttr: { zh: '平均恢复时间', en: 'MTTR' },
	unconfirmed: { zh: '未确认失败', en: 'Unconfirmed' },
	version: { zh: '版本', en: 'Version' },
	issuedBy: { zh: '签发人', en: 'Issued by' },
	note: { zh: '说明', en: 'Note' },
	draft: {
		zh: '未签发：按此刻所知计算，签发后的版本不再改动。',
		en: 'Not issued: as it is known now. A version that was issued is never edited.',
	},
	changes: { zh: '与上一版的差异', en: 'What changed since the version before' },
	was: { zh: '原为', en: 'Was' },
	is: { zh: '现为', en: 'Is' },
	why: { zh: '为何不同', en: 'Why' },
	whyLate: { zh: '签发之后才收到（或删除）检测数据', en: 'checks came, or were deleted, after it was issued' },
	whyDefinition: { zh: '服务的检测或判定规则有变', en: 'the service is checked or judged otherwise' },
	whyExclusion: { zh: '不计时间有变（维护、日历或服务期）', en: 'other time is left out (maintenance, hours, life)' },
	figures: { zh: '变化的数字', en: 'Figures that differ' },
	figure: { zh: '数字', en: 'Figure' },
	best: { zh: '可用率（未知计为可用）', en: 'Availability, unknown as up' },
	worstCase: { zh: '可用率（未知计为中断）', en: 'Availability, unknown as down' },
	leftOut: { zh: '可用率（未知不计）', en: 'Availability, unknown left out' },
	total: { zh: '总秒数', en: 'Seconds' },
	requestGood: { zh: '成功数', en: 'Good' },
	stateUp: { zh: '正常', en: 'up' },
	stateDegraded: { zh: '降级', en: 'degraded' },
	stateDown: { zh: '中断', en: 'down' },
	stateUnknown: { zh: '未知', en: 'unknown' },
	stateExcluded: { zh: '不计', en: 'excluded' },
	beijing: { zh: '北京时间', en: 'Beijing time' },
	unseenList: { zh: '未知时间明细', en: 'Time in which nothing was seen' },
	unseenMore: { zh: '其余较短的 {} 段', en: '{} shorter ones' },
	maintenanceList: { zh: '不计时间的计划维护', en: 'Maintenance that was left out' },
	definition: { zh: '定义', en: 'definition' },
	contract: { zh: '合同', en: 'contract' },
	requests: { zh: '请求成功率', en: 'Requests' },
	requestsAbout: {
		zh: '与按时间计算的可用率并列，互不混合。只计服务时间内、计划维护以外的整分钟；没有请求时记“—”。',
		en: 'Beside the availability by time, and never mixed with it. Of whole minutes inside service hours and outside of maintenance; a dash where no request came.',
	},
	requestSli: { zh: '成功率', en: 'Good' },
	requestTotal: { zh: '请求数', en: 'Requests' },
	requestBad: { zh: '失败数', en: 'Failed' },
	requestBudget: { zh: '允许失败', en: 'May fail' },
	requestExcluded: { zh: '不计时间内', en: 'Excluded' },
	requestUnplaced: { zh: '时间不明', en: 'Of unknown time' },
	outages: { zh: '中断明细', en: 'Outages' },
	noOutages: { zh: '本期没有已确认的中断。', en: 'No confirmed outage in this period.' },
	from: { zh: '开始', en: 'From' },
	to: { zh: '结束', en: 'To' },
	seconds: { zh: '秒数', en: 'Seconds' },
	cause: { zh: '原因', en: 'Cause' },
	ongoing: { zh: '仍在持续', en: 'ongoing' },
	method: { zh: '计算口径', en: 'How it is computed' },
	methodText: {
		zh: '以整秒计。除另有设定外，连续 5 次检测中 3 次失败即确认中断，从第一次失败起算，到恢复后的第一次成功止；未确认的失败不计入中断，另列。服务时间以外、未投用期间和按合同可扣除的计划维护不计。没有数据的时间记为“未知”，不算可用：可用率给出两端，前者把未知计为可用，“最差”把未知计为中断。可用率＝（约定时间－中断）÷约定时间，约定时间＝全部时间－不计时间；允许中断＝约定时间×（1－目标）。中断与未知合计不超过允许中断为达标，中断超过允许中断为未达标，其余待定。平均无故障时间＝正常和降级的秒数÷中断次数，平均恢复时间＝中断秒数÷中断次数。百分比和平均值只舍不入。每个数字都可以复核：fournines ledger export 导出台账，fournines ledger verify 离线重算，所得台账摘要应与下列一致。',
		en: 'In whole seconds. Unless set otherwise, 3 failures of 5 checks confirm an outage, which began at the first failure and ended at the first success of the recovery; failures that were not confirmed are listed apart. Time without data is unknown, never up: availability is a range whose first figure counts unknown as up and whose worst case counts it as down. Hours outside of service, time before and after a service’s life, and maintenance that the contract lets be taken out are excluded. Availability = (agreed − down) / agreed, agreed = all − excluded; budget = agreed × (1 − target). Met: down and unknown together are within the budget; missed: down alone is beyond it; otherwise undecided. MTBF = up and degraded seconds / outages, MTTR = down seconds / outages. Percentages and means are truncated. Every figure can be recomputed: fournines ledger export writes the ledger, fournines ledger verify recomputes it offline, and its digest is the one below.',
	},
	ledgerHash: { zh: '台账摘要（SHA-256）', en: 'Ledger digest (SHA-256)' },
	noServices: {
		zh: '尚未配置服务。在 collector.yml 的 inventory.services 中添加。',
		en: 'No service is configured. Add some under inventory.services in collector.yml.',
	},
	secondsUnit: { zh: '秒', en: 's' },
} as const satisfies Readonly<Record<string, Readonly<Record<Language, string>>>>;

export type TextKey = keyof typeof TEXTS;

/** Heads of the table of services. */
export const SERVICE_COLUMNS = [
	'service',
	'sli',
	'coverage',
	'target',
	'met',
	'budget',
	'down',
	'degraded',
	'unknown',
	'excluded',
	'unconfirmed',
	'mtbf',
	'mttr',
] as const satisfies readonly TextKey[];

export function text(key: TextKey, language: Language): string {
	return TEXTS[key][language];
}

/** `{}` is what the cause is about. */
const CAUSES: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
	condition: { zh: '条件 {} 不成立', en: 'condition {} did not hold' },
	'redundancy lost': { zh: '冗余丧失（{}）', en: 'redundancy lost ({})' },
	'agent silent': { zh: '{} 的采集程序没有上报', en: 'the agent of {} was silent' },
	'agent dead': { zh: '{} 的采集程序停止', en: 'the agent of {} was dead' },
	'host dead': { zh: '主机 {} 停机', en: 'the host {} was dead' },
	'network cut': { zh: '区域 {} 网络中断', en: 'the network of zone {} was cut' },
	'set aside': { zh: '观测点 {} 自身网络异常，不予采信', en: 'the word of vantage point {} was set aside' },
	maintenance: { zh: '计划维护 {}', en: 'maintenance {}' },
	'maintenance, retroactive': {
		zh: '事后补报的维护 {}，经两人批准',
		en: 'maintenance {} that was asked for afterwards and approved by two',
	},
	'not in service': { zh: '服务未投用', en: 'not in service' },
};

const RETROACTIVE = / \(retroactive\)$/;

/** What the ledger writes as a reason (`check: mis`, `no data: mis`, `collector down`, `calendar`), for people. */
export function causeText(reason: string, language: Language): string {
	return reason
		.split('; ')
		.map((part) => {
			const [written = '', subject = ''] = part.split(': ');
			const detail = subject.replace(RETROACTIVE, '');
			const kind = detail === subject ? written : `${written}, retroactive`;
			if (kind === 'check') return language === 'zh' ? `检测 ${detail} 失败` : `check ${detail} failed`;
			if (kind === 'no data') return language === 'zh' ? `检测 ${detail} 没有数据` : `no data from check ${detail}`;
			if (kind === 'collector down') return language === 'zh' ? '采集端停机' : 'the collector was down';
			if (kind === 'calendar') return language === 'zh' ? '服务时间以外' : 'outside service hours';
			const words = CAUSES[kind];
			if (words !== undefined) return words[language].replace('{}', detail);
			return part;
		})
		.join(language === 'zh' ? '；' : '; ');
}
