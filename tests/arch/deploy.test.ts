import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { problemsOf } from '../../cli/check-command.ts';
import { ROOT } from './source-files.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
	readonly services: Readonly<Record<string, { readonly volumes?: readonly string[]; readonly depends_on?: object }>>;
};

test('the composition has every part, and every file it mounts exists', () => {
	expect(Object.keys(compose.services).sort()).toEqual([
		'agent',
		'collector',
		'grafana',
		'mariadb-master',
		'mariadb-replica',
		'nginx',
		'redis',
		'tomcat',
	]);
	const mounted = Object.values(compose.services).flatMap((service) =>
		(service.volumes ?? []).filter((volume) => volume.startsWith('./')).map((volume) => volume.split(':')[0] ?? ''),
	);
	expect(mounted.length).toBeGreaterThan(5);
	expect(mounted.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('the composition holds no secret, and asks for every one it needs', () => {
	const text = read('docker-compose.yml');
	const asked = [...text.matchAll(/\$\{([A-Z_]+):\?/g)].map((match) => match[1] ?? '');
	expect(text).not.toMatch(/PASSWORD: (?!\$\{)/);
	for (const name of asked) expect(read('deploy/compose/env.example')).toContain(`${name}=\n`);
});

test.each(['deploy/compose/collector.yml', 'deploy/compose/agent.yml'])('%s is a good configuration', (path) => {
	expect(problemsOf(join(ROOT, path))).toEqual([]);
});

test('the secrets of the composition get into no image and into no repository', () => {
	for (const file of ['.dockerignore', '.gitignore']) expect(read(file).split('\n'), file).toContain('.env');
});

test('the folders of transfer files that the manual names can be written under the units', () => {
	for (const [name, key] of [
		['agent', /^outbox: \{ folder: ([^,]+),/m],
		['collector', /folder: ([^,]+), delay: 15m/],
	] as const) {
		const folder = key.exec(read('docs/operations.md'))?.[1] ?? '';
		const writable = /^ReadWritePaths=-(.*)$/m.exec(read(`deploy/systemd/fournines-${name}.service`))?.[1] ?? '';
		expect(folder).toMatch(/^\/var\/spool\//);
		expect(writable, name).not.toBe('');
		expect(folder.startsWith(`${writable}/`), name).toBe(true);
	}
});

test.each(['agent', 'collector'])('%s: systemctl reload reads the configuration again', (name) => {
	expect(read(`deploy/systemd/fournines-${name}.service`)).toContain('ExecReload=/bin/kill -HUP $MAINPID');
});
