import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../tests/harness/process.ts';
import { convertCommand } from './convert-command.ts';

let folder: TemporaryFolder;
beforeEach(() => {
	folder = temporaryFolder('convert');
	mkdirSync(join(folder.path, 'am/texts'), { recursive: true });
	mkdirSync(join(folder.path, 'am/more'));
	for (const [name, text] of [
		['am/texts/team.tmpl', '{{ define "team.subject" }}A{{ end }}'],
		['am/more/team.tmpl', '{{ define "team.subject" }}B{{ end }}'],
	] as const)
		writeFileSync(join(folder.path, name), text);
	writeFileSync(join(folder.path, 'am/alertmanager.yml'), FILE);
});
afterEach(() => folder.remove());

const FILE = `# hunter2 is the old password
global: { smtp_smarthost: 'h:25', smtp_from: a@b.cn, smtp_auth_username: u, smtp_auth_password: 'hunter2"$x', slack_api_url: https://hooks.slack.com/hunter2 }
templates: ['texts/*.tmpl', more/team.tmpl, texts/team.tmpl, gone.tmpl, 'none/*']
route: { receiver: ops, routes: [{ receiver: chat, match: { team: db } }] }
receivers:
  - name: ops
    email_configs: [{ to: ops@b.cn, headers: { Subject: '{{ template "team.subject" . }}' } }]
    webhook_configs: [{ url: 'https://h/hook?key=hunter2', http_config: { tls_config: { insecure_skip_verify: true } } }]
  - name: chat
    slack_configs: [{ channel: x, api_url: https://hooks.slack.com/hunter2 }]
`;

function run(...args: readonly string[]) {
	const main = join(import.meta.dirname, 'main.ts');
	const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', cwd: folder.path });
	return { code: status, out: stdout, err: stderr };
}

const inFolder = (name: string) => join(folder.path, name);
const mode = (name: string) => (statSync(inFolder(name)).mode & 0o777).toString(8);

test('makes a configuration that is good, goes where it went, and keeps its secrets to its owner', () => {
	const made = run('convert', 'alertmanager', 'am/alertmanager.yml', '--out', 'new/alerts');
	expect(made).toMatchObject({ code: 0, out: `${inFolder('new/alerts/alerts.yml')}: good; 2 secrets beside it\n` });
	expect(made.err).not.toContain('hunter2');
	expect(made.err).toMatch(/alertmanager\.yml:2: moved: global\.smtp_auth_password: to .*new\/alerts\/secrets\/smtp_auth_password/);
	expect(made.err).toMatch(/alertmanager\.yml:10: left out: receivers\[1\]\.slack_configs/);
	expect(made.err).toMatch(/left out: .*gone\.tmpl cannot be read/);
	expect(made.err).toContain('WARNING: the certificate is not checked');
	const yaml = readFileSync(inFolder('new/alerts/alerts.yml'), 'utf8');
	expect(yaml).not.toContain('hunter2');
	expect(yaml.match(/- \S+\.tmpl$/gm)).toEqual(['team.tmpl', 'team-2.tmpl'].map((name) => `- ${inFolder(`new/alerts/templates/${name}`)}`));
	expect(readFileSync(inFolder('new/alerts/templates/team-2.tmpl'), 'utf8')).toContain('}}B{{');
	const secrets = readdirSync(inFolder('new/alerts/secrets'));
	expect(secrets.sort()).toEqual(['ops.webhook_configs.0.url', 'smtp_auth_password']);
	expect(readFileSync(inFolder('new/alerts/secrets/smtp_auth_password'), 'utf8')).toBe('hunter2"$x\n');
	expect([
		mode('new/alerts'),
		mode('new/alerts/alerts.yml'),
		mode('new/alerts/secrets'),
		...secrets.map((name) => mode(`new/alerts/secrets/${name}`)),
	]).toEqual(['700', '600', '700', '600', '600']);

	const checked = run('check', 'new/alerts/alerts.yml', '--alert', 'team=db');
	expect(checked).toMatchObject({ code: 0, out: expect.stringContaining('receiver chat') });
	const shown = run('notify', 'preview', '--config', 'new/alerts/alerts.yml', '--receiver', 'ops');
	expect(shown).toMatchObject({ code: 0, out: expect.stringMatching(/== ops\/email\/0, firing[\s\S]*\nB\n/) });
});

test('writes variables on request, as systemd reads them', () => {
	expect(run('convert', 'alertmanager', 'am/alertmanager.yml', '--out', 'new', '--env').code).toBe(0);
	expect(readFileSync(inFolder('new/secrets.env'), 'utf8')).toBe(
		'FOURNINES_SMTP_AUTH_PASSWORD="hunter2\\"\\$x"\nFOURNINES_OPS_WEBHOOK_CONFIGS_0_URL="https://h/hook?key=hunter2"\n',
	);
	expect(mode('new/secrets.env')).toBe('600');
	expect(existsSync(inFolder('new/secrets'))).toBe(false);
	expect(readFileSync(inFolder('new/alerts.yml'), 'utf8')).toContain('{ env: FOURNINES_SMTP_AUTH_PASSWORD }');
});

test('writes over nothing, and says what is left to do where something is', () => {
	mkdirSync(inFolder('secrets'));
	expect(run('convert', 'alertmanager', 'am/alertmanager.yml', '--out', '.')).toMatchObject({
		code: 1,
		err: expect.stringContaining('secrets is there already'),
	});
	expect(readdirSync(folder.path).sort()).toEqual(['am', 'secrets']);
	writeFileSync(inFolder('am/odd.yml'), FILE.replace("'h:25'", "'h:smtp'"));
	const odd = run('convert', 'alertmanager', 'am/odd.yml', '--out', 'new');
	expect(odd).toMatchObject({
		code: 1,
		out: expect.stringContaining('1 left to do'),
		err: expect.stringMatching(/alerts\.yml:4: alerts\.global\.smtp_smarthost/),
	});
});

test.each([
	{ args: [], code: 'FN_CLI_USAGE', says: 'say of what' },
	{ args: ['prometheus', 'x.yml', '--out', 'new'], code: 'FN_CLI_USAGE', says: '"prometheus" is not known' },
	{ args: ['alertmanager', 'am/alertmanager.yml'], code: 'FN_CLI_USAGE', says: '--out is missing' },
	{ args: ['alertmanager', '--out', 'new'], code: 'FN_CLI_USAGE', says: 'name one file' },
	{ args: ['alertmanager', 'nothing.yml', '--out', 'new'], code: 'FN_CLI_FILE', says: 'nothing.yml cannot be read (ENOENT)' },
	{ args: ['alertmanager', 'am/texts/team.tmpl', '--out', 'new'], code: 'FN_ALERTS_CONVERT', says: 'cannot be converted' },
])('$args: $says', async ({ args, code, says }) => {
	const whole = args.map((arg) => (arg.includes('.') || arg === 'new' ? inFolder(arg) : arg));
	await expect(convertCommand.run(whole)).rejects.toMatchObject({ code, message: expect.stringContaining(says) });
	expect(existsSync(inFolder('new'))).toBe(false);
});
