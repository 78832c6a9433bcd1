import { AppError, errorText } from '../core/errors.ts';
import type { Command } from './command.ts';
import { loadCompiledCode } from './compile-cache.ts';
import { productVersion } from './version.ts';

interface CommandEntry {
	readonly name: string;
	/** One line for the list of commands. */
	readonly summary: string;
	/** Loaded when it is called: looking at an agent's output needs no collector. */
	readonly load: () => Promise<Command>;
}

const COMMANDS: readonly CommandEntry[] = [
	{
		name: 'up',
		summary: 'run collector, console and an agent for this machine (npm start)',
		load: async () => (await import('./up-command.ts')).upCommand,
	},
	{ name: 'collector', summary: 'run the collector alone', load: async () => (await import('./collector-command.ts')).collectorCommand },
	{
		name: 'agent',
		summary: 'run the agent alone, or look once at what it sees (--once)',
		load: async () => (await import('./agent-command.ts')).agentCommandEntry,
	},
	{
		name: 'check',
		summary: 'check configuration and rule files, all problems at once',
		load: async () => (await import('./check-command.ts')).checkCommand,
	},
	{
		name: 'convert',
		summary: "make a configuration of an Alertmanager's file",
		load: async () => (await import('./convert-command.ts')).convertCommand,
	},
	{ name: 'query', summary: 'ask a running collector in PromQL', load: async () => (await import('./query-command.ts')).queryCommand },
	{
		name: 'rules',
		summary: 'check, test and replay rule files',
		load: async () => (await import('./rules-command.ts')).rulesCommand,
	},
	{
		name: 'contracts',
		summary: 'price periods that were worked out by hand',
		load: async () => (await import('./contracts-command.ts')).contractsCommand,
	},
	{
		name: 'inventory',
		summary: 'export the inventory as YAML, and check such a file',
		load: async () => (await import('./inventory-command.ts')).inventoryCommand,
	},
	{
		name: 'ledger',
		summary: "export a period's ledger with everything it was computed from, and verify one offline",
		load: async () => (await import('./ledger-command.ts')).ledgerCommand,
	},
	{
		name: 'notify',
		summary: "show every channel's text, and send a test through a receiver",
		load: async () => (await import('./notify-command.ts')).notifyCommand,
	},
	{
		name: 'oncall',
		summary: 'who has duty now, and where duty ahead is too thin',
		load: async () => (await import('./on-call-command.ts')).onCallCommand,
	},
	{
		name: 'report',
		summary: "a month's availability as HTML or a spreadsheet",
		load: async () => (await import('./report-command.ts')).reportCommand,
	},
	{
		name: 'audit',
		summary: 'export log records with proof, and verify an archive or an export',
		load: async () => (await import('./audit-command.ts')).auditCommand,
	},
	{
		name: 'backup',
		summary: 'copy everything that is kept, while the collector runs',
		load: async () => (await import('./backup-command.ts')).backupCommand,
	},
	{
		name: 'restore',
		summary: 'make a data folder from a backup',
		load: async () => (await import('./backup-command.ts')).restoreCommand,
	},
];

const EXIT_USAGE = 2;

async function main(args: readonly string[]): Promise<number> {
	const [name, ...rest] = args;
	if (name === '--version' || name === 'version') {
		process.stdout.write(`fournines ${productVersion()}\n`);
		return 0;
	}
	if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
		const wanted = COMMANDS.find((command) => command.name === rest[0]);
		process.stdout.write(`${wanted === undefined ? overview() : (await wanted.load()).help}\n`);
		return name === undefined ? EXIT_USAGE : 0;
	}
	const command = COMMANDS.find((candidate) => candidate.name === name);
	if (command === undefined) {
		process.stderr.write(`there is no command "${name}"\n\n${overview()}\n`);
		return EXIT_USAGE;
	}
	if (rest.includes('--help') || rest.includes('-h')) {
		process.stdout.write(`${(await command.load()).help}\n`);
		return 0;
	}
	loadCompiledCode(command.name, rest);
	try {
		return await (await command.load()).run(rest);
	} catch (error) {
		return report(error, command.name);
	}
}

function report(error: unknown, name: string): number {
	const usage = (error instanceof AppError && error.code === 'FN_CLI_USAGE') || isArgumentError(error);
	process.stderr.write(`fournines ${name}: ${errorText(error)}\n`);
	if (usage) process.stderr.write(`"fournines ${name} --help" explains it\n`);
	return usage ? EXIT_USAGE : 1;
}

/** What node:util's parser throws for unknown or incomplete options. */
function isArgumentError(error: unknown): boolean {
	return error instanceof TypeError && 'code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_PARSE_ARGS');
}

function overview(): string {
	const width = Math.max(...COMMANDS.map((command) => command.name.length));
	const list = COMMANDS.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`).join('\n');
	return `fournines COMMAND [options]

${list}

"fournines COMMAND --help" explains a command with examples.`;
}

process.exitCode = await main(process.argv.slice(2));
// Sockets that a library keeps for re-use must not hold a finished command up.
process.exit();
