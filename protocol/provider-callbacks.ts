/** Types of channels whose providers call back. */
export type CallbackProvider =
	| 'wechat_app'
	| 'wechat_official'
	| 'aliyun_sms'
	| 'aliyun_voice'
	| 'tencent_sms'
	| 'tencent_voice'
	| 'mas_sms'
	| 'sms_gateway';

export interface ProviderManners {
	/** What the provider wants to hear with status 200; it repeats what is answered otherwise. */
	readonly taken: string;
	/** The part of the query without which a request is certainly not the provider's. */
	readonly proof: string;
	/** A GET is a check of the address, whose answer only who knows the secrets can give. */
	readonly checksByGet: boolean;
}

const ALIYUN = { taken: '{"code":0,"msg":"接收成功"}', proof: 'token', checksByGet: false } as const;
const TENCENT = { taken: '{"result":0,"errmsg":"OK"}', proof: 'token', checksByGet: false } as const;

/** How each provider's callbacks look from outside, by its documentation. */
export const PROVIDER_MANNERS: Readonly<Record<CallbackProvider, ProviderManners>> = {
	wechat_app: { taken: '', proof: 'msg_signature', checksByGet: true },
	wechat_official: { taken: 'success', proof: 'signature', checksByGet: true },
	aliyun_sms: ALIYUN,
	aliyun_voice: ALIYUN,
	tencent_sms: TENCENT,
	tencent_voice: TENCENT,
	mas_sms: { taken: 'success', proof: 'token', checksByGet: false },
	/** A platform of a city's own wants what `callback.answer` of its channel says. */
	sms_gateway: { taken: 'ok', proof: 'token', checksByGet: false },
};

/** The content type that an answer is given with. */
export function answerType(body: string): string {
	return body.startsWith('{') ? 'application/json' : 'text/plain';
}
