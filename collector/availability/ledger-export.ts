import { createHash } from 'node:crypto';
import type { AvailabilityFigures } from '../../protocol/api.ts';
import type { RequestFigures } from '../../protocol/availability-api.ts';
import { closedSpans } from '../inventory/calendar.ts';
import type { InventoryConfig, ServiceConfig } from '../inventory/config.ts';
import { inventoryYaml, parseInventoryFile } from '../inventory/inventory-yaml.ts';
import { agreedSeconds, type Exclusion, isApproved, type ServiceLedger } from './availability.ts';
import { exclude } from './compose.ts';
import { decodeTimeline, encodeTimeline } from './day-store.ts';
import { availabilityFigures, countSeconds } from './figures.ts';
import type { Timeline } from './intervals.ts';
import { ledgerDigest } from './ledger-digest.ts';
import { requestFigures, wholeMinutes } from './request-figures.ts';
import type { MinuteRow } from './request-minutes.ts';
import { type RequestLedger, requestsKey } from './requests.ts';
import { outsideLife, serviceTree, treeKey } from './service-tree.ts';
import { type LedgerReadings, ledgerReadings, UNKNOWN_AS } from './unknown-time.ts';

/** Of docs/formats/ledger-export.md. */
export const LEDGER_EXPORT_VERSION = 3;
/** Version 1 has no requests, 2 has no readings. */
const READ_VERSIONS: readonly number[] = [1, 2, LEDGER_EXPORT_VERSION];

interface HeaderLine {
	readonly format: 'fournines-ledger';
	readonly version: number;
	readonly product: string;
	readonly exportedAtMs: number;
	readonly fromSeconds: number;
	readonly toSeconds: number;
	/** The end of the period whose budget is meant. */
	readonly periodToSeconds: number;
	readonly inventory: string;
}

interface ServiceLine {
	readonly service: string;
	readonly definition: string;
	readonly provisionalFrom: number;
	/** Before exclusion, as `encodeTimeline` writes it. */
	readonly gross: string;
	/** Approved ones; the calendar and the service's life follow from the inventory. */
	readonly exclusions: readonly Exclusion[];
	readonly figures: AvailabilityFigures;
	/** What contracts count, by how they count unknown time. */
	readonly readings?: LedgerReadings;
	/** SHA-256 of the net timeline, as `encodeTimeline` writes it. */
	readonly netHash: string;
	readonly requests?: RequestsPart;
}

interface RequestsPart {
	readonly definition: string;
	/** Before exclusion: `[minute, minutes, good, total, covered, unplaced]`, minutes since the epoch. */
	readonly minutes: readonly MinuteRow[];
	readonly figures: RequestFigures;
}

/** JSON lines: a header, a line per service, and the SHA-256 of all bytes before the last line. */
export function exportLedger(
	ledgers: readonly ServiceLedger[],
	context: {
		/** By service, of those that name requests. */
		readonly requests: ReadonlyMap<string, RequestLedger>;
		readonly inventory: InventoryConfig;
		readonly product: string;
		readonly nowMs: number;
		readonly fromMs: number;
		readonly toMs: number;
		readonly periodToMs: number;
	},
): string {
	const header: HeaderLine = {
		format: 'fournines-ledger',
		version: LEDGER_EXPORT_VERSION,
		product: context.product,
		exportedAtMs: context.nowMs,
		fromSeconds: Math.floor(context.fromMs / 1000),
		toSeconds: ledgers[0]?.window.to ?? Math.floor(context.toMs / 1000),
		periodToSeconds: Math.floor(context.periodToMs / 1000),
		inventory: inventoryYaml(context.inventory),
	};
	const lines = [
		JSON.stringify(header),
		...ledgers.map((ledger) =>
			JSON.stringify({
				service: ledger.service.id,
				definition: ledger.definition,
				provisionalFrom: ledger.provisionalFrom,
				gross: encodeTimeline(ledger.gross),
				exclusions: ledger.exclusions.filter(isApproved),
				figures: ledger.figures,
				readings: ledgerReadings(ledger.timeline),
				netHash: sha256(encodeTimeline(ledger.timeline)),
				...requestsPart(context.requests.get(ledger.service.id)),
			} satisfies ServiceLine),
		),
	];
	const body = `${lines.join('\n')}\n`;
	return `${body}${JSON.stringify({ sha256: sha256(body) })}\n`;
}

