import { describe, expect, test } from 'vitest';
import { bsdTime, zonedTime } from '../log-time.ts';
import { parseAccessLine } from './access.ts';
import { parseAuthLine } from './auth.ts';
import { parseCatalinaEvent, startsCatalinaEvent } from './catalina.ts';
import { parseNginxErrorLine } from './nginx-error.ts';

const context = { nowMs: Date.parse('2026-11-21T13:10:00Z'), timeZone: 'Asia/Shanghai' };
const at = (text: string) => Date.parse(text);

describe('times', () => {
	test.each([
		['the same day', 10, 21, '2026-11-21T13:05:57Z', '2026-11-21T13:05:57Z'],
		['December read in January', 11, 31, '2027-01-01T00:00:30Z', '2026-12-31T13:05:57Z'],
		['a clock that is a little ahead', 0, 1, '2026-12-31T15:59:00Z', '2027-01-01T13:05:57Z'],
		['29 February', 1, 29, '2029-03-05T00:00:00Z', '2028-02-29T13:05:57Z'],
	])('a time without year: %s', (_name, month, day, now, expected) => {
		expect(bsdTime({ month, day, hour: 21, minute: 5, second: 57 }, 'Asia/Shanghai', at(now))).toBe(at(expected));
	});

	test.each([
		['Asia/Shanghai', '2026-07-01T04:00:00Z'],
		['UTC', '2026-07-01T12:00:00Z'],
		['America/New_York', '2026-07-01T16:00:00Z'],
		['Asia/Kathmandu', '2026-07-01T06:15:00Z'],
	])('noon in %s', (zone, expected) => {
		expect(zonedTime({ year: 2026, month: 6, day: 1, hour: 12, minute: 0, second: 0 }, zone)).toBe(at(expected));
	});
});

describe('auth.log', () => {
	const prefix = 'Nov 21 21:05:57 app-1 ';
	test.each([
		[
			'accepted key',
			'sshd[812]: Accepted publickey for deploy from 10.1.2.3 port 50022 ssh2: ED25519 SHA256:abc',
			{ source: 'sshd', kind: 'login', actor: 'deploy', action: 'publickey', result: 'success', srcAddr: '10.1.2.3' },
		],
		[
			'failed password',
			'sshd[812]: Failed password for root from 10.1.2.3 port 50022 ssh2',
			{ source: 'sshd', kind: 'login', actor: 'root', action: 'password', result: 'failure', srcAddr: '10.1.2.3' },
		],
		[
			'failed password of an invalid user',
			'sshd[812]: Failed password for invalid user admin from 10.1.2.3 port 50022 ssh2',
			{ kind: 'login', actor: 'admin', result: 'failure', srcAddr: '10.1.2.3', fields: expect.objectContaining({ invalidUser: 'true' }) },
		],
		[
			'a name that imitates the end of the line',
			'sshd[812]: Failed password for invalid user root from 1.1.1.1 port 1 ssh2 from 10.9.9.9 port 2 ssh2',
			{ kind: 'login', srcAddr: '10.9.9.9', actor: 'root from 1.1.1.1 port 1 ssh2' },
		],
		[
			'folded lines',
			'sshd[812]: message repeated 3 times: [ Failed password for root from 10.1.2.3 port 50022 ssh2]',
			{ kind: 'login', actor: 'root', result: 'failure', fields: expect.objectContaining({ repeated: '3' }) },
		],
		[
			'invalid user',
			'sshd[812]: Invalid user oracle from 10.1.2.3 port 50022',
			{ kind: 'invalid-user', actor: 'oracle', result: 'failure' },
		],
		[
			'new daemon name',
			'sshd-session[812]: Accepted password for root from ::1 port 4 ssh2',
			{ source: 'sshd', srcAddr: '::1', actor: 'root' },
		],
		[
			'sudo',
			'sudo:    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/systemctl restart nginx',
			{ source: 'sudo', kind: 'command', actor: 'alice', object: '/usr/bin/systemctl restart nginx', result: 'success' },
		],
		[
			'sudo refused',
			'sudo:  mallory : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/cat /etc/shadow',
			{ kind: 'command', actor: 'mallory', result: 'failure', fields: expect.objectContaining({ refusal: 'user NOT in sudoers' }) },
		],
		[
			'session',
			'sshd[1]: pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)',
			{ kind: 'session', actor: 'root', object: 'sshd' },
		],
		['session end', 'su[1]: pam_unix(su:session): session closed for user postgres', { source: 'su', kind: 'logout', actor: 'postgres' }],
		[
			'new account',
			'useradd[9]: new user: name=bob, UID=1001, GID=1001, home=/home/bob',
			{ kind: 'account', action: 'create-user', object: 'bob' },
		],
		[
			'group',
			"usermod[9]: add 'bob' to group 'sudo'",
			{ kind: 'account', action: 'add-to-group', object: 'bob', fields: expect.objectContaining({ group: 'sudo' }) },
		],
		['something else', 'CRON[9]: (root) CMD (true)', { source: 'CRON', kind: 'message', result: 'unknown' }],
	])('%s', (_name, line, expected) => {
		const event = parseAuthLine(prefix + line, context);
		expect(event).toMatchObject(expected);
		expect(event.eventTimeMs).toBe(at('2026-11-21T21:05:57+08:00'));
	});

	test('the RFC 3339 form carries its own zone', () => {
		const event = parseAuthLine(
			'2026-11-21T13:05:57.250000+00:00 app-1 sshd[1]: Failed password for root from 10.1.2.3 port 2 ssh2',
			context,
		);
		expect(event).toMatchObject({ kind: 'login', eventTimeMs: at('2026-11-21T13:05:57.250Z') });
	});

	test.each(['', 'garbage', 'Nov 99', '\u0000\u0001', 'Xxx 21 21:05:57 a b: c'])('a line that is none: %j', (line) => {
		expect(parseAuthLine(line, context)).toMatchObject({ kind: 'message', eventTimeMs: null });
	});
});

