import { RE2JS } from 're2js';
import type { Static } from 'typebox';
import { errorText } from '../../../core/errors.ts';
import type { SmsGatewayConfigSchema } from './config.ts';
import { PLACEHOLDERS, placeholderNames } from './placeholders.ts';

type Config = Static<typeof SmsGatewayConfigSchema>;

/** What the schema of a gateway cannot say. */
export function checkSmsGateway(config: Config, report: (path: readonly (string | number)[], message: string) => void): void {
	const bodies = [config.form, config.json, config.text].filter((body) => body !== undefined).length;
	if (bodies !== 1) report([], 'needs exactly one of form, json and text, which describes the request');
	if (config.method === 'GET' && config.form === undefined)
		report(['method'], 'GET carries its values in the query; describe them under form');
	const { digest, success } = config;
	if (digest !== undefined) {
		if (digest.algorithm.startsWith('hmac-') !== (digest.key !== undefined)) {
			report(['digest', 'key'], 'an hmac algorithm needs the name of an entry of secrets as its key, a plain one must have none');
		} else if (digest.key !== undefined && config.secrets[digest.key] === undefined) {
			report(['digest', 'key'], `"${digest.key}" is not an entry of secrets`);
		}
		checkPlaceholders(['digest', 'input'], digest.input);
		if (placeholderNames(digest.input).includes('digest')) report(['digest', 'input'], 'the digest cannot be taken over itself');
	}
	for (const [name, value] of Object.entries(config.form ?? {})) checkPlaceholders(['form', name], value);
	for (const [name, value] of Object.entries(config.json ?? {})) checkPlaceholders(['json', name], String(value));
	for (const [name, value] of Object.entries(config.headers)) checkPlaceholders(['headers', name], value);
	if (config.text !== undefined) checkPlaceholders(['text'], config.text);
	if ((success.json_path === undefined) !== (success.equals === undefined)) report(['success'], 'json_path and equals belong together');
	if (config.refused_codes.length > 0 && success.json_path === undefined)
		report(['refused_codes'], 'needs success.json_path, where the code stands');
	if (success.matches !== undefined) {
		try {
			RE2JS.compile(success.matches);
		} catch (error) {
			report(['success', 'matches'], `not a valid RE2 expression: ${errorText(error)}`);
		}
	}

	function checkPlaceholders(path: readonly string[], text: string): void {
		for (const name of placeholderNames(text)) {
			if (name.startsWith('secret.')) {
				if (config.secrets[name.slice('secret.'.length)] === undefined) report(path, `{${name}} is not an entry of secrets`);
			} else if (name === 'digest') {
				if (digest === undefined) report(path, '{digest} needs the key digest');
			} else if (!(PLACEHOLDERS as readonly string[]).includes(name)) {
				report(path, `{${name}} is unknown; known are ${PLACEHOLDERS.map((known) => `{${known}}`).join(' ')} {digest} {secret.NAME}`);
			}
		}
	}
}
