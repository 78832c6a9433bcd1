import type { AvailabilityFigures, ServiceState } from '../../protocol/api.ts';
import type { RequestFigures } from '../../protocol/availability-api.ts';
import { type Interval, sweep, type Timeline } from '../availability/intervals.ts';

/** What of a service is kept with an issued report, so that a later one can say what has changed. */
export interface KeptService {
	readonly id: string;
	readonly name: string;
	/** Names the checks, rules and vantage points that it was computed by. */
	readonly definition: string;
	/** Before and after exclusion, over the whole month. */
	readonly gross: Timeline;
	readonly net: Timeline;
	readonly figures: AvailabilityFigures;
	readonly requests: RequestFigures | null;
}

/** `late`: checks came or were deleted after the report; `definition`: the service is watched or judged otherwise; `exclusion`: other time is left out. */
export type ChangeCause = 'late' | 'definition' | 'exclusion';

export interface ChangedInterval {
	readonly service: string;
	readonly fromSeconds: number;
	readonly toSeconds: number;
	readonly was: { readonly state: ServiceState; readonly reason: string; readonly unconfirmed: boolean };
	readonly is: { readonly state: ServiceState; readonly reason: string; readonly unconfirmed: boolean };
	readonly why: ChangeCause;
}

export interface ChangedFigure {
	readonly service: string;
	/** A key of the figures, those of requests as `requests.total`; `service` where the service came or went. */
	readonly key: string;
	readonly was: string;
	readonly is: string;
}

export interface ReportChanges {
	readonly intervals: readonly ChangedInterval[];
	readonly figures: readonly ChangedFigure[];
}

export const NO_CHANGES: ReportChanges = { intervals: [], figures: [] };

/** What is different, and why, between two states of knowledge about the same month. */
export function reportChanges(before: readonly KeptService[], now: readonly KeptService[]): ReportChanges {
	const known = new Map(before.map((service) => [service.id, service]));
	const still = new Set(now.map(({ id }) => id));
	const figures: ChangedFigure[] = before
		.filter(({ id }) => !still.has(id))
		.map(({ id, name }) => ({ service: id, key: 'service', was: name, is: '' }));
	const intervals: ChangedInterval[] = [];
	for (const service of now) {
		const was = known.get(service.id);
		if (was === undefined) {
			figures.push({ service: service.id, key: 'service', was: '', is: service.name });
			continue;
		}
		figures.push(...changedFigures(was, service));
		intervals.push(...changedIntervals(was, service));
	}
	return { intervals, figures };
}

function changedFigures(was: KeptService, is: KeptService): readonly ChangedFigure[] {
	const flat = ({ name, figures, requests }: KeptService) => ({
		name,
		...figures,
		...Object.fromEntries(Object.entries(requests ?? {}).map(([key, value]) => [`requests.${key}`, value])),
	});
	const [old, own] = [new Map<string, unknown>(Object.entries(flat(was))), new Map<string, unknown>(Object.entries(flat(is)))];
	const shown = (value: unknown) => (value === undefined || value === null ? '' : String(value));
	return [...new Set([...old.keys(), ...own.keys()])].flatMap((key) =>
		old.get(key) === own.get(key) ? [] : [{ service: is.id, key, was: shown(old.get(key)), is: shown(own.get(key)) }],
	);
}

function changedIntervals(was: KeptService, is: KeptService): readonly ChangedInterval[] {
	const list: ChangedInterval[] = [];
	sweep([was.net, is.net, was.gross, is.gross], (fromSeconds, toSeconds, [old, own, oldGross, ownGross]) => {
		if (old === undefined || own === undefined || same(old, own)) return;
		const excludedOtherwise = oldGross !== undefined && ownGross !== undefined && same(oldGross, ownGross);
		const why = excludedOtherwise ? 'exclusion' : was.definition === is.definition ? 'late' : 'definition';
		const change = { service: is.id, fromSeconds, toSeconds, was: said(old), is: said(own), why } as const;
		const last = list.at(-1);
		if (last !== undefined && last.toSeconds === fromSeconds && last.why === why && same(last.was, old) && same(last.is, own))
			list[list.length - 1] = { ...last, toSeconds };
		else list.push(change);
	});
	return list;
}

type Said = Pick<Interval, 'state' | 'reason' | 'unconfirmed'>;

function said({ state, reason, unconfirmed }: Said): Said {
	return { state, reason, unconfirmed };
}

function same(a: Said, b: Said): boolean {
	return a.state === b.state && a.reason === b.reason && a.unconfirmed === b.unconfirmed;
}
