import type { SecretRef } from '../../../core/secret.ts';
import { jsonObject, judgeBody } from '../body-code.ts';
import type { Judge } from '../channel-frame.ts';
import type { LineContext } from '../channel-line.ts';
import type { Notification } from '../notification.ts';
import { openWechatAccount, WECHAT_CODES, type WechatAccount } from '../wechat-account.ts';

/** Bytes of a text (developer.work.weixin.qq.com, 发送应用消息). */
export const TEXT_LIMIT_BYTES = 2048;
/** The service drops the same message within this time, at most four hours. */
export const DUPLICATE_CHECK_S = 1800;

interface AppAccountConfig {
	readonly base_url: string;
	readonly corp_id: string;
	readonly secret: SecretRef;
	readonly timeout: string;
}

/** An application's way to `POST /cgi-bin/message/send`. */
export function openAppAccount(config: AppAccountConfig, context: LineContext): WechatAccount {
	return openWechatAccount(config, context, (base, secret) => ({
		method: 'GET',
		url: `${base}/cgi-bin/gettoken?${new URLSearchParams({ corpid: config.corp_id, corpsecret: secret.reveal() })}`,
	}));
}

/** Whether the service still recognises a second copy of this message, which then goes out unchanged instead of marked. */
export function isDropped(notification: Notification, nowMs: number): boolean {
	return nowMs - notification.createdAtMs < (DUPLICATE_CHECK_S - 300) * 1000;
}

/** errcode 0 with `invaliduser`, `invalidparty` or `invalidtag` reached the others only. */
export function judgeSend(to: readonly string[], taskId: string): Judge {
	return (response, world) => {
		const result = judgeBody(response, WECHAT_CODES, world);
		if (result.kind !== 'sent') return result;
		const { invaliduser, unlicenseduser, invalidparty, invalidtag } = jsonObject(response.body);
		const missed = [invaliduser, unlicenseduser, invalidparty, invalidtag]
			.filter((names) => typeof names === 'string' && names !== '')
			.join('|');
		if (missed !== '') {
			return {
				kind: 'refused',
				code: to.length === 1 ? 'invaliduser' : 'partly',
				reason: `not members who see the application: ${missed}`,
			};
		}
		return taskId === '' ? result : { ...result, receipts: to.map((user) => ({ key: taskId, to: user })) };
	};
}
