import { countedSeconds } from '../../core/spoken-duration.ts';
import { formatZoned } from '../../core/zone-time.ts';
import type { AvailabilityFigures } from '../../protocol/api.ts';
import type { RequestFigures } from '../../protocol/availability-api.ts';
import type { Exclusion } from '../availability/availability.ts';
import type { AvailabilityReport } from './availability-report.ts';
import type { IssuedReport } from './issued-reports.ts';
import type { ChangeCause, ChangedInterval } from './report-changes.ts';
import { causeText, type Language, type TextKey, text } from './texts.ts';

const WHY: Readonly<Record<ChangeCause, TextKey>> = { late: 'whyLate', definition: 'whyDefinition', exclusion: 'whyExclusion' };
const STATES = {
	up: 'stateUp',
	degraded: 'stateDegraded',
	down: 'stateDown',
	unknown: 'stateUnknown',
	excluded: 'stateExcluded',
} as const satisfies Readonly<Record<ChangedInterval['was']['state'], TextKey>>;

/** Service, from, to, was, is, why: of every stretch that a new version judges otherwise. */
export function changeRows(
	{ report, changes }: Pick<IssuedReport, 'report' | 'changes'>,
	language: Language,
): readonly (readonly string[])[] {
	const time = (seconds: number) => formatZoned(seconds * 1000, report.zone);
	const word = ({ state, reason, unconfirmed }: ChangedInterval['was']) => {
		const said = text(unconfirmed ? 'unconfirmed' : STATES[state], language);
		return reason === '' ? said : `${said}（${causeText(reason, language)}）`;
	};
	return changes.intervals.map(({ service, fromSeconds, toSeconds, was, is, why }) => [
		nameOf(report, service),
		time(fromSeconds),
		time(toSeconds),
		word(was),
		word(is),
		text(WHY[why], language),
	]);
}

type FigureKey = 'service' | 'name' | keyof AvailabilityFigures | `requests.${keyof RequestFigures}`;

/** A figure without a name does not compile. */
const FIGURES: Readonly<Record<FigureKey, TextKey>> = {
	service: 'service',
	name: 'service',
	fromMs: 'from',
	toMs: 'to',
	target: 'target',
	totalSeconds: 'total',
	upSeconds: 'stateUp',
	degradedSeconds: 'degraded',
	downSeconds: 'down',
	unknownSeconds: 'unknown',
	excludedSeconds: 'excluded',
	unconfirmedSeconds: 'unconfirmed',
	sliBest: 'best',
	sliWorst: 'worstCase',
	sliLeftOut: 'leftOut',
	coverage: 'coverage',
	budgetSeconds: 'budget',
	budgetUsedSeconds: 'used',
	'requests.fromMs': 'from',
	'requests.toMs': 'to',
	'requests.good': 'requestGood',
	'requests.total': 'requestTotal',
	'requests.excluded': 'requestExcluded',
	'requests.unplaced': 'requestUnplaced',
	'requests.sli': 'requestSli',
	'requests.coverage': 'coverage',
	'requests.target': 'target',
	'requests.budgetRequests': 'requestBudget',
	'requests.budgetUsedRequests': 'requestBad',
};

/** Service, figure, was, is. */
export function figureRows(
	{ report, changes }: Pick<IssuedReport, 'report' | 'changes'>,
	language: Language,
): readonly (readonly string[])[] {
	const figure = (key: string) => {
		// A report may be older than the names of today.
		const name = Object.hasOwn(FIGURES, key) ? text(FIGURES[key as FigureKey], language) : key;
		return key.startsWith('requests.') ? `${text('requests', language)}：${name}` : name;
	};
	return changes.figures.map(({ service, key, was, is }) => [nameOf(report, service), figure(key), was, is]);
}

/** Service, from, to, seconds, cause: of approved maintenance that was left out. */
export function maintenanceRows(report: AvailabilityReport, language: Language): readonly (readonly string[])[] {
	return report.services.flatMap(({ name, exclusions }) => exclusions.map((span) => [name, ...spanCells(span, report.zone, language)]));
}

/** The same of time in which nothing was seen; the shorter stretches in one row. */
export function unseenRows(report: AvailabilityReport, language: Language): readonly (readonly string[])[] {
	return report.services.flatMap(({ name, unseen }) => {
		if (unseen === undefined) return [];
		const { longest, others, otherSeconds } = unseen;
		const rows = longest.map(({ fromSeconds: from, toSeconds: to, reason }) => [
			name,
			...spanCells({ from, to, reason }, report.zone, language),
		]);
		if (others === 0) return rows;
		return [...rows, [name, text('unseenMore', language).replace('{}', String(others)), '', countedSeconds(otherSeconds, language), '']];
	});
}

function spanCells({ from, to, reason }: Exclusion, zone: string, language: Language): readonly string[] {
	return [formatZoned(from * 1000, zone), formatZoned(to * 1000, zone), countedSeconds(to - from, language), causeText(reason, language)];
}

function nameOf(report: AvailabilityReport, id: string): string {
	return report.services.find((service) => service.id === id)?.name ?? id;
}