describe('access logs', () => {
	test.each([
		[
			'combined',
			'10.1.2.3 - alice [21/Nov/2026:21:05:57 +0800] "GET /a?b=1 HTTP/1.1" 200 512 "https://x/" "Mozilla \\x22q\\x22"',
			{
				actor: 'alice',
				action: 'GET',
				object: '/a?b=1',
				result: 'success',
				srcAddr: '10.1.2.3',
				fields: expect.objectContaining({ status: '200', bytes: '512', referer: 'https://x/' }),
			},
		],
		[
			'common',
			'::1 - - [21/Nov/2026:13:05:57 +0000] "POST /login HTTP/1.1" 401 -',
			{ actor: '', action: 'POST', result: 'failure', fields: { status: '401', bytes: '0', protocol: 'HTTP/1.1' } },
		],
		['no request', '10.1.2.3 - - [21/Nov/2026:21:05:57 +0800] "-" 400 0 "-" "-"', { kind: 'request', object: '', result: 'failure' }],
		[
			'binary request',
			'10.1.2.3 - - [21/Nov/2026:21:05:57 +0800] "\\x16\\x03\\x01" 400 157 "-" "-"',
			{ kind: 'request', result: 'failure' },
		],
	])('%s', (_name, line, expected) => {
		const event = parseAccessLine('nginx-access', line, context);
		expect(event).toMatchObject(expected);
		expect(event.eventTimeMs).toBe(at('2026-11-21T13:05:57Z'));
	});
});

test('Nginx error log', () => {
	const line =
		'2026/11/21 21:05:57 [error] 12#12: *7 connect() failed (111: Connection refused) while connecting to upstream, client: 10.1.2.3, server: , request: "GET /app HTTP/1.1", upstream: "http://127.0.0.1:8080/app", host: "x"';
	expect(parseNginxErrorLine(line, context)).toMatchObject({
		eventTimeMs: at('2026-11-21T13:05:57Z'),
		severity: 'error',
		srcAddr: '10.1.2.3',
		object: '/app',
		result: 'failure',
		fields: { pid: '12', upstream: 'http://127.0.0.1:8080/app' },
	});
});

describe('catalina', () => {
	test('Tomcat 8 and later, with a stack trace', () => {
		const event = parseCatalinaEvent(
			'21-Nov-2026 21:05:57.123 SEVERE [http-nio-8080-exec-1] org.apache.catalina.core.StandardWrapperValve.invoke Servlet threw\n\tjava.lang.NullPointerException: x\n\t\tat a.B.c(B.java:1)',
			context,
		);
		expect(event).toMatchObject({
			eventTimeMs: at('2026-11-21T13:05:57.123Z'),
			severity: 'severe',
			result: 'failure',
			module: 'org.apache.catalina.core.StandardWrapperValve.invoke',
			fields: { thread: 'http-nio-8080-exec-1', exception: 'java.lang.NullPointerException' },
		});
	});

	test('Tomcat 7', () => {
		const event = parseCatalinaEvent(
			'Nov 21, 2026 9:05:57 PM org.apache.catalina.startup.Catalina start\nINFO: Server startup in 300 ms',
			context,
		);
		expect(event).toMatchObject({
			eventTimeMs: at('2026-11-21T13:05:57Z'),
			severity: 'info',
			module: 'org.apache.catalina.startup.Catalina.start',
		});
	});

	test.each([
		['21-Nov-2026 21:05:57.123 INFO [main] a.b c', true],
		['Nov 21, 2026 9:05:57 PM a b', true],
		['\tat a.B.c(B.java:1)', false],
		['INFO: Server startup', false],
		['Caused by: java.lang.Error', false],
	])('%j begins an event: %s', (line, expected) => {
		expect(startsCatalinaEvent(line)).toBe(expected);
	});
});
