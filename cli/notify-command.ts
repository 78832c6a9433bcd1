import { parseArgs } from 'node:util';
import type { AlertsConfig } from '../alerts/config.ts';
import { buildNotifiers } from '../alerts/notify/channels.ts';
import type { Notifier } from '../alerts/notify/notifier.ts';
import { sampleNotification } from '../alerts/preview.ts';
import { CollectorConfigSchema, checkCollectorConfig } from '../collector/config.ts';
import { systemClock } from '../core/clock.ts';
import { configOrThrow, loadConfigFile } from '../core/config-file.ts';
import { httpExchange } from '../core/http-client.ts';
import { resolveSecret, Secret } from '../core/secret.ts';
import { type Command, usageError } from './command.ts';

/** Longer than any channel's own limit. */
const TEST_TIMEOUT_MS = 60_000;

export const notifyCommand: Command = {
	help: `fournines notify preview|test --config COLLECTOR.YML [--receiver NAME]

preview  prints what each channel would send for an example alert, firing and resolved; no secret is read and nothing is sent
test     sends one example message through every channel of a receiver, marked as a test, and prints each channel's own answer

  fournines notify preview --config collector.yml
  fournines notify test --config collector.yml --receiver oncall

Options
  --config FILE     the collector's configuration
  --receiver NAME   only this receiver; "test" needs it
  --severity LEVEL  of the example: critical (default), warning or info

Exit code 0 when everything was taken, 1 when a channel did not take its message.`,
	run: async (args) => {
		const [action, ...rest] = args;
		if (action !== 'preview' && action !== 'test')
			throw usageError(`${action === undefined ? 'say what to do' : `"${action}" is not known`}: preview or test`);
		const { values } = parseArgs({
			args: [...rest],
			options: { config: { type: 'string' }, receiver: { type: 'string' }, severity: { type: 'string', default: 'critical' } },
		});
		if (values.config === undefined) throw usageError('--config is missing: name the collector.yml');
		if (action === 'test' && values.receiver === undefined)
			throw usageError('--receiver is missing: a test goes to real people, so say to whom');
		const { alerts } = configOrThrow(loadConfigFile(values.config, CollectorConfigSchema, checkCollectorConfig));
		const notifiers = notifiersOf(alerts, values.receiver, action === 'test');
		if (notifiers.length === 0) {
			process.stdout.write('there is no channel: alerts are recorded, and nobody is told\n');
			return 1;
		}
		return action === 'preview' ? preview(notifiers, values.severity) : send(notifiers, values.severity);
	},
};

function notifiersOf(config: AlertsConfig, receiver: string | undefined, real: boolean): readonly Notifier[] {
	if (receiver !== undefined && !config.receivers.some(({ name }) => name === receiver)) {
		throw usageError(`there is no receiver "${receiver}"; known are: ${config.receivers.map(({ name }) => name).join(', ')}`);
	}
	const wanted = { ...config, receivers: config.receivers.filter(({ name }) => receiver === undefined || name === receiver) };
	const world = {
		clock: systemClock,
		http: httpExchange,
		externalUrl: '',
		secret: real ? (ref: Parameters<typeof resolveSecret>[0]) => resolveSecret(ref, process.env) : () => new Secret('preview'),
	};
	return [...buildNotifiers(wanted, world).values()].flat();
}

function preview(notifiers: readonly Notifier[], severity: string): number {
	for (const notifier of notifiers) {
		for (const status of ['firing', 'resolved'] as const) {
			if (status === 'resolved' && !notifier.sendResolved) continue;
			const { text } = notifier.compose(sampleNotification({ status, severity, nowMs: systemClock.now() }), { possibleDuplicate: false });
			process.stdout.write(`== ${notifier.channel}, ${status}, ${Buffer.byteLength(text)} bytes, ${text.length} characters\n${text}\n\n`);
		}
	}
	return 0;
}

async function send(notifiers: readonly Notifier[], severity: string): Promise<number> {
	let failed = 0;
	for (const notifier of notifiers) {
		const message = notifier.compose(sampleNotification({ status: 'firing', severity, nowMs: systemClock.now() }), {
			possibleDuplicate: false,
		});
		const result = await message.send(AbortSignal.timeout(TEST_TIMEOUT_MS));
		if (result.kind !== 'sent') failed++;
		const reason = result.kind === 'sent' ? '' : `: ${result.reason}`;
		process.stdout.write(
			`${notifier.channel}: ${result.kind === 'sent' ? 'taken' : result.kind === 'retry' ? 'not now' : 'REFUSED'} (${result.code})${reason}\n`,
		);
	}
	return failed === 0 ? 0 : 1;
}
