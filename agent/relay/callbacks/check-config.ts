import { tryParseDuration } from '../../../core/duration.ts';
import type { CallbacksConfig } from './config.ts';

/** What the schema cannot say of `relay.callbacks`. */
export function checkCallbacks(
	config: CallbacksConfig | undefined,
	report: (path: readonly (string | number)[], message: string) => void,
): void {
	if (config === undefined) return;
	for (const key of ['hold', 'max_age'] as const) if ((tryParseDuration(config[key]) ?? 0) <= 0) report([key], 'must be longer than zero');
	if ((tryParseDuration(config.hold) ?? 0) > 30_000) report(['hold'], 'providers wait a few seconds only; write at most 30s');
	if (config.listen === config.collector_listen && !config.listen.endsWith(':0'))
		report(['collector_listen'], 'the internet must not reach what the collector fetches from; write another port');
	if (config.channels.length === 0 && !config.ack_links)
		report(['channels'], 'neither channels nor ack_links: there is nothing to take; name the channels, or set ack_links: true');
	const names = new Map<string, number>();
	config.channels.forEach(({ name }, i) => {
		const first = names.get(name);
		if (first === undefined) names.set(name, i);
		else report(['channels', i, 'name'], `"${name}" is already the name of channels[${first}]`);
	});
}
