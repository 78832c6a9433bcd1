import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { aliyunAuthorization } from './aliyun/signature.ts';
import { tencentAuthorization } from './tencent/signature.ts';

test('Aliyun V3: the example of its documentation', () => {
	const payloadSha256 = createHash('sha256').update('').digest('hex');
	const authorization = aliyunAuthorization(
		{
			method: 'POST',
			path: '/',
			query: { RegionId: 'cn-shanghai', ImageId: 'win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd' },
			headers: {
				host: 'ecs.cn-shanghai.aliyuncs.com',
				'x-acs-action': 'RunInstances',
				'x-acs-content-sha256': payloadSha256,
				'x-acs-date': '2023-10-26T10:22:32Z',
				'x-acs-signature-nonce': '3156853299f313e23d1673dc12e1703d',
				'x-acs-version': '2014-05-26',
			},
			payloadSha256,
		},
		{ id: 'YourAccessKeyId', secret: 'YourAccessKeySecret' },
	);
	expect(authorization).toMatch(/Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0$/);
});

test('Tencent TC3: the example of its documentation', () => {
	const authorization = tencentAuthorization(
		{
			service: 'cvm',
			timestamp: 1551113065,
			headers: { 'content-type': 'application/json; charset=utf-8', host: 'cvm.tencentcloudapi.com' },
			payload: '{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}',
		},
		{ id: 'AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE', secret: 'Gu5t9xGARNpq86cd98joQYCN3EXAMPLE' },
	);
	expect(authorization).toMatch(/Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168$/);
});
