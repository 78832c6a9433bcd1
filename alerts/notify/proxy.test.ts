import { describe, expect, test } from 'vitest';
import { AppError } from '../../core/errors.ts';
import { Secret, type SecretRef } from '../../core/secret.ts';
import { isDirect, type ProxyConfig, proxyAgents } from './proxy.ts';

/** What golang.org/x/net/http/httpproxy says of these (its own documentation and use_proxy_test). */
describe('what is reached directly', () => {
	test.each([
		{ list: 'example.cn', url: 'http://example.cn/', direct: true },
		{ list: 'example.cn', url: 'https://mail.example.cn/', direct: true },
		{ list: 'example.cn', url: 'http://badexample.cn/', direct: false },
		{ list: '.example.cn', url: 'http://example.cn/', direct: false },
		{ list: '.example.cn', url: 'http://mail.example.cn/', direct: true },
		{ list: '*.example.cn', url: 'http://mail.example.cn/', direct: true },
		{ list: 'a.cn, EXAMPLE.CN ,b.cn', url: 'http://Mail.Example.cn/', direct: true },
		{ list: 'example.cn:8080', url: 'http://example.cn:8080/', direct: true },
		{ list: 'example.cn:8080', url: 'http://example.cn/', direct: false },
		{ list: 'example.cn:443', url: 'https://example.cn/', direct: true },
		{ list: '10.1.0.0/16', url: 'http://10.1.255.3/', direct: true },
		{ list: '10.1.0.0/16', url: 'http://10.2.0.3/', direct: false },
		{ list: '10.1.0.3', url: 'http://10.1.0.3:81/', direct: true },
		{ list: '10.1.0.3', url: 'http://110.1.0.3/', direct: false },
		{ list: '10.1.0.3:80', url: 'http://10.1.0.3/', direct: true },
		{ list: '2001:db8::/32', url: 'http://[2001:db8::7]/', direct: true },
		{ list: '2001:db8::7', url: 'https://[2001:db8::7]/', direct: true },
		{ list: '[2001:db8::7]:443', url: 'https://[2001:db8::7]/', direct: true },
		{ list: '*', url: 'http://anything.cn/', direct: true },
		{ list: '', url: 'http://localhost:9093/', direct: true },
		{ list: '', url: 'http://127.8.9.1/', direct: true },
		{ list: '', url: 'http://[::1]/', direct: true },
		{ list: '', url: 'http://10.0.0.1/', direct: false },
		{ list: '10.1.0.0/99,10/8,::1', url: 'http://10.1.0.0/', direct: false },
	])('"$list" $url: $direct', ({ list, url, direct }) => {
		expect(isDirect(list)(new URL(url))).toBe(direct);
	});

	test('with no list at all, nothing', () => {
		expect(isDirect(null)(new URL('http://127.0.0.1/'))).toBe(false);
	});
});

describe('the proxy of the environment', () => {
	const through = (environment: Readonly<Record<string, string>>, config: ProxyConfig = { proxy_from_environment: true }) => {
		const secret = (ref: SecretRef) => {
			const value = 'env' in ref ? environment[ref.env] : undefined;
			if (value === undefined) throw new AppError('FN_SECRET_UNREADABLE', 'not set');
			return new Secret(value);
		};
		const agents = proxyAgents(config, {}, secret);
		const direct = agents(new URL('http://direct.example'));
		return (url: string) => (agents(new URL(url)) === direct ? 'direct' : 'proxy');
	};

	test('is taken by scheme, in either spelling, and left aside where NO_PROXY says so', () => {
		const way = through({
			http_proxy: 'proxy.example:3128',
			HTTPS_PROXY: 'http://u:p@proxy.example:3129',
			NO_PROXY: 'direct.example,10.0.0.0/8',
		});
		expect(way('http://a.example')).toBe('proxy');
		expect(way('https://a.example')).toBe('proxy');
		expect(way('https://x.direct.example')).toBe('direct');
		expect(way('http://10.3.2.1')).toBe('direct');
		expect(way('http://localhost')).toBe('direct');
	});

	test('is nothing where it is not set, and none of it counts without the key', () => {
		expect(through({})('https://a.example')).toBe('direct');
		expect(through({ HTTPS_PROXY: 'http://p' }, {})('https://a.example')).toBe('direct');
	});

	test.each(['socks5://p:1080', 'http://'])('%s is refused, by the name of the variable and without its value', (address) => {
		expect(() => through({ HTTPS_PROXY: address })).toThrow('HTTPS_PROXY is no address of a proxy');
	});
});
