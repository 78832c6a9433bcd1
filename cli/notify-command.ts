import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import type { AlertsConfig } from '../alerts/config.ts';
import { type Channels, type ChannelWorld, openChannels } from '../alerts/notify/channels.ts';
import type { Notification } from '../alerts/notify/notification.ts';
import type { Notifier } from '../alerts/notify/notifier.ts';
import { sampleDigest, sampleNotification } from '../alerts/preview.ts';
import { CollectorConfigSchema, checkCollectorConfig } from '../collector/config.ts';
import { systemClock } from '../core/clock.ts';
import { configOrThrow, loadConfigFile } from '../core/config-file.ts';
import { httpExchange } from '../core/http-client.ts';
import { silentLogger } from '../core/log.ts';
import { knownInstead } from '../core/near-name.ts';
import { resolveSecret, Secret } from '../core/secret.ts';
import { type Command, usageError } from './command.ts';

/** Longer than any channel's own limit. */
const TEST_TIMEOUT_MS = 60_000;

export const notifyCommand: Command = {
	help: `fournines notify preview|test --config COLLECTOR.YML [--receiver NAME | --channel NAME --to ADDRESS]

preview  prints what each channel would send for an example alert, firing and resolved, and to a person also for two incidents
         that share a message; no secret is read and nothing is sent.
         A template of your own that fails is named, and the text that would be sent instead is shown
test     sends one example message, marked as a test, through every channel of a receiver, or to one address through one
         channel of alerts.channels, and prints each channel's own answer

  fournines notify preview --config collector.yml
  fournines notify test --config collector.yml --receiver oncall
  fournines notify test --config collector.yml --channel sms --to 13800000000

Options
  --config FILE     the collector's configuration
  --receiver NAME   only this receiver
  --channel NAME    only this entry of alerts.channels
  --to ADDRESS      whom it sends to
  --severity LEVEL  of the example: critical (default), warning or info
  --language LANG   zh-CN or en instead of the configured one

Exit code 0 when everything was taken, 1 when a channel did not take its message.`,
	run: async (args) => {
		const [action, ...rest] = args;
		if (action !== 'preview' && action !== 'test')
			throw usageError(`${action === undefined ? 'say what to do' : `"${action}" is not known`}: preview or test`);
		const { values } = parseArgs({
			args: [...rest],
			options: {
				config: { type: 'string' },
				receiver: { type: 'string' },
				channel: { type: 'string' },
				to: { type: 'string' },
				severity: { type: 'string', default: 'critical' },
				language: { type: 'string' },
			},
		});
		if (values.config === undefined) throw usageError('--config is missing: name the collector.yml');
		if (action === 'test' && values.receiver === undefined && (values.channel === undefined || values.to === undefined))
			throw usageError('--receiver is missing, or --channel and --to: a test goes to real people, so say to whom');
		const config = configOrThrow(loadConfigFile(values.config, CollectorConfigSchema, checkCollectorConfig));
		if (!SEVERITIES.includes(values.severity)) throw usageError(`--severity ${values.severity}: write ${SEVERITIES.join(', ')}`);
		const alerts = onlyWanted(inLanguage(config.alerts, values.language), values);
		const problems: string[] = [];
		const channels = openChannels(alerts, worldOf(action === 'test', { folder: dirname(values.config), problems }));
		try {
			const notifiers = notifiersOf(channels, values);
			if (notifiers.length === 0) {
				process.stdout.write('there is no channel: alerts are recorded, and nobody is told\n');
				return 1;
			}
			const code = action === 'preview' ? await preview(notifiers, values.severity) : await send(notifiers, values.severity);
			for (const problem of new Set(problems)) process.stdout.write(`the shipped text was used, because a template failed: ${problem}\n`);
			return problems.length > 0 ? 1 : code;
		} finally {
			await channels.close();
		}
	},
};

const SEVERITIES: readonly string[] = ['critical', 'warning', 'info'];

