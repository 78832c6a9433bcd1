import { Counter, Gauge, type Registry } from 'prom-client';
import type { Alerting } from '../alerts/alerting.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { PostedAlert } from '../protocol/alert.ts';
import { type Availability, createAvailability } from './availability/availability.ts';
import type { DayStore } from './availability/day-store.ts';
import type { CollectorConfig } from './config.ts';
import { type Contracts, createContracts } from './contracts/contracts.ts';
import type { ClockRules } from './contracts/limits.ts';
import type { ContractProfile } from './contracts/profile-files.ts';
import { assessedServices } from './contracts/service-figures.ts';
import { deskAlert } from './desk-notice.ts';
import { createFaultStore } from './faults/fault-store.ts';
import { type FaultNotice, FaultWatch } from './faults/fault-watch.ts';
import { createFaults, type Faults } from './faults/faults.ts';
import { causedOutages, watchedOutages } from './faults/watched-outages.ts';
import type { OperationLog } from './identity/operation-log.ts';
import { closedSpans } from './inventory/calendar.ts';
import { createProblems, type Problems } from './problems/problems.ts';
import { createAttachments } from './state/attachments.ts';
import type { CaseFiles } from './state/cases.ts';
import type { StateDatabase } from './state/database.ts';
import type { Queryable } from './storage/storage.ts';

export interface FaultDeskOptions {
	readonly state: StateDatabase;
	readonly dataDir: string;
	readonly profiles: () => readonly ContractProfile[];
	readonly config: () => CollectorConfig;
	readonly availability: Availability;
	/** Where checks are stored: what a service's own checks say without those of the services below it. */
	readonly queryable: Queryable;
	/** The one of `availability`, so that late checks are told to what is computed here as well. */
	readonly days: DayStore;
	readonly alerting: Alerting;
	readonly operations: OperationLog;
	readonly metrics: Registry;
	readonly clock: Clock;
	readonly log: Logger;
}

export interface FaultDesk {
	readonly faults: Faults;
	readonly contracts: Contracts;
	readonly problems: Problems;
	/** Where files of the desk are kept, and how large one may be. */
	readonly files: CaseFiles;
	readonly watch: FaultWatch;
}

/** A failure of the period before may last into it. */
const FAILURE_LOOK_BACK_MS = 31 * 86_400_000;

