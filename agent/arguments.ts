import { LOG_LEVELS, type LogLevel } from '../core/log.ts';

export const AGENT_USAGE = `Usage: fournines-agent [--config FILE] [--data DIR] [--once] [--log-level LEVEL] [--exit-with-parent]

  --config FILE        agent.yml; without it the host alone is measured and nothing is sent
  --data DIR           folder of the spool and of log positions, instead of "data" in the file
  --once               collect one round, print it in Prometheus' text format, exit 0 when every input worked and 1 otherwise
  --public-key         print the key that this host signs its files with, for server.inbox of the collector
  --discover           print the services of this machine and the configuration that would watch each; talks to none of them
  --doctor             read every source once, explain what fails and how to grant what is missing, print the firewall request
  --lang zh|en         language of --doctor (default zh)
  --log-level LEVEL    debug, info, warn, error (default info)
  --exit-with-parent   stop in order when standard input or the IPC channel closes
  --version, --help

Secrets are not taken from the command line: write { file: … } or { env: … } in the configuration.`;

export type ParsedArguments =
	| {
			readonly kind: 'run';
			readonly config: string | null;
			readonly data: string | null;
			readonly logLevel: LogLevel | null;
			readonly once: boolean;
			readonly exitWithParent: boolean;
	  }
	| { readonly kind: 'inventory' }
	| { readonly kind: 'discover' }
	| { readonly kind: 'doctor'; readonly config: string | null; readonly data: string | null; readonly language: 'zh' | 'en' }
	| { readonly kind: 'public-key'; readonly config: string | null; readonly data: string | null }
	| { readonly kind: 'print'; readonly text: string }
	| { readonly kind: 'bad'; readonly message: string };

/** `node:util`'s parser does not exist in Node 16. Takes `--key value` and `--key=value`. */
export function parseArgs(args: readonly string[]): ParsedArguments {
	let config: string | null = null;
	let data: string | null = null;
	let logLevel: LogLevel | null = null;
	let once = false;
	let doctor = false;
	let language: 'zh' | 'en' = 'zh';
	let exitWithParent = false;
	let publicKey = false;
	for (let i = 0; i < args.length; i++) {
		const [name = '', inline] = splitOnce(args[i] as string);
		if (name === '--config' || name === '--data' || name === '--log-level' || name === '--lang') {
			const value = inline ?? args[++i];
			if (value === undefined || value === '') return { kind: 'bad', message: `${name} needs a value\n\n${AGENT_USAGE}` };
			if (name === '--config') config = value;
			else if (name === '--data') data = value;
			else if (name === '--lang') {
				if (value !== 'zh' && value !== 'en') return { kind: 'bad', message: `--lang ${value}: write zh or en\n\n${AGENT_USAGE}` };
				language = value;
			} else {
				logLevel = LOG_LEVELS.find((level) => level === value) ?? null;
				if (logLevel === null) return { kind: 'bad', message: `--log-level ${value}: write debug, info, warn or error\n\n${AGENT_USAGE}` };
			}
			continue;
		}
		switch (args[i]) {
			case '--doctor':
				doctor = true;
				break;
			case '--once':
				once = true;
				break;
			case '--public-key':
				publicKey = true;
				break;
			case '--exit-with-parent':
				exitWithParent = true;
				break;
			case '--inventory':
				return { kind: 'inventory' };
			case '--discover':
				return { kind: 'discover' };
			case '--version':
				return { kind: 'print', text: 'version' };
			case '--help':
			case '-h':
				return { kind: 'print', text: AGENT_USAGE };
			default:
				return { kind: 'bad', message: `unknown argument "${args[i]}"\n\n${AGENT_USAGE}` };
		}
	}
	if (publicKey) return { kind: 'public-key', config, data };
	if (doctor) return { kind: 'doctor', config, data, language };
	return { kind: 'run', config, data, logLevel, once, exitWithParent };
}

function splitOnce(text: string): readonly [string, string | undefined] {
	const equals = text.indexOf('=');
	return equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)];
}
