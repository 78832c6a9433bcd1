import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Alerting } from '../alerts/alerting.ts';
import type { FaultFacts } from '../alerts/escalation/progress.ts';
import type { CopiedAcknowledgement } from '../alerts/incident/acknowledgement-copies.ts';
import type { OnCallWorld } from '../alerts/on-call.ts';
import type { HandoverFacts } from '../alerts/roster/handovers.ts';
import type { Clock } from '../core/clock.ts';
import { systemErrorCode } from '../core/errors.ts';
import { makeFolder } from '../core/folder.ts';
import { Secret } from '../core/secret.ts';
import type { Budgets } from './availability/budgets.ts';
import type { CollectorConfig } from './config.ts';
import type { Profile } from './contracts/profile.ts';
import type { FaultDesk } from './fault-desk.ts';
import type { FaultView } from './faults/faults.ts';
import { dayKindOrUnknown } from './inventory/holidays.ts';
import type { Maintenance } from './maintenance/maintenance.ts';

/** What is built after the alerts are. */
export interface LaterServices {
	readonly desk: FaultDesk;
	readonly alerting: Alerting;
	readonly maintenance: Maintenance;
	readonly budgets: Budgets;
}

/** Silences and windows that a shift has to know of end or begin within this. */
const AHEAD_MS = 24 * 3_600_000;
const KEY_BYTES = 32;

/** Ties on-call to faults, maintenance, budgets and the calendar. `later` is `null` until all of them exist. */
export function onCallWorld(options: {
	readonly dataDir: string;
	readonly clock: Clock;
	readonly config: () => CollectorConfig;
	readonly later: () => LaterServices | null;
}): Required<OnCallWorld> {
	const { clock, config, later } = options;
	return {
		ackKey: provideKey(join(options.dataDir, 'keys')),
		// Somebody must have duty in a year that nobody has entered yet; the outlook says that it is missing.
		dayKind: (day) => dayKindOrUnknown(day, config().inventory.holidays),
		faults: async () => {
			const services = later();
			if (services === null) return [];
			const { faults, contracts } = services.desk;
			return (await faults.list('open')).flatMap((view) => factsOf(view, contracts.profile(view.fault.profile)));
		},
		copyAcknowledgement: async (copied) => {
			await later()?.desk.faults.copyAcknowledgement({ ...copied, services: servicesOf(copied.labels, config()) });
		},
		handoverFacts: async () => {
			const services = later();
			return services === null
				? { alerts: [], silences: [], maintenance: [], budgets: [] }
				: handoverFacts(services, config(), clock.now());
		},
	};
}

/** Services that alerts with these labels are about: they name the service, or a check of it. */
export function servicesOf(labels: CopiedAcknowledgement['labels'], { inventory }: Pick<CollectorConfig, 'inventory'>): readonly string[] {
	const named = new Set(labels.flatMap(({ service }) => service ?? []));
	const checks = new Set(labels.flatMap(({ check }) => check ?? []));
	return inventory.services.filter(({ id, checks: own }) => named.has(id) || own.some((check) => checks.has(check))).map(({ id }) => id);
}

/** A declared fault that is not closed, as on-call sees it. */
function factsOf({ number, fault, steps }: FaultView, profile: Profile): readonly FaultFacts[] {
	const { declared, onset, restored, resolved } = fault.moments;
	const level = profile.levels.find(({ id }) => id === fault.level);
	if (declared === null || level === undefined) return [];
	const next = steps.find(({ step, dueMs }) => (step === 'restore' || step === 'resolve') && dueMs !== null);
	const progress = steps.find(({ step }) => step === 'progress');
	return [
		{
			id: fault.id,
			number,
			title: fault.title,
			service: fault.service,
			fingerprint: fault.sourceKey.startsWith('alert:') ? fault.sourceKey.slice('alert:'.length) : null,
			level: fault.level,
			levelName: level.name,
			onsetMs: onset ?? declared,
			declaredMs: declared,
			restoredMs: restored ?? resolved,
			deadline: next === undefined || next.dueMs === null ? null : { name: next.step === 'restore' ? '恢复' : '解决', dueMs: next.dueMs },
			progressDueMs: progress?.dueMs ?? null,
			tell: [...new Set([...level.tell.start, ...level.tell.end])],
		},
	];
}

async function handoverFacts(
	{ alerting, maintenance, budgets }: LaterServices,
	{ inventory }: CollectorConfig,
	nowMs: number,
): Promise<Omit<HandoverFacts, 'incidents'>> {
	const names = new Map(inventory.services.map(({ id, name }) => [id, name]));
	return {
		alerts: alerting.alerts().map(({ alert }) => ({
			title: alert.annotations['summary'] ?? alert.labels['alertname'] ?? alert.fingerprint,
			severity: alert.labels['severity'] ?? '',
			sinceMs: alert.startsAtMs,
		})),
		silences: alerting.silences
			.list()
			.filter(({ endsAtMs }) => endsAtMs > nowMs && endsAtMs < nowMs + AHEAD_MS)
			.map(({ id, comment, createdBy, endsAtMs }) => ({ id, comment, by: createdBy, endsAtMs })),
		maintenance: maintenance
			.list(nowMs, nowMs + AHEAD_MS)
			.filter(({ state }) => state === 'requested' || state === 'approved')
			.map(({ request }) => ({ title: request.title, fromMs: request.fromMs, toMs: request.toMs })),
		budgets: (await budgets.states()).map(({ serviceId, remainingSeconds, budgetSeconds }) => ({
			service: names.get(serviceId) ?? serviceId,
			remainingSeconds,
			totalSeconds: budgetSeconds,
		})),
	};
}

/** Made at the first start; links in messages that are on their way must survive a restart. */
function provideKey(folder: string): Secret {
	const file = join(folder, 'ack-links.key');
	const key = randomBytes(KEY_BYTES).toString('base64url');
	try {
		if (existsSync(file)) return new Secret(readFileSync(file, 'utf8').trim());
		makeFolder(folder, 0o700);
		writeFileSync(file, `${key}\n`, { mode: 0o600, flag: 'wx' });
	} catch (error) {
		// A disk that is full or read-only must not stop alerts; then links end with the process.
		if (!['ENOSPC', 'EDQUOT', 'EROFS'].includes(systemErrorCode(error))) throw error;
	}
	return new Secret(key);
}
