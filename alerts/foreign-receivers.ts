import { type TSchema, Type } from 'typebox';

/** Receivers of Alertmanager (prometheus.io/docs/alerting/latest/configuration/) that no channel here stands for. */
export const FOREIGN_RECEIVERS = [
	'slack',
	'pagerduty',
	'opsgenie',
	'victorops',
	'pushover',
	'sns',
	'telegram',
	'discord',
	'webex',
	'msteams',
	'msteamsv2',
	'rocketchat',
	'mattermost',
	'jira',
	'incidentio',
] as const;
type ForeignReceiver = (typeof FOREIGN_RECEIVERS)[number];

/** What they say in `global`. */
export const foreignGlobalKeys: Readonly<Record<string, ForeignReceiver>> = {
	slack_api_url: 'slack',
	slack_api_url_file: 'slack',
	slack_app_token: 'slack',
	slack_app_token_file: 'slack',
	slack_app_url: 'slack',
	pagerduty_url: 'pagerduty',
	opsgenie_api_url: 'opsgenie',
	opsgenie_api_key: 'opsgenie',
	opsgenie_api_key_file: 'opsgenie',
	victorops_api_url: 'victorops',
	victorops_api_key: 'victorops',
	victorops_api_key_file: 'victorops',
	telegram_api_url: 'telegram',
	telegram_bot_token: 'telegram',
	telegram_bot_token_file: 'telegram',
	webex_api_url: 'webex',
	rocketchat_api_url: 'rocketchat',
	rocketchat_token: 'rocketchat',
	rocketchat_token_file: 'rocketchat',
	rocketchat_token_id: 'rocketchat',
	rocketchat_token_id_file: 'rocketchat',
	mattermost_webhook_url: 'mattermost',
	mattermost_webhook_url_file: 'mattermost',
	jira_api_url: 'jira',
};

/** Taken by the schema, so that `checkForeign` can say what to do instead. */
export const foreignReceiverProperties = Object.fromEntries(
	FOREIGN_RECEIVERS.map((name) => [`${name}_configs`, Type.Optional(Type.Array(Type.Unknown()))]),
) as Readonly<Record<never, TSchema>>;

export const foreignGlobalProperties = Object.fromEntries(
	Object.keys(foreignGlobalKeys).map((key) => [key, Type.Optional(Type.Unknown())]),
) as Readonly<Record<never, TSchema>>;

/** Those that call a person; the others write to a group. */
const PAGERS: readonly ForeignReceiver[] = ['pagerduty', 'opsgenie', 'victorops', 'pushover', 'sns', 'incidentio'];

interface ForeignConfig {
	readonly global: object;
	readonly receivers: readonly object[];
	readonly leave_out: readonly ForeignReceiver[];
}

/** Says of every receiver that there is no channel for what stands in its place, unless it is left out on purpose. */
export function checkForeign(config: ForeignConfig, report: (path: readonly (string | number)[], message: string) => void): void {
	const refuse = (name: ForeignReceiver, path: readonly (string | number)[]) => {
		if (config.leave_out.includes(name)) return;
		const instead = PAGERS.includes(name)
			? 'a person is called by `oncall` with channels such as aliyun_voice, tencent_voice, cmpp or wechat_app'
			: 'a group is told by wechat_robot_configs, dingtalk_configs, feishu_configs or webhook_configs';
		report(path, `there is no channel for ${name}: ${instead}. To load the rest of the file, add "${name}" to leave_out`);
	};
	for (const [key, name] of Object.entries(foreignGlobalKeys)) if (key in config.global) refuse(name, ['global', key]);
	for (const [i, receiver] of config.receivers.entries()) {
		for (const name of FOREIGN_RECEIVERS) if (`${name}_configs` in receiver) refuse(name, ['receivers', i, `${name}_configs`]);
	}
}
