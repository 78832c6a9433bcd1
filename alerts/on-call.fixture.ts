import { afterEach, beforeEach } from 'vitest';
import { postedAlert, type RunningAlerting, startAlerting } from '../tests/harness/alerting.ts';
import { type FakeWebhook, startFakeWebhook } from '../tests/harness/fake-webhook.ts';
import { createManualClock, type ManualClock } from '../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../tests/harness/process.ts';
import type { FaultFacts } from './escalation/progress.ts';
import type { CopiedAcknowledgement } from './incident/acknowledgement-copies.ts';
import type { Incident } from './incident/incident.ts';
import type { Notification } from './notify/notification.ts';

import type { AlertingPorts } from './ports.ts';

let folder: TemporaryFolder;
export let hook: FakeWebhook;
export let clock: ManualClock;
export let running: RunningAlerting;
let faults: readonly FaultFacts[] = [];
/** Declared faults from now on. */
export function declare(...now: readonly FaultFacts[]): void {
	faults = now;
}

export let copied: CopiedAcknowledgement[] = [];
export let zeroMs = 0;

/** A folder, a receiver of messages and a clock of its own for every test; whatever was started ends with it. */
export function everyNight(): void {
	beforeEach(async () => {
		folder = temporaryFolder('on-call');
		hook = await startFakeWebhook();
		// A Saturday, 09:00 in Shanghai.
		clock = createManualClock();
		zeroMs = clock.now();
		faults = [];
		copied = [];
	});

	afterEach(async () => {
		await running.stop();
		await hook.stop();
		folder.remove();
	});
}

const ROSTERS = `
    - { id: first, name: 一线, layers: [{ name: weekly, people: [zhang, li], start: '2026-11-16' }] }
    - { id: empty, name: 空, layers: [{ name: none, people: [nobody], start: '2026-11-16' }] }`;

const POLICY = `
- name: standard
  severities: [critical]
  steps:
    - { to: ['roster:first'], wait: 5m, times: 2 }
    - { to: ['next:first'], wait: 5m }
    - { to: ['lead:duty'], wait: 10m }
  rounds: 1
  unacknowledge_after: 1h`;

export interface Variant {
	readonly policies?: string;
	readonly more?: string;
	readonly receiver?: string;
	readonly routes?: string;
	readonly rosters?: string;
	readonly handover?: string;
	readonly drill?: string;
	readonly ports?: (ports: AlertingPorts) => AlertingPorts;
}

export async function start(options: Variant = {}): Promise<void> {
	running = await startAlerting({
		folder: folder.path,
		clock,
		config: `
route: { receiver: ${options.receiver ?? 'nobody'}, group_by: [alertname], group_wait: 0s, group_interval: 1m, repeat_interval: 4h${options.routes === undefined ? '' : `, ${options.routes}`} }
receivers: [{ name: nobody }, { name: hall, webhook_configs: [{ url: '${hook.url}' }] }, { name: room, webhook_configs: [{ url: '${hook.url}' }] }]
channels: [{ name: hook, webhook: { url: '${hook.url}' } }]
oncall:
  people:
    - { id: zhang, name: 张伟, account: zhang.wei, addresses: [{ channel: hook, to: zhang }] }
    - { id: li, name: 李娜, addresses: [{ channel: hook, to: li }] }
    - { id: wang, name: 王强, addresses: [{ channel: hook, to: wang }, { channel: hook, to: wang-at-home }] }
    - { id: nobody, name: 无号 }
  teams: [{ id: duty, name: 值班组, lead: wang, members: [zhang, li, wang] }]
  rosters: ${options.rosters ?? ROSTERS}
  handover: ${options.handover ?? '{}'}
  ${options.drill === undefined ? '' : `drill: ${options.drill}`}
  policies: ${(options.policies ?? POLICY).replace(/\n/g, '\n    ')}
${options.more ?? ''}`,
		...(options.ports === undefined ? {} : { ports: options.ports }),
		onCall: {
			faults: async () => faults,
			copyAcknowledgement: async (acknowledged) => {
				copied.push(acknowledged);
			},
		},
	});
}

export async function restart(options?: Parameters<typeof start>[0]): Promise<void> {
	await running.stop();
	await start(options);
}

const post = (name: string, endsAtMs: number | null, more: Record<string, string> = {}) =>
	running.alerting.receive([
		postedAlert({ alertname: name, severity: 'critical', ...more }, { startsAtMs: zeroMs, endsAtMs }, { summary: `${name} 停了` }),
	]);
export const fire = (name: string, more?: Record<string, string>) => post(name, zeroMs + 30 * 86_400_000, more);
export const resolve = (name: string, more?: Record<string, string>) => post(name, clock.now(), more);
export const minutes = (count: number) => clock.advance(count * 60_000);

/** What was put into the outbox for people: `0m 张伟 fired`. */
export async function calls(): Promise<string[]> {
	for (let i = 0; i < 5; i++) await clock.settle();
	const rows = await running.state.selectFrom('notification').select('body').orderBy('number').execute();
	return rows.flatMap(({ body }) => {
		const { createdAtMs, personal, reason, incident } = JSON.parse(body) as Notification;
		if (personal === undefined) return [];
		const text = incident?.text === '' ? '' : ` ${incident?.text.slice(0, 12)}`;
		return [`${(createdAtMs - zeroMs) / 60_000}m ${personal.name} ${reason}${text}`];
	});
}

export async function lastLink(): Promise<string> {
	await calls();
	const rows = await running.state.selectFrom('notification').select('body').orderBy('number').execute();
	const urls = rows.flatMap(({ body }) => (JSON.parse(body) as Notification).incident?.ackUrl || []);
	return urls.at(-1)?.split('/').at(-1) ?? '';
}

export const incident = (ref = '1'): Promise<Incident> => running.alerting.onCall.incidents.get(ref);
export const kinds = async (ref = '1') =>
	(await running.alerting.onCall.incidents.events((await incident(ref)).id)).map(({ body }) => body.kind);
export const take = (person: string, name: string) =>
	running.alerting.onCall.incidents.acknowledge('1', { person, name, by: person, way: 'console' });
