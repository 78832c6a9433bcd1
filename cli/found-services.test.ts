import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseAgentConfig } from '../agent/config.ts';
import { foundServices } from './found-services.ts';

const service = (kind: 'mysql' | 'nginx' | 'tomcat', address: string, configLines: readonly string[]) => ({
	kind,
	address,
	process: kind,
	prerequisite: 'an account',
	configLines: ['inputs:', ...configLines],
});
const mysql = (port: number) =>
	service('mysql', `127.0.0.1:${port}`, [
		'  mysql:',
		`    - address: "127.0.0.1:${port}"`,
		'      username: fournines',
		'      password: { file: /etc/fournines/mysql.password }',
		'  host:',
		`    units: ["mysql-${port}.service"]`,
	]);

test('what was found is one document that the agent takes, also with two of a kind', () => {
	const lines = foundServices(
		[
			mysql(3306),
			mysql(3307),
			service('nginx', '127.0.0.1:80', [
				'  nginx:',
				'    - url: "http://127.0.0.1:80/nginx_status"',
				'  access_logs:',
				'    - path: "/a.log"',
			]),
			service('tomcat', '127.0.0.1:8080', [
				'  tomcat:',
				'    - url: "http://127.0.0.1:8080"',
				'  access_logs:',
				'    - path: "/b.log"',
				'      kind: tomcat',
			]),
		],
		true,
	);
	expect(lines.filter((line) => line.startsWith('- '))).toHaveLength(4);
	expect(lines.some((line) => line.includes('copy the agent'))).toBe(true);
	const text = lines.slice(lines.indexOf('inputs:')).join('\n');
	expect(parse(text).inputs).toMatchObject({
		mysql: [{ address: '127.0.0.1:3306' }, { address: '127.0.0.1:3307' }],
		host: { units: ['mysql-3306.service', 'mysql-3307.service'] },
		access_logs: [{ path: '/a.log' }, { path: '/b.log', kind: 'tomcat' }],
	});
	expect(parseAgentConfig(`collector: { url: "http://127.0.0.1:9999" }\n${text}`, 'agent.yml')).toMatchObject({ kind: 'ok' });
});

test("a file of one's own is added to where it is", () => {
	expect(foundServices([mysql(3306)], false).filter((line) => line.includes('agent.yml'))).toEqual([]);
});

test('nothing found is said', () => {
	expect(foundServices([], true)).toEqual([expect.stringContaining('No MySQL, Nginx, Tomcat or Redis')]);
});