/** What is not asked for is not opened: a secret that is missing elsewhere must not stand in the way of a test. */
function onlyWanted(alerts: AlertsConfig, { receiver, channel }: Wanted): AlertsConfig {
	const receivers = alerts.receivers.filter(({ name }) => (receiver === undefined ? channel === undefined : name === receiver));
	const named = receivers.flatMap(({ channel_configs: shared }) => shared.map((entry) => entry.channel));
	const channels = alerts.channels.filter(({ name }) =>
		receiver === undefined ? channel === undefined || name === channel : named.includes(name),
	);
	if (receiver !== undefined && receivers.length === 0)
		throw usageError(
			`there is no receiver "${receiver}"${knownInstead(
				receiver,
				alerts.receivers.map(({ name }) => name),
			)}`,
		);
	if (channel !== undefined && channels.length === 0)
		throw usageError(
			`there is no channel "${channel}"${knownInstead(
				channel,
				alerts.channels.map(({ name }) => name),
			)}`,
		);
	return { ...alerts, receivers, channels };
}

function worldOf(real: boolean, { folder, problems }: { readonly folder: string; readonly problems: string[] }): ChannelWorld {
	return {
		configFolder: folder,
		clock: systemClock,
		log: silentLogger,
		http: httpExchange,
		externalUrl: '',
		secret: real ? (ref) => resolveSecret(ref, process.env) : () => new Secret(PREVIEW_SECRET),
		onTemplateError: (channel, reason) => problems.push(`${channel}: ${reason}`),
		// The collector is the one that listens; what comes back while a test runs is only said.
		inbound: {
			receipts: async (line, receipts) => {
				for (const { state, code, to } of receipts) process.stdout.write(`${line}: ${state} ${to} (${code})\n`);
			},
			recent: async () => [],
			reply: async () => '',
		},
	};
}

interface Wanted {
	readonly receiver?: string;
	readonly channel?: string;
	readonly to?: string;
}

/** Stands for every secret while nothing is sent; as long as an EncodingAESKey, which is checked for its length. */
const PREVIEW_SECRET = 'preview'.padEnd(43, '0');

/** An address that nobody has, to look at texts with. */
const EXAMPLE_ADDRESS = '13800000000';

function notifiersOf(channels: Channels, wanted: Wanted): readonly Notifier[] {
	const { receiver, channel, to } = wanted;
	if (receiver !== undefined) return channels.receivers.get(receiver) ?? [];
	const named = channel === undefined ? channels.names : [channel];
	const personal = named.flatMap((name) => channels.personal(name, to ?? EXAMPLE_ADDRESS) ?? []);
	return channel === undefined ? [...[...channels.receivers.values()].flat(), ...personal] : personal;
}

/** What a place can be asked to say: of persons, also what they get when incidents have to share a message. */
function samplesFor(notifier: Notifier, severity: string): readonly { readonly name: string; readonly notification: Notification }[] {
	const nowMs = systemClock.now();
	const personal = notifier.receiver === '';
	const firing = { name: 'firing', notification: sampleNotification({ status: 'firing', severity, nowMs, personal }) };
	const resolved = { name: 'resolved', notification: sampleNotification({ status: 'resolved', severity, nowMs }) };
	const digest = { name: 'two incidents in one', notification: sampleDigest({ severity, nowMs }) };
	return [firing, ...(notifier.sendResolved ? [resolved] : []), ...(personal ? [digest] : [])];
}

async function preview(notifiers: readonly Notifier[], severity: string): Promise<number> {
	for (const notifier of notifiers) {
		for (const { name, notification } of samplesFor(notifier, severity)) {
			const { text } = await notifier.compose(notification, { possibleDuplicate: false });
			process.stdout.write(`== ${notifier.channel}, ${name}, ${Buffer.byteLength(text)} bytes, ${text.length} characters\n${text}\n\n`);
		}
	}
	return 0;
}

/** Every place in this language, whatever the configuration says. */
function inLanguage(alerts: AlertsConfig, language: string | undefined): AlertsConfig {
	if (language === undefined) return alerts;
	if (language !== 'zh-CN' && language !== 'en') throw usageError(`--language ${language}: write zh-CN or en`);
	const without = (key: string, value: unknown) => (key === 'language' ? undefined : value);
	const bare = <T>(part: T): T => JSON.parse(JSON.stringify(part, without)) as T;
	return { ...alerts, language, receivers: bare(alerts.receivers), channels: bare(alerts.channels) };
}

async function send(notifiers: readonly Notifier[], severity: string): Promise<number> {
	let failed = 0;
	for (const notifier of notifiers) {
		const message = await notifier.compose(sampleNotification({ status: 'firing', severity, nowMs: systemClock.now() }), {
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
