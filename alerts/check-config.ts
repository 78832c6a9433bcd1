import { dirname } from 'node:path';
import type { ConfigCheck } from '../core/config-file.ts';
import { tryParseDuration } from '../core/duration.ts';
import { errorText } from '../core/errors.ts';
import { knownInstead } from '../core/near-name.ts';
import type { AlertsConfig, RouteConfig } from './config.ts';
import { checkForeign } from './foreign-receivers.ts';
import { buildInhibitRule } from './inhibit/inhibit.ts';
import type { ChannelKind } from './notify/channel-line.ts';
import { channelOf } from './notify/channels.ts';
import { checkHttpConfig, type HttpConfig } from './notify/http-config.ts';
import { CHANNEL_KINDS } from './notify/kinds.ts';
import { needsRecipients, recipientProblem } from './notify/recipients.ts';
import { checkTls } from './notify/tls.ts';
import { checkOnCall } from './on-call-config.ts';
import { parseMatchers } from './route/matcher.ts';
import { routeMatchers } from './route/route.ts';
import { readTemplateFiles } from './templates/alertmanager/template-files.ts';
import { checkAlertmanagerTemplate } from './templates/alertmanager/texts.ts';
import { parseOwnText } from './templates/texts.ts';
import { buildTimeInterval } from './time/time-interval.ts';

/** What the schema cannot say: references that must exist, expressions that must parse, values that must fit together. */
export const checkAlertsConfig: ConfigCheck<AlertsConfig> = (config, report, file = '.') => {
	const names = new Set<string>();
	const channels = config.channels.map(({ name }) => name);
	for (const [i, receiver] of config.receivers.entries()) {
		if (names.has(receiver.name)) report(['receivers', i, 'name'], `the receiver "${receiver.name}" is defined twice; rename one`);
		names.add(receiver.name);
		for (const kind of CHANNEL_KINDS) {
			const { type } = kind;
			const entries = (receiver as Readonly<Record<string, unknown>>)[`${type}_configs`];
			for (const [j, entry] of (Array.isArray(entries) ? entries : []).entries())
				checkChannel(kind, { entry, global: config.global }, (path, message) =>
					report(['receivers', i, `${type}_configs`, j, ...path], message),
				);
		}
		for (const [j, entry] of receiver.channel_configs.entries())
			checkShared(config, entry, (path, message) => report(['receivers', i, 'channel_configs', j, ...path], message));
	}
	checkChannels(config, report);
	checkOnCall(config.oncall, channels, (path, message) => report(['oncall', ...path], message));
	checkAddresses(config, report);
	checkForeign(config, report);
	if (config.global.http_config !== undefined)
		checkHttpConfig(config.global.http_config, (path, message) => report(['global', 'http_config', ...path], message));
	if (config.global.smtp_tls_config !== undefined)
		checkTls(config.global.smtp_tls_config, (path, message) => report(['global', 'smtp_tls_config', ...path], message));
	checkTemplates(config, file, report);
	const root = config.route;
	if (root.receiver === undefined) report(['route'], 'the root route has no receiver; name one of `receivers`');
	if (root.matchers.length + Object.keys(root.match).length + Object.keys(root.match_re).length > 0) {
		report(['route'], 'the root route must take every alert; move its matchers to a child under `routes`');
	}
	if (root.continue) report(['route', 'continue'], 'the root route has no sibling to continue to; remove the key');
	if (root.mute_time_intervals.length + root.active_time_intervals.length > 0)
		report(['route'], 'the root route cannot have time intervals; move them to a child under `routes`');
	const intervals = checkTimeIntervals(config, report);
	checkRoute(root, ['route'], { names, intervals }, report);
	for (const [i, { matchers }] of config.forward.entries())
		checkMatchers(matchers, (message) => report(['forward', i, 'matchers'], message));
	for (const key of ['intake', 'relays'] as const) {
		const known = config[key].map(({ name }) => name);
		for (const [i, name] of known.entries())
			if (known.indexOf(name) !== i) report([key, i, 'name'], `the name "${name}" is given twice in ${key}; rename one`);
	}
	for (const key of ['host_down', 'service_down'] as const) {
		checkMatchers(config.topology[key], (message) => report(['topology', key], message));
	}
	for (const [i, rule] of config.inhibit_rules.entries()) {
		try {
			const built = buildInhibitRule(rule);
			if (built.source.length === 0) report(['inhibit_rules', i], 'source_matchers is empty, so any alert would inhibit; add a matcher');
			if (built.target.length === 0)
				report(['inhibit_rules', i], 'target_matchers is empty, so every alert would be inhibited; add a matcher');
		} catch (error) {
			report(['inhibit_rules', i], errorText(error));
		}
	}
};

function checkMatchers(matchers: readonly string[], report: (message: string) => void): void {
	for (const matcher of matchers) {
		try {
			parseMatchers(matcher);
		} catch (error) {
			report(errorText(error));
		}
	}
}

function checkChannels(config: AlertsConfig, report: (path: readonly (string | number)[], message: string) => void): void {
	const names = new Set<string>();
	for (const [i, channel] of config.channels.entries()) {
		if (names.has(channel.name)) report(['channels', i, 'name'], `the channel "${channel.name}" is defined twice; rename one`);
		names.add(channel.name);
		const keys = Object.entries(channel).filter(([key, value]) => key !== 'name' && value !== undefined);
		if (keys.length !== 1) {
			report(['channels', i], `needs exactly one type beside its name: ${CHANNEL_KINDS.map(({ type }) => type).join(', ')}`);
			continue;
		}
		const [type, entry] = channelOf(channel);
		const kind = CHANNEL_KINDS.find((known) => known.type === type);
		if (kind !== undefined)
			checkChannel(kind, { entry, global: config.global }, (path, message) => report(['channels', i, type, ...path], message));
	}
}

