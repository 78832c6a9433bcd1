import { Gauge } from 'prom-client';
import { deskAlert } from './desk-notice.ts';
import { createFaultDesk, type FaultDesk, type FaultDeskOptions } from './fault-desk.ts';
import type { Maintenance } from './maintenance/maintenance.ts';
import { maintenanceWatch } from './maintenance/maintenance-watch.ts';

export interface DeskOptions extends FaultDeskOptions {
	readonly maintenance: Maintenance;
}

/** Everything that people at the desk keep, with what reminds them of it. */
export interface Desk extends FaultDesk {
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
	const watches = [faultDesk.watch, overruns];
	return {
		...faultDesk,
		start: () => {
			for (const watch of watches) watch.start();
		},
		stop: async () => {
			await Promise.all(watches.map((watch) => watch.stop()));
		},
	};
}
