import { expect, test } from 'vitest';
import { defaultExternalUrl, parseListen } from './start-conditions.ts';

test.each([
	{ listen: '127.0.0.1:9999', url: 'http://127.0.0.1:9999' },
	{ listen: 'monitor.inner:80', url: 'http://monitor.inner:80' },
	{ listen: '[::1]:9999', url: 'http://[::1]:9999' },
	{ listen: '[fd00::5]:9999', url: 'http://[fd00::5]:9999' },
	{ listen: '0.0.0.0:9999', url: 'http://mon-1:9999' },
	{ listen: '[::]:9999', url: 'http://mon-1:9999' },
])('messages of a collector on $listen link to $url', ({ listen, url }) => {
	const made = defaultExternalUrl(parseListen(listen), 'http', 'mon-1');
	expect([made, URL.canParse(made)]).toEqual([url, true]);
});