function requestsPart(counted: RequestLedger | undefined): { readonly requests?: RequestsPart } {
	if (counted === undefined) return {};
	const { definition, rows, figures } = counted;
	return { requests: { definition, minutes: rows, figures } };
}

export interface LedgerVerification {
	/** What is wrong, one sentence each; empty when every figure was recomputed to the same digits. */
	readonly findings: readonly string[];
	readonly sha256: string;
	/** As recomputed; a report of the same time carries the same. */
	readonly ledgerDigest: string;
	readonly services: readonly {
		readonly service: string;
		readonly figures: AvailabilityFigures;
		/** As recomputed. */
		readonly readings: LedgerReadings;
		/** `null` for a service that names none. */
		readonly requests: RequestFigures | null;
	}[];
}

/** Recomputes an export offline: coverage of time, exclusions by calendar and list, every figure, every hash. */
export function verifyLedger(text: string): LedgerVerification {
	const findings: string[] = [];
	const services: LedgerVerification['services'][number][] = [];
	const ledgers: { id: string; timeline: Timeline; requests: RequestFigures | null }[] = [];
	const end = text.lastIndexOf('\n', text.length - 2) + 1;
	const body = text.slice(0, end);
	const hash = sha256(body);
	const fail = (finding: string): LedgerVerification => ({
		findings: [...findings, finding],
		sha256: hash,
		ledgerDigest: '',
		services,
	});
	if (text.slice(end) !== `${JSON.stringify({ sha256: hash })}\n`)
		findings.push(`the file was changed or cut: its bytes have the SHA-256 ${hash}, its last line says otherwise`);
	try {
		const [first = '', ...rest] = body.split('\n').slice(0, -1);
		const header = JSON.parse(first) as HeaderLine;
		if (header.format !== 'fournines-ledger' || !READ_VERSIONS.includes(header.version))
			return fail(`this is not a ledger export of a version up to ${LEDGER_EXPORT_VERSION}`);
		const inventory = parseInventoryFile(header.inventory, 'inventory');
		if (inventory.kind === 'bad') return fail(`the inventory in the export has ${inventory.problems.length} problems`);
		for (const line of rest) {
			const entry = JSON.parse(line) as ServiceLine;
			const { found, net } = judge(entry, header, inventory.config);
			findings.push(...found);
			const requests = entry.requests?.figures ?? null;
			ledgers.push({ id: entry.service, timeline: net, requests });
			services.push({ service: entry.service, figures: entry.figures, readings: ledgerReadings(net), requests });
		}
		const missing = inventory.config.services.filter(({ id }) => !services.some(({ service }) => service === id));
		if (missing.length > 0) findings.push(`services of the inventory are not in the export: ${missing.map(({ id }) => id).join(', ')}`);
	} catch (error) {
		return fail(`the export cannot be read: ${error instanceof Error ? error.message : String(error)}`);
	}
	return { findings, sha256: hash, ledgerDigest: ledgerDigest(ledgers), services };
}

