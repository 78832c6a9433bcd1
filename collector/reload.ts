import type { Alerting } from '../alerts/alerting.ts';
import { AppError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { CollectorConfig } from './config.ts';
import type { OperationLog } from './identity/operation-log.ts';
import { hasCalendar } from './inventory/calendar.ts';
import type { InventoryEdits } from './inventory/inventory-edits.ts';
import { inventoryProblems } from './inventory-problems.ts';
import type { KnownProfiles } from './known-profiles.ts';
import type { Relays } from './relays.ts';
import type { Ruler } from './ruler/ruler.ts';
import type { ScrapeManager } from './scrape/scraping.ts';

export interface ReloadParts {
	/** Reads and checks the file. Throws what is wrong with it. */
	readonly read: () => CollectorConfig;
	readonly ruleFiles: (config: CollectorConfig) => readonly string[];
	readonly ruler: Ruler;
	readonly scraping: ScrapeManager;
	/** The listener's certificate, from the files that it was started with. */
	readonly prepareTls: () => () => void;
	readonly relays: Relays;
	readonly alerting: Alerting;
	readonly profiles: KnownProfiles;
	readonly inventoryEdits: InventoryEdits;
	/** Puts everything that is read anew at each use into force. */
	readonly use: (config: CollectorConfig) => void;
	readonly operations: OperationLog;
	readonly log: Logger;
}

/** Whoever asked for it, for the record. */
export interface ReloadCaller {
	readonly name: string;
	readonly address: string;
}

export interface Reloaded {
	/** Keys that differ from those that the collector started with and are read at a start only, as `store.retention`. */
	readonly restart: readonly string[];
}

/** Read at a start only: whole sections, of some all but what stands behind, of others that alone. */
const AT_START = [
	{ section: 'server', except: [] },
	{ section: 'store', except: [] },
	{ section: 'audit', except: [] },
	{ section: 'rules', except: ['files', 'thresholds'] },
	{ section: 'reports', except: ['language'] },
	{ section: 'contracts', only: ['attachment_max_bytes'] },
] as const satisfies readonly ({ readonly section: keyof CollectorConfig } & (
	| { readonly except: readonly string[] }
	| { readonly only: readonly string[] }
))[];

/** Reads the configuration again, one turn after the other: either everything that can change at run time does, or it throws and nothing has. */
export function createReload(started: CollectorConfig, parts: ReloadParts): (caller: ReloadCaller) => Promise<Reloaded> {
	const { ruler, scraping, relays, alerting, profiles, inventoryEdits, log } = parts;
	const reload = async (): Promise<Reloaded> => {
		const next = parts.read();
		// Thresholds may ask for calendars that come into force with the file, and for none that go with it.
		const comes = inventoryEdits.preview(next.inventory);
		// Whatever can be refused comes before anything is in force.
		const inTurn = [
			await ruler.prepare(parts.ruleFiles(next), { thresholds: next.rules.thresholds, hasCalendar: (id) => hasCalendar(comes, id) }),
			scraping.prepare(next.scrape),
			relays.prepare(next.alerts.relays),
			alerting.prepare(next.alerts),
			profiles.prepare(next),
			parts.prepareTls(),
		];
		for (const putIntoForce of inTurn) await putIntoForce();
		const problems = (inventory: CollectorConfig['inventory']) => inventoryProblems(inventory, next, profiles);
		parts.use({ ...next, inventory: await inventoryEdits.readFile(next.inventory, problems) });
		const restart = startOnly(started, next);
		if (restart.length > 0) log.warn({ keys: restart }, 'these keys were changed and are read at a start only: restart the collector');
		log.info({}, 'the configuration was read again');
		return { restart };
	};
	let last: Promise<unknown> = Promise.resolve();
	return async ({ name: actor, address: srcAddr }) => {
		const turn = last.then(reload);
		// One failed reload must not fail the next.
		last = turn.catch(() => {});
		const record = (result: 'success' | 'failure', detail: string) =>
			parts.operations.record({ actor, action: 'configuration.reload', object: '', result, srcAddr, detail });
		try {
			const reloaded = await turn;
			await record('success', reloaded.restart.join(', '));
			return reloaded;
		} catch (error) {
			await record('failure', error instanceof AppError ? error.code : '');
			throw error;
		}
	};
}

function startOnly(before: CollectorConfig, next: CollectorConfig): readonly string[] {
	return AT_START.flatMap((part) => {
		const { section } = part;
		const counts = (key: string) =>
			'only' in part ? (part.only as readonly string[]).includes(key) : !(part.except as readonly string[]).includes(key);
		const [was, is] = [before, next].map((config) => config[section] as Readonly<Record<string, unknown>>);
		return [...new Set([...Object.keys(was ?? {}), ...Object.keys(is ?? {})])]
			.filter((key) => counts(key) && JSON.stringify(was?.[key]) !== JSON.stringify(is?.[key]))
			.map((key) => `${section}.${key}`);
	});
}
