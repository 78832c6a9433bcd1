import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createAlerting } from '../alerts/alerting.ts';
import { createRelayMetrics } from '../alerts/relay/metrics.ts';
import type { MaintenanceHold } from '../alerts/stages/mute.ts';
import type { Clock } from '../core/clock.ts';
import { parseDuration } from '../core/duration.ts';
import { httpExchange } from '../core/http-client.ts';
import { CleanupStack } from '../core/lifecycle.ts';
import type { Logger } from '../core/log.ts';
import { resolveSecret } from '../core/secret.ts';
import { createAgents } from './agents/agents.ts';
import type { DocumentCheck } from './agents/central-config.ts';
import { registerTransferRoutes } from './api/product/transfer-routes.ts';
import { createHttpServer } from './api/server.ts';
import { registerWriteRoutes } from './api/write-route.ts';
import { type Availability, createAvailability } from './availability/availability.ts';
import { createBudgets } from './availability/budgets.ts';
import { openDayStore } from './availability/day-store.ts';
import { openRequestDays } from './availability/request-days.ts';
import { cheapQueries } from './cheap-queries.ts';
import type { CollectorConfig } from './config.ts';
import { configuredRuleFiles, patternsWithoutRules } from './configured-files.ts';
import { createDesk } from './desk.ts';
import type { Accounts } from './identity/accounts.ts';
import { openInbox } from './inbox/open-inbox.ts';
import { createIngest } from './ingest/ingest.ts';
import { createOtlpIngest } from './ingest/otlp-ingest.ts';
import { createTextIngest } from './ingest/text-ingest.ts';
import { hasCalendar, insideHours } from './inventory/calendar.ts';
import { hostLabels } from './inventory/hosts.ts';
import { openInventoryEdits } from './inventory/inventory-edits.ts';
import { inventoryProblems } from './inventory-problems.ts';
import { JobHeartbeats } from './jobs/job-heartbeats.ts';
import { createKnownProfiles } from './known-profiles.ts';
import { createMaintenance } from './maintenance/maintenance.ts';
import { createMonthlyReports } from './monthly-reports.ts';
import { type LaterServices, onCallWorld } from './on-call-world.ts';
import { createEngine } from './promql/engine.ts';
import { QueryThread } from './query-thread.ts';
import { type ConfigPlace, readConfig } from './read-config.ts';
import { archiveOperation, openRecords } from './records.ts';
import { createRelays } from './relays.ts';
import { createReload, type Reloaded } from './reload.ts';
import { registerRoutes } from './routes.ts';
import { createRuler } from './ruler/ruler.ts';
import { startSchedules } from './schedules.ts';
import { createScrapeManager } from './scrape/scraping.ts';
import { SelfScrape } from './self-scrape.ts';
import { defaultExternalUrl, isLoopback, listenOn, parseListen, prepareTls, readTls } from './start-conditions.ts';
import { createAlertingPorts } from './state/alerting-ports.ts';
import { ArrivalMarks } from './storage/arrival-marks.ts';
import { StorePorts } from './store-ports.ts';
import { startTracing } from './tracing.ts';
import { storeOptions } from './tsdb/config.ts';
import { openStore } from './tsdb/store.ts';

export interface CollectorOptions extends ConfigPlace {
	readonly dataDir: string;
	/** Instead of `server.listen`. */
	readonly listen?: string;
	/** Where `rules/`, `dashboards/` and `dist/console/` lie. */
	readonly rootDir: string;
	/** Prometheus API reads without a token; honoured on loopback only. */
	readonly openReads?: boolean;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly log: Logger;
	readonly clock: Clock;
	readonly version: string;
	/** Checks what is configured centrally for agents as an agent would. Default: nothing is refused before an agent sees it. */
	readonly checkAgentDocument?: DocumentCheck;
}

export interface RunningCollector {
	/** `http://127.0.0.1:9999`, without a slash at the end. */
	readonly address: string;
	/** File with a token of the scope `push`. */
	readonly agentTokenFile: string;
	readonly accounts: Accounts;
	/** Reads the configuration and rule files again; when anything is wrong it throws and the old ones stay in force. */
	reload(): Promise<Reloaded>;
	/** Takes nothing new, finishes what is under way, and closes everything in reverse order of its start. */
	stop(): Promise<void>;
}

/** Starts a collector. Throws an `AppError` that says what to do; then nothing is left running. */
export async function startCollector(options: CollectorOptions): Promise<RunningCollector> {
	const cleanup = new CleanupStack(options.log);
	try {
		return await compose(options, cleanup);
	} catch (error) {
		await cleanup.close();
		throw error;
	}
}