/** An entry of `channel_configs`: the channel must be there, and take such recipients. */
function checkShared(
	config: AlertsConfig,
	{ channel, to }: AlertsConfig['receivers'][number]['channel_configs'][number],
	report: Report,
): void {
	const names = config.channels.map(({ name }) => name);
	if (!names.includes(channel))
		report(['channel'], `the channel "${channel}" is not one of alerts.channels${knownInstead(channel, names)}`);
	const kind = kindOfChannel(config, channel);
	if (kind === undefined) return;
	if (kind.to === null && to.length > 0) report(['to'], `the channel "${channel}" always sends to the same place; leave the key out`);
	if (needsRecipients(kind) && to.length === 0) report([], `needs the key "to": whom the channel "${channel}" sends to`);
	for (const [k, address] of to.entries()) {
		const problem = recipientProblem(kind, address);
		if (problem !== null) report(['to', k], problem);
	}
}

function checkAddresses(config: AlertsConfig, report: Report): void {
	for (const [i, { addresses }] of config.oncall.people.entries()) {
		for (const [j, { channel, to }] of addresses.entries()) {
			const kind = kindOfChannel(config, channel);
			const problem = kind === undefined ? null : recipientProblem(kind, to);
			if (problem !== null) report(['oncall', 'people', i, 'addresses', j, 'to'], problem);
		}
	}
}

function kindOfChannel(config: AlertsConfig, name: string): ChannelKind | undefined {
	const channel = config.channels.find((entry) => entry.name === name);
	return channel === undefined ? undefined : CHANNEL_KINDS.find(({ type }) => type === channelOf(channel)[0]);
}

function checkTemplates(config: AlertsConfig, file: string, report: Report): void {
	for (const [i, entry] of config.templates.entries()) {
		try {
			if (typeof entry === 'string') for (const read of readTemplateFiles([entry], dirname(file))) checkAlertmanagerTemplate(read);
			else parseOwnText(entry.template, i);
		} catch (error) {
			report(typeof entry === 'string' ? ['templates', i] : ['templates', i, 'template'], errorText(error));
		}
	}
}

type Report = (path: readonly (string | number)[], message: string) => void;

/** What a channel's schema cannot say: its own conditions, and what `global` must have where it says nothing. */
function checkChannel(
	kind: ChannelKind,
	{ entry, global }: { readonly entry: unknown; readonly global: AlertsConfig['global'] },
	report: Report,
): void {
	kind.check?.(entry as never, report);
	const { http_config: http } = entry as { readonly http_config?: HttpConfig };
	if (http !== undefined) checkHttpConfig(http, (path, message) => report(['http_config', ...path], message));
	const missing = kind.missing?.(entry as never, global) ?? null;
	if (missing !== null) report([], `the key "${missing.key}" is missing; give it here, or ${missing.global} under alerts.global`);
	for (const { path, text } of kind.texts?.(entry as never) ?? []) {
		try {
			checkAlertmanagerTemplate({ name: path.join('.'), text });
		} catch (error) {
			report(path, errorText(error));
		}
	}
}

function checkRoute(
	route: RouteConfig,
	path: readonly (string | number)[],
	known: { readonly names: ReadonlySet<string>; readonly intervals: ReadonlySet<string> },
	report: (path: readonly (string | number)[], message: string) => void,
): void {
	if (route.receiver !== undefined && !known.names.has(route.receiver)) {
		report([...path, 'receiver'], `the receiver "${route.receiver}" is not defined${knownInstead(route.receiver, [...known.names])}`);
	}
	try {
		routeMatchers(route);
	} catch (error) {
		report([...path, route.matchers.length > 0 ? 'matchers' : 'match_re'], errorText(error));
	}
	if (route.group_by !== undefined) {
		if (route.group_by.includes('...') && route.group_by.length > 1)
			report([...path, 'group_by'], '"..." groups by all labels and must stand alone');
		const bad = route.group_by.find((name) => name !== '...' && !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name));
		if (bad !== undefined) report([...path, 'group_by'], `"${bad}" is not a label name`);
		if (new Set(route.group_by).size < route.group_by.length) report([...path, 'group_by'], 'a label is named twice');
	}
	for (const key of ['group_interval', 'repeat_interval'] as const) {
		if (route[key] !== undefined && tryParseDuration(route[key]) === 0)
			report([...path, key], 'must be more than zero; write for example 5m');
	}
	for (const key of ['mute_time_intervals', 'active_time_intervals'] as const) {
		const unknown = route[key].find((name) => !known.intervals.has(name));
		if (unknown !== undefined)
			report(
				[...path, key],
				`the time interval "${unknown}" is not defined under time_intervals${knownInstead(unknown, [...known.intervals])}`,
			);
	}
	for (const [i, child] of route.routes.entries()) checkRoute(child, [...path, 'routes', i], known, report);
}

function checkTimeIntervals(
	config: AlertsConfig,
	report: (path: readonly (string | number)[], message: string) => void,
): ReadonlySet<string> {
	const names = new Set<string>();
	for (const key of ['time_intervals', 'mute_time_intervals'] as const) {
		for (const [i, interval] of config[key].entries()) {
			if (names.has(interval.name)) report([key, i, 'name'], `the time interval "${interval.name}" is defined twice; rename one`);
			names.add(interval.name);
			try {
				buildTimeInterval(interval);
			} catch (error) {
				report([key, i], errorText(error));
			}
		}
	}
	return names;
}
