import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { Alerting } from '../alerts/alerting.ts';
import type { FaultFacts } from '../alerts/escalation/progress.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Agents } from './agents/agents.ts';
import { alertRuleList } from './alert-rule-list.ts';
import { registerAlertmanagerRoutes } from './api/alertmanager/alertmanager-routes.ts';
import type { Caller } from './api/guard.ts';
import type { AckPage } from './api/product/ack-page.ts';
import { registerAckRoutes } from './api/product/ack-routes.ts';
import { registerAgentRoutes } from './api/product/agent-routes.ts';
import { registerAlertRuleRoutes } from './api/product/alert-rule-routes.ts';
import { registerAvailabilityRoutes } from './api/product/availability-routes.ts';
import { registerCallbackRoutes } from './api/product/callback-routes.ts';
import type { RecordOperation } from './api/product/case-routes.ts';
import { registerContractRoutes } from './api/product/contract-routes.ts';
import { registerDeskRoutes } from './api/product/desk-routes.ts';
import { registerFaultRoutes } from './api/product/fault-routes.ts';
import { registerIncidentRoutes } from './api/product/incident-routes.ts';
import { registerIntakeRoutes } from './api/product/intake-routes.ts';
import { registerInventoryRoutes } from './api/product/inventory-routes.ts';
import { registerJobRoutes } from './api/product/job-routes.ts';
import { registerLogRoutes } from './api/product/log-routes.ts';
import { registerMaintenanceRoutes } from './api/product/maintenance-routes.ts';
import { registerOnCallRoutes } from './api/product/on-call-routes.ts';
import { registerProductRoutes } from './api/product/overview-routes.ts';
import { registerReportRoutes } from './api/product/report-routes.ts';
import { registerSessionRoutes } from './api/product/session-routes.ts';
import { registerPrometheusRoutes } from './api/prometheus/prometheus-routes.ts';
import type { StoreStatus } from './api/prometheus/status-routes.ts';
import type { AuditArchive } from './audit/archive.ts';
import type { Availability } from './availability/availability.ts';
import type { Budgets } from './availability/budgets.ts';
import { exportLedger } from './availability/ledger-export.ts';
import { loadBoards } from './boards.ts';
import type { CollectorConfig } from './config.ts';
import { PARTIES } from './contracts/profile.ts';
import type { Desk } from './desk.ts';
import type { Accounts } from './identity/accounts.ts';
import type { OperationLog } from './identity/operation-log.ts';
import type { InventoryEdits } from './inventory/inventory-edits.ts';
import type { JobHeartbeats } from './jobs/job-heartbeats.ts';
import type { Maintenance } from './maintenance/maintenance.ts';
import type { MonthlyReports } from './monthly-reports.ts';
import { notificationList, overview } from './overview.ts';
import { measuredQueryService } from './promql/query-metrics.ts';
import type { QueryService } from './promql/query-service.ts';
import type { ReloadCaller, Reloaded } from './reload.ts';
import type { Ruler } from './ruler/ruler.ts';
import type { ScrapeManager } from './scrape/scraping.ts';
import type { Store } from './tsdb/store.ts';

/** Queries that take longer are logged with who asked. */
const SLOW_QUERY_MS = 5000;

export interface RouteServices {
	readonly agents: Agents;
	readonly desk: Desk;
	readonly inventoryEdits: InventoryEdits;
	readonly alerting: Alerting;
	readonly ackPage: AckPage;
	/** Declared faults that are not closed, as on-call sees them. */
	readonly openFaults: () => Promise<readonly FaultFacts[]>;
	readonly availability: Availability;
	readonly budgets: Budgets;
	readonly maintenance: Maintenance;
	readonly accounts: Accounts;
	readonly archive: AuditArchive;
	readonly clock: Clock;
	readonly log: Logger;
	readonly version: string;
	/** Where `dashboards/` lies. */
	readonly rootDir: string;
	readonly operations: OperationLog;
	readonly queries: QueryService;
	readonly metrics: Registry;
	readonly ruler: Ruler;
	readonly store: Store;
	readonly reports: MonthlyReports;
	readonly jobs: JobHeartbeats;
	readonly scraping: ScrapeManager;
	readonly config: () => CollectorConfig;
	/** `null`: the built-in configuration. */
	readonly configFile: string | null;
	readonly reload: (caller: ReloadCaller) => Promise<Reloaded>;
}