async function compose(options: CollectorOptions, cleanup: CleanupStack): Promise<RunningCollector> {
	const { dataDir, clock, env, log, version } = options;
	const started = readConfig(options);
	const ruleFiles = ({ rules }: CollectorConfig) => {
		const without = patternsWithoutRules(rules.files, options.configFile, options.rootDir);
		if (without.length > 0) log.warn({ patterns: without }, 'no rule file is called as these patterns of rules.files say');
		return configuredRuleFiles(rules.files, options.configFile, options.rootDir);
	};
	let config = started;
	const listen = parseListen(options.listen ?? config.server.listen);
	const metrics = new Registry();
	collectDefaultMetrics({ register: metrics });
	const tracing = await startTracing(env, { version, log });
	cleanup.add('tracing', () => tracing.stop());

	const records = await openRecords({ dataDir, config: () => config.identity, metrics, clock, log }, cleanup);
	const { state, archive, operations, tokens, accounts, agentTokenFile } = records;
	let availability: Availability | null = null;
	const profiles = createKnownProfiles({ configFile: options.configFile, rootDir: options.rootDir }, () => config);
	const inventoryEdits = await openInventoryEdits({
		state,
		clock,
		file: config.inventory,
		problems: (inventory) => inventoryProblems(inventory, config, profiles),
		onChange: (inventory) => {
			config = { ...config, inventory };
			availability?.changed();
		},
	});
	config = { ...config, inventory: inventoryEdits.current() };
	const agents = createAgents({
		state,
		tokens,
		operations,
		labels: (host) => hostLabels(config.inventory, host),
		check: options.checkAgentDocument ?? (() => []),
		clock,
	});

	const arrivals = new ArrivalMarks();
	const ports = new StorePorts();
	const thread = new QueryThread({ storePort: () => ports.take(), log, metrics });
	cleanup.add('query thread', () => thread.stop());
	const store = await openStore({
		dataDir,
		...storeOptions(config.store),
		onOldChecks: (minMs, maxMs) => availability?.invalidate(minMs, maxMs),
		arrivals,
		log,
		clock,
		metrics,
	});
	cleanup.add('store', () => store.stop());
	ports.opened(store);
	const queries = cheapQueries(thread, { store, clock, metrics });

	const scheme = config.server.tls === undefined ? 'http' : 'https';
	const externalUrl = config.server.external_url.replace(/\/+$/, '') || defaultExternalUrl(listen, scheme, hostname());
	let later: LaterServices | null = null;
	const world = onCallWorld({ dataDir, clock, config: () => config, later: () => later });
	let maintenanceHold: MaintenanceHold = () => () => '';
	const alerting = await createAlerting({
		config: config.alerts,
		ports: createAlertingPorts(state),
		clock,
		log,
		metrics,
		http: (url, request) => tracing.span('notify', { 'server.address': hostOf(url) }, () => httpExchange(url, request)),
		secret: (ref) => resolveSecret(ref, env),
		externalUrl,
		configFolder: options.configFile === null ? options.rootDir : dirname(options.configFile),
		// Maintenance is opened further below; until then nothing is dispatched.
		maintenance: (nowMs) => maintenanceHold(nowMs),
		topology: () => config.inventory,
		onCall: world,
	});
	const engine = createEngine({ queryable: store, clock });
	const ruler = createRuler({
		engine,
		appendable: store,
		sink: (alerts) => tracing.span('alerts', { 'fournines.alerts': alerts.length }, () => alerting.receive(alerts)),
		clock,
		log,
		metrics,
		externalUrl,
		externalLabels: config.rules.external_labels,
		evaluationIntervalMs: parseDuration(config.rules.evaluation_interval),
		resendDelayMs: parseDuration(config.rules.resend_delay),
		outageToleranceMs: parseDuration(config.rules.for_outage_tolerance),
		gracePeriodMs: parseDuration(config.rules.for_grace_period),
		concurrency: config.rules.concurrency,
		arrivals,
		arrivalShare: config.rules.arrival_cpu_share,
		arrivalSettleMs: parseDuration(config.rules.arrival_settle),
		inCalendar: (id, timeMs) => insideHours(config.inventory, id, timeMs),
	});

	const days = openDayStore(records.folder);
	cleanup.add('ledger days', () => days.close());
	const requestDays = openRequestDays(records.folder);
	cleanup.add('request days', () => requestDays.close());
	const maintenance = await createMaintenance({
		state,
		clock,
		inventory: () => config.inventory,
		onChange: () => availability?.changed(),
	});
	maintenanceHold = maintenance.hold;
	const ledgers = createAvailability({
		queryable: store,
		inventory: () => config.inventory,
		clock,
		days,
		requestDays,
		exclusions: async (service, span) => maintenance.exclusions(service, span),
		log,
	});
	const budgets = createBudgets({ availability: ledgers, store, inventory: () => config.inventory, clock, log });
	availability = ledgers;
	const reports = createMonthlyReports({
		state,
		dataDir,
		config: () => config,
		availability: ledgers,
		queryable: store,
		contracts: () => later?.desk.contracts ?? null,
		clock,
		log,
	});
	const intake = { store, limits: config.server.limits, clock, log, metrics };
	const ingest = createIngest(intake);
	const scraping = createScrapeManager({
		config: config.scrape,
		store,
		http: httpExchange,
		secrets: (ref) => resolveSecret(ref, env),
		clock,
		log,
		metrics,
		folder: options.configFile === null ? options.rootDir : dirname(options.configFile),
	});

	const app = await createHttpServer({
		log,
		guard: {
			accounts,
			tokens,
			openReads: options.openReads === true && isLoopback(listen.host),
			externalHost: hostOf(config.server.external_url),
		},
		trustedProxies: config.server.trusted_proxies,
		consoleDir: existsSync(join(options.rootDir, 'dist', 'console', 'index.html')) ? join(options.rootDir, 'dist', 'console') : null,
		runbookDir: join(options.rootDir, 'docs', 'runbooks'),
		tls: readTls(config),
		version,
	});
	cleanup.add('http', () => app.close());
	let ready = false;
	app.get('/-/ready', async (_request, reply) =>
		reply.status(ready ? 200 : 503).send(readiness(ready, store.isReadOnly || records.volatile)),
	);
	app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
	registerWriteRoutes(app, {
		ingest,
		text: createTextIngest(intake),
		otlp: createOtlpIngest(intake),
		maxBodyBytes: config.server.limits.max_body_bytes,
		tracing,
	});
	const jobs = new JobHeartbeats({ state, store, clock, log });
	const desk = createDesk({
		state,
		dataDir,
		profiles: profiles.all,
		config: () => config,
		availability: ledgers,
		queryable: store,
		days,
		alerting,
		maintenance,
		operations,
		metrics,
		clock,
		log,
	});
	later = { desk, alerting, maintenance, budgets };
	const relays = createRelays({
		alerting,
		operations,
		secret: (ref) => resolveSecret(ref, env),
		http: httpExchange,
		metrics: createRelayMetrics(metrics),
		clock,
		log,
	});
	const reload = createReload(started, {
		read: () => readConfig(options),
		ruleFiles,
		prepareTls: () => prepareTls(app, started),
		ruler,
		scraping,
		relays,
		alerting,
		profiles,
		inventoryEdits,
		operations,
		use: (next) => {
			config = next;
			ledgers.changed();
		},
		log,
	});
	await registerRoutes(app, {
		reload,
		openFaults: world.faults,
		ackPage: relays.ackPage,
		desk,
		inventoryEdits,
		jobs,
		agents,
		alerting,
		availability: ledgers,
		budgets,
		maintenance,
		accounts,
		archive,
		clock,
		log,
		version,
		rootDir: options.rootDir,
		operations,
		metrics,
		queries,
		ruler,
		scraping,
		store,
		reports,
		config: () => config,
		configFile: options.configFile,
	});

	const inbox = openInbox({
		config: config.server.inbox,
		state,
		targets: {
			samples: (type, encoding, body) => ingest.remoteWrite(type, encoding, body),
			logs: (batch) => archive.append(batch),
			nextLogSeq: (stream) => archive.nextSeq(stream),
			logStreams: (prefix) => archive.streams(prefix),
		},
		agentKey: (host) => agents.publicKey(host),
		metrics,
		clock,
		log,
	});
	await registerTransferRoutes(app, inbox.intake);

	await jobs.start();
	cleanup.add('jobs', () => jobs.stop());
	await alerting.start();
	cleanup.add('alerting', () => alerting.stop());
	await relays.prepare(config.alerts.relays)();
	cleanup.add('relays', () => relays.stop());
	const address = await listenOn(app, listen, scheme);
	// Reading the rules takes as long as all before it, and whoever pushes or asks need not wait for them. It goes file by file.
	await ruler.load(ruleFiles(config), { thresholds: config.rules.thresholds, hasCalendar: (id) => hasCalendar(config.inventory, id) });
	profiles.prepare(config)();
	ruler.start();
	cleanup.add('ruler', () => ruler.stop());
	desk.start();
	cleanup.add('desk', () => desk.stop());
	await scraping.start();
	cleanup.add('scraping', () => scraping.stop());
	const selfScrape = new SelfScrape({ store, metrics, clock, log, instance: address.replace(/^https?:\/\//, '') });
	selfScrape.start();
	cleanup.add('own metrics', () => selfScrape.stop());
	inbox.start();
	budgets.start();
	cleanup.add('budgets', () => budgets.stop());
	cleanup.add('inbox', () => inbox.stop());
	const schedules = startSchedules(config, { archive, reports, log });
	cleanup.add('schedules', () => schedules.stop());
	archiveOperation(
		archive,
		{ actor: 'collector', action: 'start', object: version, result: 'success', srcAddr: '', detail: '', atMs: clock.now() },
		log,
	);
	cleanup.add('last record', () =>
		archiveOperation(
			archive,
			{ actor: 'collector', action: 'stop', object: version, result: 'success', srcAddr: '', detail: '', atMs: clock.now() },
			log,
		),
	);
	ready = true;
	return { address, agentTokenFile, accounts, reload: () => reload({ name: 'SIGHUP', address: '' }), stop: () => cleanup.close() };
}

/** Host and port only: paths and queries of channels carry keys. */
function hostOf(url: string): string {
	return URL.canParse(url) ? new URL(url).host : '';
}

function readiness(ready: boolean, readOnly: boolean): string {
	if (!ready) return 'Fournines is starting.\n';
	return readOnly ? 'Fournines is ready to be read; its disk is read-only, and samples are refused.\n' : 'Fournines is ready.\n';
}