/** What differs in a service's line, and its ledger after exclusion. */
function judge(
	entry: ServiceLine,
	header: HeaderLine,
	inventory: InventoryConfig,
): { readonly found: readonly string[]; readonly net: Timeline } {
	const found: string[] = [];
	const say = (what: string) => found.push(`${entry.service}: ${what}`);
	const service = inventory.services.find(({ id }) => id === entry.service);
	if (service === undefined) return { found: [`${entry.service}: the inventory has no such service`], net: [] };
	const tree = serviceTree(inventory, service);
	if (treeKey(inventory, tree) !== entry.definition) say('its definition is not the one in the inventory');
	const gross = decodeTimeline(entry.gross);
	let at = header.fromSeconds;
	for (const { from, to } of gross) {
		if (from !== at || to <= from) say(`its ledger has a gap or an overlap at ${at}`);
		at = to;
	}
	if (at !== header.toSeconds) say(`its ledger ends at ${at} instead of ${header.toSeconds}`);
	const excluded = (from: number, to: number): readonly Exclusion[] => [
		...outsideLife(tree.life, { from, to }),
		...closedSpans(inventory, service.calendar, { from, to }).map((span) => ({ ...span, reason: 'calendar' })),
		...entry.exclusions,
	];
	const net = exclude(gross, excluded(header.fromSeconds, header.toSeconds));
	if (sha256(encodeTimeline(net)) !== entry.netHash) say('what was excluded does not lead to the ledger that was hashed');
	const figures = availabilityFigures(countSeconds(net), {
		fromSeconds: header.fromSeconds,
		toSeconds: header.toSeconds,
		target: service.target,
		agreedSecondsOfPeriod: agreedSeconds(
			{ from: header.fromSeconds, to: header.periodToSeconds },
			excluded(header.fromSeconds, header.periodToSeconds),
		),
	});
	for (const difference of differing(figures, entry.figures, header.version)) say(difference);
	if (header.version > 2) for (const difference of readingDifferences(ledgerReadings(net), entry.readings)) say(difference);
	for (const difference of requestDifferences(entry, header, { service, exclusions: excluded(header.fromSeconds, header.toSeconds) }))
		say(`requests: ${difference}`);
	return { found, net };
}

function readingDifferences(computed: LedgerReadings, given: LedgerReadings | undefined): readonly string[] {
	if (given === undefined) return ['what contracts count of it is missing'];
	return UNKNOWN_AS.flatMap((unknown) => {
		const [own, said] = [JSON.stringify(computed[unknown]), JSON.stringify(given[unknown])];
		return own === said ? [] : [`with unknown time ${unknown} it counts ${own}, the export says ${said}`];
	});
}

function requestDifferences(
	{ requests }: ServiceLine,
	header: HeaderLine,
	own: { readonly service: ServiceConfig; readonly exclusions: readonly Exclusion[] },
): readonly string[] {
	const { service, exclusions } = own;
	// Version 1 knew no requests, whatever the inventory names.
	if (header.version === 1) return [];
	if (service.requests === undefined) return requests === undefined ? [] : ['the inventory names none for this service'];
	if (requests === undefined) return ['they are missing'];
	const found: string[] = [];
	if (requests.definition !== requestsKey(service.requests)) found.push('their counters are not those in the inventory');
	const window = { from: header.fromSeconds, to: header.toSeconds };
	const { from, to } = wholeMinutes(window);
	let at = from;
	for (const [minute, count] of requests.minutes) {
		if (minute < at || count < 1) found.push(`the minute ${minute} is counted twice or not in order`);
		at = minute + count;
	}
	if (at > to) found.push(`they go on until the minute ${at}, beyond the window`);
	return [
		...found,
		...differing(requestFigures(requests.minutes, { window, exclusions, target: service.target }), requests.figures, header.version),
	];
}

/** What was recomputed beside what the export says. Version 1 had fewer figures. */
function differing<T extends AvailabilityFigures | RequestFigures>(computed: T, given: T, version: number): readonly string[] {
	return Object.entries(computed).flatMap(([key, value]) => {
		const said = given[key as keyof T];
		if (said === value || (version === 1 && said === undefined)) return [];
		return [`${key} is ${String(value)}, the export says ${String(said)}`];
	});
}

function sha256(text: string): string {
	return createHash('sha256').update(text).digest('hex');
}
