/** How alerts of another system are read. */
export interface ForeignMapping {
	readonly items?: string;
	readonly labels: Readonly<Record<string, string>>;
	readonly annotations: Readonly<Record<string, string>>;
	readonly status: string;
	readonly resolved: readonly string[];
	readonly severity: string;
	readonly severities: Readonly<Record<string, string>>;
	readonly defaultSeverity: string;
	readonly startsAt: string;
}

export type ForeignFormat = 'custom' | 'zabbix' | 'aliyun' | 'tencent';

const CUSTOM: ForeignMapping = {
	labels: {},
	annotations: {},
	status: '{status}',
	resolved: ['resolved', 'ok', 'OK', '0'],
	severity: '{severity}',
	severities: {},
	defaultSeverity: 'warning',
	startsAt: '',
};

export const SHIPPED_MAPPINGS: Readonly<Record<ForeignFormat, ForeignMapping>> = {
	custom: CUSTOM,
	/** A webhook media type whose parameters are listed in docs/alert-intake.md; `value` is {EVENT.VALUE}. */
	zabbix: {
		...CUSTOM,
		labels: { alertname: '{trigger_name}', host: '{host}', trigger_id: '{trigger_id}' },
		annotations: { summary: '{host}：{trigger_name}', description: '{opdata}', action: '{trigger_description}' },
		status: '{value}',
		resolved: ['0', 'OK', 'RESOLVED'],
		severities: {
			Disaster: 'critical',
			High: 'critical',
			Average: 'warning',
			Warning: 'warning',
			Information: 'info',
			'Not classified': 'info',
		},
		startsAt: '{event_time}',
	},
	/** CloudMonitor's alert callback (help.aliyun.com, 云监控 使用阈值报警回调); INSUFFICIENT_DATA neither fires nor ends anything. */
	aliyun: {
		...CUSTOM,
		labels: {
			alertname: '{alertName}',
			instance: '{instanceName|dimensions}',
			dimensions: '{dimensions}',
			metric: '{metricName|rawMetricName}',
			namespace: '{namespace|metricProject}',
			rule_id: '{ruleId}',
		},
		annotations: {
			summary: '{alertName}：{instanceName|dimensions}',
			description: '{metricName|rawMetricName} = {curValue}，条件 {expression}',
		},
		status: '{alertState}',
		resolved: ['OK'],
		severity: '{triggerLevel}',
		severities: { CRITICAL: 'critical', WARN: 'warning', INFO: 'info' },
		startsAt: '{timestamp}',
	},
	/** Tencent Cloud's alarm callback (cloud.tencent.com/document/product/248/50409). It names no level: set `default_severity`. */
	tencent: {
		...CUSTOM,
		labels: {
			alertname: '{alarmPolicyInfo.policyName}',
			instance:
				'{alarmObjInfo.dimensions.unInstanceId|alarmObjInfo.dimensions.objName|alarmObjInfo.dimensions.objId|alarmObjInfo.dimensions.instanceId|sessionId}',
			metric: '{alarmPolicyInfo.conditions.metricName|alarmPolicyInfo.conditions.eventName}',
			namespace: '{alarmObjInfo.namespace}',
			session: '{sessionId}',
		},
		annotations: {
			summary: '{alarmPolicyInfo.policyName}：{alarmPolicyInfo.conditions.metricShowName|alarmPolicyInfo.conditions.eventShowName}',
			description:
				'{alarmPolicyInfo.conditions.metricShowName} = {alarmPolicyInfo.conditions.currentValue}{alarmPolicyInfo.conditions.unit}',
		},
		status: '{alarmStatus}',
		resolved: ['0'],
		severity: '',
		startsAt: '{firstOccurTime}',
	},
};

/** Words that say nothing about firing or not. */
export const NO_STATE = ['INSUFFICIENT_DATA'];
