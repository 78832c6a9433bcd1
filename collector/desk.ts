import { Gauge } from 'prom-client';
import type { Annotation } from '../protocol/change-api.ts';
import { annotations } from './annotations.ts';
import { type Changes, createChanges } from './changes/changes.ts';
import { standingWatch } from './contracts/standing-watch.ts';
import { deskAlert } from './desk-notice.ts';
import { createFaultDesk, type FaultDesk, type FaultDeskOptions } from './fault-desk.ts';
import type { Maintenance } from './maintenance/maintenance.ts';
import { maintenanceWatch } from './maintenance/maintenance-watch.ts';
import { type DueProblem, problemWatch } from './problems/problem-watch.ts';

export interface DeskOptions extends FaultDeskOptions {
	readonly maintenance: Maintenance;
}

/** Everything that people at the desk keep, with what reminds them of it. */
export interface Desk extends FaultDesk {
	readonly changes: Changes;
	readonly annotations: (fromMs: number, toMs: number) => Promise<readonly Annotation[]>;
	start(): void;
	stop(): Promise<void>;
}

export function createDesk(options: DeskOptions): Desk {
	const { alerting, maintenance, metrics, clock, log } = options;
	const faultDesk = createFaultDesk(options);
	const overruns = maintenanceWatch({
		maintenance,
		tell: (list) =>
			alerting.receive(
				list.map(({ window, plannedEndMs }) =>
					deskAlert(
						{
							name: 'MaintenanceOverrun',
							severity: 'warning',
							owner: window.requestedBy,
							service: null,
							labels: { window: window.id },
							summary: `维护「${window.request.title}」超过计划时间仍未结束，负责人 ${window.requestedBy}`,
							action:
								'1. 已完工的，在“维护”页登记结束时间；2. 未完工的，立即告知项目负责人和采购人：超出部分计入中断；3. 按回退方案决定是否回退。',
							runbook: 'maintenance.md',
							repeated: true,
							sinceMs: plannedEndMs,
						},
						clock.now(),
					),
				),
			),
		clock,
		log,
		active: new Gauge({
			name: 'fournines_maintenance_active',
			help: 'Approved maintenance windows that are open now.',
			registers: [metrics],
		}),
		overruns: new Gauge({
			name: 'fournines_maintenance_overruns',
			help: 'Maintenance work that goes on after its planned end.',
			registers: [metrics],
		}),
	});
	const problems = problemWatch({
		problems: faultDesk.problems,
		tell: (due) => alerting.receive(due.map((one) => problemAlert(one, clock.now()))),
		clock,
		log,
		open: new Gauge({
			name: 'fournines_problems_open',
			help: 'Problems of users that are not over, by stage.',
			labelNames: ['stage'],
			registers: [metrics],
		}),
		late: new Gauge({ name: 'fournines_problems_late', help: 'Clocks of open problems that have run out.', registers: [metrics] }),
	});
	const changes = createChanges({
		state: options.state,
		files: faultDesk.files,
		inventory: () => options.config().inventory,
		parties: () => options.config().contracts.parties,
		clock,
	});
	new Gauge({
		name: 'fournines_change_in_progress',
		help: 'Changes that are being worked on, for annotations of charts.',
		labelNames: ['number', 'title', 'executor'],
		registers: [metrics],
		async collect() {
			this.reset();
			for (const { number, change } of await changes.list('open'))
				if (change.stage === 'started') this.set({ number: String(number), title: change.title, executor: change.executor }, 1);
		},
	});
	const standing = standingWatch({
		contracts: faultDesk.contracts,
		inUse: () => {
			const { contracts, inventory } = options.config();
			return [...new Set([contracts.default, ...inventory.services.flatMap(({ contract }) => contract ?? [])])];
		},
		manager: () => options.config().contracts.parties.manager[0] ?? '',
		metrics,
		clock,
		log,
	});
	const watches = [faultDesk.watch, overruns, problems, standing];
	return {
		...faultDesk,
		changes,
		annotations: (fromMs, toMs) => annotations({ changes, maintenance, faults: faultDesk.faults }, fromMs, toMs),
		start: () => {
			for (const watch of watches) watch.start();
		},
		stop: async () => {
			await Promise.all(watches.map((watch) => watch.stop()));
		},
	};
}

function problemAlert({ entry: { number, problem }, clock }: DueProblem, nowMs: number) {
	return deskAlert(
		{
			name: 'ProblemStepDue',
			severity: 'warning',
			owner: problem.owner === '' ? problem.acceptedBy : problem.owner,
			service: problem.service,
			labels: { problem_number: String(number), step: clock.clock },
			summary: `用户问题 ${number}「${problem.title}」：${clock.name}${clock.late ? '已超时' : '即将超时'}`,
			action: '1. 在“问题”页受理、交办或回复；2. 不能按时答复时，告知用户并登记预计时间；3. 由用户确认后结案。',
			runbook: 'problems.md',
			repeated: true,
			// One alert from the warning on until it is done.
			sinceMs: Math.min(nowMs, clock.dueMs),
		},
		nowMs,
	);
}