/** Faults and contracts, tied to the ledger, the alerts and the inventory. Throws what the contract profiles throw when one is bad. */
export function createFaultDesk(options: FaultDeskOptions): FaultDesk {
	const { state, config, availability, alerting, operations, metrics, clock, log } = options;
	const clockRules = (): ClockRules => {
		const { inventory } = config();
		return {
			zone: inventory.zone,
			holidays: inventory.holidays,
			closed: (service, span) => {
				const calendar = inventory.services.find(({ id }) => id === service)?.calendar;
				return calendar === undefined ? [] : closedSpans(inventory, calendar, span);
			},
		};
	};
	const contractOf = (service: string | null): string =>
		config().inventory.services.find(({ id }) => id === service)?.contract ?? config().contracts.default;
	const files = { attachments: createAttachments(options.dataDir), maxBytes: () => config().contracts.attachment_max_bytes };
	const problems: Problems = createProblems({
		state,
		files,
		profileOf: (service) => contracts.profile(contractOf(service)),
		profile: (id) => contracts.profile(id),
		clockRules,
		clock,
	});
	const faults: Faults = createFaults({
		store: createFaultStore(state),
		attachments: files.attachments,
		profileOf: (service) => contracts.profile(contractOf(service)),
		profile: (id) => contracts.profile(id),
		config: () => config().contracts,
		clockRules,
		operations,
		clock,
	});
	const contracts: Contracts = createContracts({
		state,
		profiles: options.profiles,
		config: () => config().contracts,
		faults: (profile, fromMs, toMs) => faults.assessed(profile, fromMs, toMs),
		problems: (profile, fromMs, toMs) => problems.assessed(profile, fromMs, toMs),
		services: async (profile, period, known) => {
			const { inventory } = config();
			// A service that names another contract is priced there; one that names none is priced by whichever profile is asked for.
			const priced = inventory.services.filter(({ contract }) => contract === undefined || contract === profile.id);
			return assessedServices(availability, priced, {
				profile,
				period,
				faults: known,
				failures: await faults.failures(period.fromMs - FAILURE_LOOK_BACK_MS, period.toMs),
				caused: causedOutages(await outages(period.fromMs, new AbortController().signal, period.toMs)),
				nowMs: clock.now(),
				inventory,
			});
		},
		clockRules,
		operations,
		clock,
	});
	const outages = watchedOutages({
		availability,
		parts: (inventory) => createAvailability({ queryable: options.queryable, inventory: () => inventory, days: options.days, clock, log }),
		inventory: () => config().inventory,
		contractOf,
		unknownOf: (service) => contracts.profile(contractOf(service)).grading.unknown ?? 'left-out',
		clock,
	});
	const watch = new FaultWatch({
		faults,
		profile: (id) => contracts.profile(id),
		config: () => config().contracts,
		outages,
		alerts: () =>
			alerting
				.alerts()
				.filter(({ state: shown, alert }) => shown === 'active' && alert.resolvedAtMs === null)
				.map(({ alert }) => alert),
		servicesOf: ({ service, check }) =>
			service !== undefined
				? [service]
				: config()
						.inventory.services.filter(({ checks }) => check !== undefined && checks.includes(check))
						.map(({ id }) => id),
		notice: async (notice) => {
			await alerting.receive([noticeAlert(notice, clock.now())]);
		},
		clock,
		log,
		open: new Gauge({
			name: 'fournines_faults_open',
			help: 'Faults that are not over, by stage.',
			labelNames: ['stage'],
			registers: [metrics],
		}),
		overdue: new Gauge({
			name: 'fournines_faults_overdue_steps',
			help: 'Steps of open faults whose deadline has passed, of candidates and of declared faults.',
			labelNames: ['kind'],
			registers: [metrics],
		}),
		notices: new Counter({
			name: 'fournines_faults_notices_total',
			help: 'Escalations and reminders that were given.',
			labelNames: ['kind'],
			registers: [metrics],
		}),
		failures: new Counter({ name: 'fournines_faults_watch_failures_total', help: 'Looks at faults that failed.', registers: [metrics] }),
	});
	return { faults, contracts, problems, files, watch };
}

function noticeAlert({ number, step, to, kind, service, title, dueMs }: FaultNotice, nowMs: number): PostedAlert {
	const late = dueMs < nowMs;
	const waiting = kind === 'escalation';
	return deskAlert(
		{
			name: waiting ? 'FaultNotTaken' : 'FaultStepDue',
			severity: late ? 'critical' : 'warning',
			owner: to,
			service,
			labels: { fault_number: String(number), step },
			summary: `故障 ${number}「${title}」：${STEP_TEXT[step] ?? step}，责任人 ${to}，${late ? '已超时' : '即将到期'}`,
			action: waiting
				? '1. 在“故障”页查看候选故障；2. 属实则申报，不属实则写明理由排除。'
				: '1. 在“故障”页查看该步骤的时限；2. 完成后立即登记；3. 无法按时完成时报告项目负责人。',
			runbook: 'faults.md',
		},
		nowMs,
	);
}

const STEP_TEXT: Readonly<Record<string, string>> = {
	'declare-or-dismiss': '待申报或排除',
	acknowledge: '待响应',
	restore: '待恢复',
	resolve: '待解决',
	progress: '待续报进展',
	'tell-accident': '待上报质量事故',
	'accident-rung-1': '质量事故未解决，升级第一级',
	'accident-rung-2': '质量事故未解决，升级第二级',
	'accident-rung-3': '质量事故未解决，升级第三级',
	'accident-rung-4': '质量事故未解决，升级第四级',
	'report:first': '待首报',
	'report:final': '待提交故障报告',
	'report:rectification': '待提交整改方案',
};