/** Every handler of the product, each with the services that it needs. */
export async function registerRoutes(app: FastifyInstance, services: RouteServices): Promise<void> {
	const { alerting, availability, accounts, operations, store, clock, log, version } = services;
	app.post('/-/reload', async (request, reply) => {
		const { restart } = await services.reload(callerName(request));
		const later = restart.length === 0 ? '' : `read at a start only, so restart the collector for: ${restart.join(', ')}\n`;
		return reply.status(200).send(`reloaded\n${later}`);
	});
	registerSessionRoutes(app, { accounts, secureCookie: services.config().server.tls !== undefined });
	registerProductRoutes(app, {
		availability,
		boards: loadBoards(join(services.rootDir, 'dashboards'), log),
		notifications: (limit) => notificationList(alerting, limit),
		overview: () => overview({ availability, alerting, queryable: store, clock, version, activeSeries: () => store.stats().series }),
	});
	registerReportRoutes(app, {
		reports: services.reports,
		language: () => services.config().reports.language,
		record: (request, operation) => record(request, operation),
	});
	await registerLogRoutes(app, services.archive);
	registerAvailabilityRoutes(app, {
		availability,
		budgets: services.budgets,
		exportLedger: async (fromMs, toMs) =>
			exportLedger(await availability.ledgers({ fromMs, toMs }), {
				requests: await availability.allRequests({ fromMs, toMs }),
				inventory: services.config().inventory,
				product: version,
				nowMs: clock.now(),
				fromMs,
				toMs,
				periodToMs: toMs,
			}),
	});
	registerMaintenanceRoutes(app, {
		maintenance: services.maintenance,
		price: (id) => alerting.history.maintenancePrice(id, clock.now()),
		onChange: async (request, action, id) => {
			const caller = callerName(request);
			await operations.record({ actor: caller.name, action, object: id, result: 'success', srcAddr: caller.address, detail: '' });
		},
	});
	await registerJobRoutes(app, {
		jobs: services.jobs,
		nowMs: () => clock.now(),
		onChange: async (request, action, job) => {
			const caller = callerName(request);
			await operations.record({ actor: caller.name, action, object: job, result: 'success', srcAddr: caller.address, detail: '' });
		},
	});
	await registerFaultRoutes(app, services.desk.faults, services.config().contracts.attachment_max_bytes);
	registerContractRoutes(app, services.desk.contracts);
	const record: RecordOperation = (request, operation) => {
		const caller = callerName(request);
		return operations.record({ actor: caller.name, srcAddr: caller.address, ...operation });
	};
	await registerDeskRoutes(app, {
		...services.desk,
		maxFileBytes: services.config().contracts.attachment_max_bytes,
		identity: (account) => {
			const { parties, disputes_decided_by: disputesDecidedBy } = services.config().contracts;
			return { parties: PARTIES.filter((party) => parties[party].includes(account)), disputesDecidedBy };
		},
		record,
	});
	const onCall = { onCall: alerting.onCall, record, nowMs: () => clock.now() };
	registerIncidentRoutes(app, {
		...onCall,
		history: alerting.history,
		faults: services.openFaults,
		actOnFault: (fault, action, caller) => services.desk.faults.act(fault, action, caller),
	});
	registerOnCallRoutes(app, onCall);
	registerAckRoutes(app, { page: services.ackPage, nowMs: onCall.nowMs });
	registerInventoryRoutes(app, { edits: services.inventoryEdits, record });
	registerAlertRuleRoutes(app, () =>
		alertRuleList({ ruler: services.ruler, config: services.config(), configFile: services.configFile, clock }),
	);
	registerAgentRoutes(app, { agents: services.agents, caller: callerName });
	await registerCallbackRoutes(app, alerting);
	await registerIntakeRoutes(app, alerting);
	await registerAlertmanagerRoutes(app, {
		alerting,
		clock,
		log,
		version,
		onSilence: async ({ request, action, id }) => {
			const caller = callerName(request);
			await operations.record({
				actor: caller.name,
				action: `silence.${action}`,
				object: id,
				result: 'success',
				srcAddr: caller.address,
				detail: '',
			});
		},
	});
	await registerPrometheusRoutes(app, {
		queries: measuredQueryService(services.queries, services.metrics, { log, fromMs: SLOW_QUERY_MS, monotonic: () => clock.monotonic() }),
		ruler: services.ruler,
		metadata: store,
		admin: {
			enabled: services.config().store.admin_api,
			deleteSeries: async (matchers, minMs, maxMs, includeChecks) => {
				const series = await store.deleteSeries(matchers, minMs, maxMs, { includeChecks });
				if (includeChecks) availability.invalidate(minMs);
				return series;
			},
			cleanDeletions: () => store.cleanDeletions(),
			record: (request, operation) => {
				const caller = callerName(request);
				return operations.record({ actor: caller.name, srcAddr: caller.address, ...operation });
			},
		},
		storeStatus: () => storeStatus(store),
		targets: () => services.scraping.targets(),
		caller: (request) => callerName(request).name,
		externalLabels: services.config().rules.external_labels,
		retention: services.config().store.retention,
		clock,
		log,
		version,
	});
}

/** Prometheus counts chunks of its head; ours has one page that is being filled per series, and compresses the rest. */
function storeStatus(store: Store): StoreStatus {
	const { series, minTimeMs, maxTimeMs } = store.stats();
	return { series, chunks: series, minTimeMs: minTimeMs ?? 0, maxTimeMs: maxTimeMs ?? 0 };
}

function callerName(request: unknown): { readonly name: string; readonly address: string } {
	if (typeof request !== 'object' || request === null || !('caller' in request) || !('ip' in request)) return { name: '', address: '' };
	const caller = request.caller as Caller;
	const name = caller.kind === 'person' ? caller.user.account : caller.kind === 'machine' ? `token:${caller.machine.name}` : '';
	return { name, address: String(request.ip) };
}
