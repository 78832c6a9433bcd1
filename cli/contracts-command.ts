import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type ContractProfile, loadProfiles, readProfile } from '../collector/contracts/profile-files.ts';
import { assessScenario, type Scenario, scenarioOf } from '../collector/contracts/scenario.ts';
import { scenarioDifferences } from '../collector/contracts/scenario-differences.ts';
import { parseScenarioFile } from '../collector/contracts/scenario-file.ts';
import { type ConfigProblem, formatProblem } from '../core/config-file.ts';
import { AppError } from '../core/errors.ts';
import { type Command, usageError } from './command.ts';
import { ROOT_DIR } from './version.ts';

export const contractsCommand: Command = {
	help: `fournines contracts test FILE.scenario.yml… [--items]

Prices periods that somebody worked out by hand, and says where the profile makes something else of them: the way to agree with the other party on what
a contract means before it costs anything. A file has one case or several, with --- between; each names its profile, its faults, outages and records, and
under "expect" what comes of them. Profiles are those of the product and those beside the file. docs/contracts.md describes the format;
rules/contracts/*.scenario.yml are examples.

  fournines contracts test contracts/ours.scenario.yml
  fournines contracts test contracts/ours.scenario.yml --items

Options
  --items   print everything that counts, with points, yuan and clause

Exit code 0 when every case comes out as worked out, 1 when one does not or a file has a mistake.`,
	run: async (args) => {
		const [action, ...rest] = args;
		if (action !== 'test') throw usageError(`${action === undefined ? 'say what to do' : `"${action}" is not known`}: test`);
		const { values, positionals } = parseArgs({ args: rest, allowPositionals: true, options: { items: { type: 'boolean' } } });
		if (positionals.length === 0) throw usageError('name at least one file of scenarios');
		let good = true;
		for (const file of positionals) good = test(file, values.items === true) && good;
		return good ? 0 : 1;
	},
};

function test(file: string, items: boolean): boolean {
	if (!existsSync(file)) {
		process.stdout.write(`${file}: the file does not exist\n`);
		return false;
	}
	const { profiles, problems } = profilesFor(file);
	const read = parseScenarioFile(readFileSync(file, 'utf8'), file);
	const found = [...problems, ...(read.kind === 'ok' ? [] : read.problems)];
	for (const problem of found) process.stdout.write(`${formatProblem(problem)}\n`);
	if (read.kind === 'bad' || found.length > 0) return false;
	const cases = read.config.map((one, i) => scenarioOf(`case ${i + 1}, ${one.profile} ${one.period}`, one));
	const results = cases.map((scenario) => ({ scenario, said: judge(scenario, profiles, items) }));
	const bad = results.filter(({ said }) => said.length > 0);
	process.stdout.write(`${file}: ${bad.length === 0 ? `${results.length} passed` : `${bad.length} of ${results.length} FAILED`}\n`);
	for (const { scenario, said } of bad) process.stdout.write(`  ${scenario.name}\n${said.map((line) => `    ${line}\n`).join('')}`);
	return bad.length === 0;
}

/** What differs, or why the case cannot be priced. */
function judge(scenario: Scenario, profiles: readonly ContractProfile[], items: boolean): readonly string[] {
	const found = profiles.find(({ id }) => id === scenario.profile);
	if (found === undefined) return [`there is no contract profile "${scenario.profile}"; known: ${profiles.map(({ id }) => id).join(', ')}`];
	try {
		const profile = found.with(scenario.settings);
		if (items) printItems(scenario, profile);
		return scenarioDifferences(profile, scenario);
	} catch (error) {
		if (!(error instanceof AppError)) throw error;
		return [error.message];
	}
}

function printItems(scenario: Scenario, profile: Parameters<typeof assessScenario>[0]): void {
	const { result } = assessScenario(profile, scenario);
	const lines = result.items.map(({ key, counted, fen, clause, reason }) => {
		const yuan = fen === 0 ? '' : `, ${fen / 100} yuan`;
		return `  ${key}: ${counted / 100} points${yuan}  (${clause}) ${reason.zh}`;
	});
	const { centipoints, fen } = result.score;
	process.stdout.write(`${scenario.name}\n${lines.map((line) => `${line}\n`).join('')}  score ${centipoints / 100}, ${fen / 100} yuan\n`);
}

/** Those beside the file come first; a scenario of the product lies beside its own profiles. */
function profilesFor(file: string): { readonly profiles: readonly ContractProfile[]; readonly problems: readonly ConfigProblem[] } {
	const shipped = join(ROOT_DIR, 'rules', 'contracts');
	const folder = dirname(resolve(file));
	const profiles = [...loadProfiles(shipped)];
	const problems: ConfigProblem[] = [];
	if (folder === shipped) return { profiles, problems };
	for (const name of readdirSync(folder).filter((its) => /\.ya?ml$/.test(its) && !/\.scenario\.ya?ml$/.test(its))) {
		const path = join(folder, name);
		const text = readFileSync(path, 'utf8');
		if (!/^clocks:/m.test(text) || !/^levels:/m.test(text)) continue;
		const read = readProfile(text, join(dirname(file), basename(path)));
		if (read.kind === 'bad') problems.push(...read.problems);
		else profiles.unshift(read.config);
	}
	return { profiles, problems };
}
