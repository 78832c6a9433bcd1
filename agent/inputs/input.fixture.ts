import { systemClock } from '../../core/clock.ts';
import { configOrThrow } from '../../core/config-file.ts';
import { silentLogger } from '../../core/log.ts';
import { parseAgentConfig } from '../config.ts';
import type { Input } from './input.ts';
import { values } from './measured-values.ts';
import { createInputs } from './registry.ts';

/** The inputs that a configuration asks for, host excepted, made as the agent makes them. */
function inputsOf(inputs: object, env: Readonly<Record<string, string>> = {}): readonly Input[] {
	const config = configOrThrow(
		parseAgentConfig(JSON.stringify({ interval: '10m', inputs: { host: { enabled: false }, ...inputs } }), 'agent.yml'),
	);
	const environment = { clock: systemClock, log: silentLogger, env, readFacts: null, jobDesk: null };
	return createInputs(config, { hostName: 'app-1', userAgent: 'test', ...environment });
}

export function oneInput(inputs: object, env: Readonly<Record<string, string>> = {}): Input {
	const [input] = inputsOf(inputs, env);
	if (input === undefined) throw new Error('the configuration asks for no input');
	return input;
}

/** One collection as metric to value. */
export async function collect(input: Input, nowMs = Date.now(), signal = new AbortController().signal): Promise<Record<string, number>> {
	return values(await input.collect(signal, nowMs));
}

/** The error that a collection ends with. */
export async function failureOf(input: Input): Promise<{ readonly code?: string; readonly message: string }> {
	try {
		await collect(input);
	} catch (error) {
		if (error instanceof Error) return error as Error & { code?: string };
	}
	throw new Error('the collection did not fail');
}

/** What `fournines check` says of the inputs: `path: message` each. */
export function problemsOf(inputs: object): readonly string[] {
	const result = parseAgentConfig(JSON.stringify({ interval: '10m', inputs }), 'agent.yml');
	return result.kind === 'ok' ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
}
