import { join } from 'node:path';
import { Counter, Gauge, Registry } from 'prom-client';
import { systemClock } from '../../core/clock.ts';
import { configOrThrow, parseConfig } from '../../core/config-file.ts';
import { silentLogger } from '../../core/log.ts';
import { temporaryFolder } from '../../tests/harness/process.ts';
import type { AssessedService } from '../contracts/assessed.ts';
import { ContractsConfigSchema, checkContracts } from '../contracts/config.ts';
import { type Contracts, createContracts } from '../contracts/contracts.ts';
import { loadProfiles } from '../contracts/profile-files.ts';
import { createOperationLog, type Operation } from '../identity/operation-log.ts';
import { createAttachments } from '../state/attachments.ts';
import { openStateDatabase } from '../state/database.ts';
import { createFaultStore } from './fault-store.ts';
import { type FaultNotice, FaultWatch, type WatchedAlert, type WatchedOutage } from './fault-watch.ts';
import { createFaults } from './faults.ts';

const CONFIG_TEXT = `
default: chengdu-2021
parties: { manager: [lead], client: [owner], supervision: [watcher] }
disputes_decided_by: supervision
escalate_to: [lead, boss]
attachment_max_bytes: 2048
`;

/** Faults, contracts and their watch over a state database of their own; what the outside says is set by the test. */
export async function openFaultWorld(startMs: number) {
	const config = configOrThrow(parseConfig(CONFIG_TEXT, { file: 'contracts', schema: ContractsConfigSchema, check: checkContracts }));
	const profiles = loadProfiles(join(import.meta.dirname, '../../rules/contracts'));
	const folder = temporaryFolder('faults');
	const state = await openStateDatabase(folder.path);
	const outside = {
		nowMs: startMs,
		services: [] as readonly AssessedService[],
		outages: [] as readonly WatchedOutage[],
		alerts: [] as readonly WatchedAlert[],
		contract: 'chengdu-2021',
	};
	const notices: FaultNotice[] = [];
	const operations: Operation[] = [];
	const clock = { ...systemClock, now: () => outside.nowMs };
	const log = createOperationLog(state, clock, (operation) => void operations.push(operation));
	const clockRules = () => ({ zone: 'Asia/Shanghai', holidays: [], closed: () => [] });
	const store = createFaultStore(state);
	const profile = (id: string) => contracts.profile(id);
	const faults = createFaults({
		store,
		attachments: createAttachments(folder.path),
		profileOf: () => profile(outside.contract),
		profile,
		config: () => config,
		clockRules,
		operations: log,
		clock,
	});
	const contracts: Contracts = createContracts({
		state,
		profiles: () => profiles,
		config: () => config,
		faults: (chosen, fromMs, toMs) => faults.assessed(chosen, fromMs, toMs),
		problems: async () => [],
		services: async () => outside.services,
		clockRules,
		operations: log,
		clock,
	});
	const registers = [new Registry()];
	const overdue = new Gauge({ name: 'b', help: 'b', labelNames: ['kind'], registers });
	const watch = new FaultWatch({
		faults,
		profile,
		config: () => config,
		outages: async () => outside.outages,
		alerts: () => outside.alerts,
		servicesOf: ({ service }) => (service === undefined ? [] : [service]),
		notice: async (notice) => void notices.push(notice),
		clock,
		log: silentLogger,
		open: new Gauge({ name: 'a', help: 'a', labelNames: ['stage'], registers }),
		overdue,
		notices: new Counter({ name: 'c', help: 'c', labelNames: ['kind'], registers }),
		failures: new Counter({ name: 'd', help: 'd', registers }),
	});
	return {
		outside,
		folder,
		config,
		store,
		faults,
		contracts,
		watch,
		notices,
		overdue,
		operations,
		close: async () => {
			await state.destroy();
			folder.remove();
		},
	};
}
export type FaultWorld = Awaited<ReturnType<typeof openFaultWorld>>;
