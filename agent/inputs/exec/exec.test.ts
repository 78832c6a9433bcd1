import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { temporaryFolder, waitFor } from '../../../tests/harness/process.ts';
import { collect, failureOf, oneInput, problemsOf } from '../input.fixture.ts';

const folder = temporaryFolder('exec');
afterAll(() => folder.remove());

let count = 0;
function program(script: string): string {
	const file = join(folder.path, `program-${count++}`);
	writeFileSync(file, `#!/bin/sh\n${script}\n`);
	chmodSync(file, 0o755);
	return file;
}
const exec = (script: string, more: object = {}) =>
	oneInput({ exec: [{ id: 'queue', command: [program(script), 'one', 'two words'], timeout: '60s', ...more }] });

const gone = (file: string) =>
	waitFor('the process to be gone', () => {
		const pid = readFileSync(file, 'utf8').trim();
		return pid !== '' && (!existsSync(`/proc/${pid}/cmdline`) || readFileSync(`/proc/${pid}/cmdline`, 'utf8') === '');
	});

test('exposition text, arguments, a bare environment', async () => {
	const input = exec(
		'echo "# TYPE queue_length gauge"; echo "queue_length{name=\\"$2\\",job=\\"x\\"} 3"; echo "environment $(env | grep -c SECRET)"; echo complaint >&2',
		{ environment: { MY_SETTING: '1' } },
	);
	process.env['A_SECRET_OF_THE_AGENT'] = 'x';
	const found = await collect(input);
	delete process.env['A_SECRET_OF_THE_AGENT'];
	expect(found).toMatchObject({ 'queue_length{exported_job="x",name="two words"}': 3, environment: 0, exec_up: 1, exec_exit_code: 0 });
	expect(input.target).toMatchObject({ job: 'exec', exec: 'queue', host: 'app-1' });
});

test('a Nagios plug-in: state and performance data in base units', async () => {
	const input = exec(
		`echo "DISK WARNING - free space: / 330 MB | /=2643MB;5948;5958;0;5968 'time to live'=12ms;; load=0.5 hits=7c odd=3furlongs"; exit 1`,
		{ format: 'nagios' },
	);
	expect(await collect(input)).toMatchObject({
		nagios_plugin_state: 1,
		'nagios_plugin_performance{label="/",unit="bytes"}': 2643 * 1024 * 1024,
		'nagios_plugin_performance{label="time to live",unit="seconds"}': 0.012,
		'nagios_plugin_performance{label="load"}': 0.5,
		'nagios_plugin_performance{label="hits",unit="count"}': 7,
		exec_exit_code: 1,
	});
	expect(await collect(exec('exit 42', { format: 'nagios' }))).toMatchObject({ nagios_plugin_state: 3, exec_exit_code: 42 });
});

test.each([
	{ name: 'an exit code', script: 'exit 3', code: 'FN_AGENT_EXEC_FAILED', text: 'ended with 3' },
	{ name: 'text that is none', script: 'echo "this is not a metric at all {"', code: 'FN_AGENT_SOURCE_FORMAT', text: 'not in Prometheus' },
	{ name: 'endless output', script: 'exec yes', code: 'FN_AGENT_EXEC_FAILED', text: 'printed more than' },
])('fails by $name', async ({ script, code, text }) => {
	const error = await failureOf(exec(script));
	expect(error).toMatchObject({ code });
	expect(error.message).toContain(text);
});

test('a program that is not there', async () => {
	const input = oneInput({ exec: [{ id: 'x', command: ['/nonexistent/program'] }] });
	expect(await failureOf(input)).toMatchObject({ code: 'FN_AGENT_EXEC_FAILED' });
	expect(input.onFailure[0]).toMatchObject({ name: 'exec_up', measurements: [{ value: 0 }] });
});

test('what hangs is killed with everything that it started', async () => {
	const [own, child] = [join(folder.path, 'own'), join(folder.path, 'child')];
	const input = exec(`echo $$ > ${own}; sleep 60 & echo $! > ${child}; wait`, { timeout: '2s' });
	const error = await failureOf(input);
	expect(error.message).toContain('did not end within 2000 ms');
	await gone(own);
	await gone(child);
});

test('what a program leaves behind does not hold the agent, and does not run on', async () => {
	const child = join(folder.path, 'left');
	const found = await collect(exec(`sleep 60 & echo $! > ${child}; echo "a 1"`));
	expect(found).toMatchObject({ a: 1, exec_up: 1 });
	await gone(child);
});

test('a relative program is refused', () => {
	expect(problemsOf({ exec: [{ id: 'x', command: ['check_disk'] }] })).toEqual([
		'inputs.exec[0].command[0]: a program is named by its absolute path',
	]);
});
