import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { convertAlertmanager, type Note } from '../alerts/convert/alertmanager.ts';
import { secretPlaces } from '../alerts/convert/secret-places.ts';
import { readTemplateFiles } from '../alerts/templates/alertmanager/template-files.ts';
import { formatProblem } from '../core/config-file.ts';
import { AppError, errorText, systemErrorCode } from '../core/errors.ts';
import { makeFolder } from '../core/folder.ts';
import { problemsOf, warningsOf } from './check-command.ts';
import { type Command, usageError } from './command.ts';

const CONFIG = 'alerts.yml';
const VARIABLES = 'secrets.env';

export const convertCommand: Command = {
	help: `fournines convert alertmanager FILE --out FOLDER [--env]

Reads an Alertmanager's configuration and writes into FOLDER, which must not hold one yet:

  ${CONFIG}     a collector.yml with the one key "alerts"; run it as it is, or copy the key into your own
  secrets/       each secret of the file in a file of its own, which only you can read
  templates/     copies of the template files

What was done with each part, and what is different from now on, is printed; no secret is. FILE stays as it is.

  fournines convert alertmanager /etc/alertmanager/alertmanager.yml --out /etc/fournines/alerts
  fournines check /etc/fournines/alerts/${CONFIG} --alert severity=critical

Options
  --out FOLDER   where to write
  --env          secrets into ${VARIABLES} (EnvironmentFile= of systemd) instead of files; keys of certificates stay files

Exit code 0 when the result can be run, 1 when something is left to do in it.`,
	run: async (args) => {
		const { values, positionals } = parseArgs({
			args: [...args],
			allowPositionals: true,
			options: { out: { type: 'string' }, env: { type: 'boolean', default: false } },
		});
		const [what, file, ...more] = positionals;
		if (what !== 'alertmanager')
			throw usageError(
				`${what === undefined ? 'say of what' : `"${what}" is not known`}: fournines convert alertmanager FILE --out FOLDER`,
			);
		if (file === undefined || more.length > 0) throw usageError('name one file');
		if (values.out === undefined) throw usageError('--out is missing: name the folder to write into');
		return convert(file, resolve(values.out), values.env);
	},
};

function convert(file: string, folder: string, env: boolean): number {
	const target = join(folder, CONFIG);
	for (const taken of [target, join(folder, 'secrets'), join(folder, 'templates'), join(folder, VARIABLES)]) {
		if (existsSync(taken))
			throw new AppError('FN_CLI_FILE', `${taken} is there already, and is not written over; name another folder with --out`);
	}
	const secrets = secretPlaces({ folder: join(folder, 'secrets'), env });
	const copies = new Map<string, string>();
	const lost: string[] = [];
	const { yaml, notes } = convertAlertmanager(read(file), {
		file: resolve(file),
		secrets,
		templates: (patterns) => {
			for (const pattern of patterns) {
				try {
					for (const { name } of readTemplateFiles([pattern], dirname(resolve(file))))
						copies.set(name, copies.get(name) ?? freeName(name, [...copies.values()]));
				} catch (error) {
					lost.push(errorText(error));
				}
			}
			return [...copies.values()].map((name) => join(folder, 'templates', name));
		},
	});
	makeFolder(folder, 0o700);
	if (copies.size > 0) makeFolder(join(folder, 'templates'), 0o755);
	for (const [from, name] of copies) copyFileSync(from, join(folder, 'templates', name));
	if (secrets.kept.size > 0) makeFolder(join(folder, 'secrets'), 0o700);
	for (const [name, value] of secrets.kept) writePrivate(join(folder, 'secrets', name), `${value}\n`);
	if (secrets.variables.size > 0)
		writePrivate(join(folder, VARIABLES), [...secrets.variables].map(([name, value]) => `${name}=${quoted(value)}\n`).join(''));
	writePrivate(target, yaml);
	for (const note of notes) process.stderr.write(`${formatNote(file, note)}\n`);
	for (const message of lost) process.stderr.write(`${file}: left out: ${message}\n`);
	const problems = problemsOf(target, 'collector');
	for (const said of problems.length > 0 ? problems.map(formatProblem) : warningsOf(target, 'collector')) process.stderr.write(`${said}\n`);
	const count = secrets.kept.size + secrets.variables.size;
	process.stdout.write(
		`${target}: ${problems.length === 0 ? 'good' : `${problems.length} left to do`}; ${count === 1 ? 'one secret' : `${count} secrets`} beside it\n`,
	);
	return problems.length === 0 ? 0 : 1;
}

function read(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		throw new AppError('FN_CLI_FILE', `${file} cannot be read (${systemErrorCode(error)}); correct the name, or ask as who may read it`, {
			cause: error,
		});
	}
}

/** Fails rather than follow a link that somebody has put there. */
function writePrivate(path: string, text: string): void {
	writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
}

/** Files of the same name from two folders. */
function freeName(path: string, taken: readonly string[], number = 1): string {
	const extension = extname(path);
	const name = number === 1 ? basename(path) : `${basename(path, extension)}-${number}${extension}`;
	return taken.includes(name) ? freeName(path, taken, number + 1) : name;
}

/** As systemd.exec(5) reads a value in double quotes. */
function quoted(value: string): string {
	return `"${value.replace(/[\\"$`]/g, (char) => `\\${char}`)}"`;
}

function formatNote(file: string, { kind, line, place, message }: Note): string {
	return [line === 0 ? file : `${file}:${line}`, kind, ...(place === '' ? [] : [place]), message].join(': ');
}
