import { isIP } from 'node:net';
import { type Static, Type } from 'typebox';
import { checkAlertsConfig } from '../alerts/check-config.ts';
import { AlertsConfigSchema } from '../alerts/config.ts';
import type { ConfigCheck } from '../core/config-file.ts';
import { parseDuration } from '../core/duration.ts';
import { nextTime, parseSchedule } from '../core/schedule.ts';
import { ContractsConfigSchema, checkContracts } from './contracts/config.ts';
import { IdentityConfigSchema } from './identity/config.ts';
import { InboxConfigSchema } from './inbox/config.ts';
import { IngestLimitsSchema } from './ingest/config.ts';
import { checkInventory } from './inventory/check-inventory.ts';
import { InventoryConfigSchema } from './inventory/config.ts';
import { RulesConfigSchema } from './ruler/config.ts';
import { checkScrapeConfig } from './scrape/check-config.ts';
import { ScrapeConfigSchema } from './scrape/config.ts';
import { checkStoreConfig, StoreConfigSchema } from './tsdb/config.ts';

const ServerConfigSchema = Type.Object(
	{
		/** `host:port`; port 0 takes any free one. */
		listen: Type.String({ default: '127.0.0.1:9999', pattern: '^(\\[[0-9a-fA-F:.]+\\]|[^:\\s]+):\\d{1,5}$' }),
		/** Under which people reach the collector; used in messages. Default: `http(s)://<listen>`. */
		external_url: Type.String({ default: '', pattern: '^(|https?://.+)$' }),
		tls: Type.Optional(
			Type.Object({ cert_file: Type.String({ minLength: 1 }), key_file: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
		),
		/** Addresses or networks of reverse proxies in front; only their `X-Forwarded-For` is believed. */
		trusted_proxies: Type.Array(Type.String({ minLength: 2, maxLength: 64 }), { default: [] }),
		limits: IngestLimitsSchema,
		/** Folders of transfer files, for zones behind a gap device. */
		inbox: InboxConfigSchema,
	},
	{ additionalProperties: false, default: {} },
);

const AuditConfigSchema = Type.Object(
	{
		/** Cron of the checkpoints that close a segment of the log archive. */
		seal: Type.String({ default: '0 * * * *' }),
	},
	{ additionalProperties: false, default: {} },
);

const ReportsConfigSchema = Type.Object(
	{
		/** Cron at which last month's availability report is written to `<data>/reports`, in the inventory's zone. */
		monthly: Type.String({ default: '10 1 1 * *' }),
		language: Type.Union([Type.Literal('zh'), Type.Literal('en')], { default: 'zh' }),
	},
	{ additionalProperties: false, default: {} },
);

/** `collector.yml`. Every key has a default; unknown keys are errors. */
export const CollectorConfigSchema = Type.Object(
	{
		server: ServerConfigSchema,
		store: StoreConfigSchema,
		scrape: ScrapeConfigSchema,
		rules: RulesConfigSchema,
		alerts: AlertsConfigSchema,
		inventory: InventoryConfigSchema,
		contracts: ContractsConfigSchema,
		audit: AuditConfigSchema,
		identity: IdentityConfigSchema,
		reports: ReportsConfigSchema,
	},
	{ additionalProperties: false, default: {} },
);
export type CollectorConfig = Static<typeof CollectorConfigSchema>;

/** What the schema cannot say, for the whole file: each area checks its own key. */
export const checkCollectorConfig: ConfigCheck<CollectorConfig> = (config, report, file) => {
	checkCron(config.audit.seal, config.inventory.zone, (message) => report(['audit', 'seal'], message));
	checkCron(config.reports.monthly, config.inventory.zone, (message) => report(['reports', 'monthly'], message));
	config.server.trusted_proxies.forEach((proxy, i) => {
		if (!isNetwork(proxy))
			report(['server', 'trusted_proxies', i], `"${proxy}" is no address or network; write for example 127.0.0.1 or 10.1.0.0/24`);
	});
	checkInbox(config.server.inbox, (path, message) => report(['server', 'inbox', ...path], message));
	checkStoreConfig(config.store, (path, message) => report(['store', ...path], message));
	checkInventory(config.inventory, (path, message) => report(['inventory', ...path], message));
	checkContracts(config.contracts, (path, message) => report(['contracts', ...path], message));
	checkScrapeConfig(config.scrape, (path, message) => report(['scrape', ...path], message));
	checkAlertsConfig(config.alerts, (path, message) => report(['alerts', ...path], message), file);
};

function isNetwork(text: string): boolean {
	const [address = '', bits, ...more] = text.split('/');
	const version = isIP(address);
	if (version === 0 || more.length > 0) return false;
	return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (version === 4 ? 32 : 128));
}

function checkCron(cron: string, zone: string, report: (message: string) => void): void {
	const result = parseSchedule({ cron, zone });
	// A wrong zone is the inventory's.
	if (result.kind === 'bad' && result.key === 'zone') return;
	if (result.kind === 'bad') report(result.message);
	else if (nextTime(result.schedule, 0) === null) report(`"${cron}" never comes; write for example 0 * * * *`);
}

const checkInbox: ConfigCheck<CollectorConfig['server']['inbox']> = (inboxes, report) => {
	for (const key of ['name', 'folder'] as const) {
		const first = new Map<string, number>();
		inboxes.forEach((inbox, i) => {
			const other = first.get(inbox[key]);
			if (other === undefined) first.set(inbox[key], i);
			else report([i, key], `"${inbox[key]}" is already the ${key} of server.inbox[${other}]`);
		});
	}
	inboxes.forEach((inbox, i) => {
		if (parseDuration(inbox.every) < 1000) report([i, 'every'], 'looking more often than once a second helps nobody; write at least 1s');
	});
};
