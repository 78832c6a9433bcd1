import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { decodeTimeline, encodeTimeline } from '../availability/day-store.ts';
import type { StateDatabase } from '../state/database.ts';
import type { AvailabilityReport, ReportDraft } from './availability-report.ts';
import { type KeptService, NO_CHANGES, type ReportChanges, reportChanges } from './report-changes.ts';

export interface IssuedReport {
	readonly version: number;
	readonly issuedAtMs: number;
	readonly issuedBy: string;
	readonly note: string;
	readonly report: AvailabilityReport;
	/** Against the version before; nothing for the first. */
	readonly changes: ReportChanges;
}

/** What stands where: the versions, and whether the ledger says something else by now. */
export interface IssuedState {
	readonly versions: readonly (Omit<IssuedReport, 'report'> & { readonly digest: string })[];
	/** Against the newest version; `null` where nothing was issued. */
	readonly pending: ReportChanges | null;
	readonly over: boolean;
}

export interface IssuedReports {
	/**
	 * Issues the month as it is known now: version 1, or the next one with a list of what changed and why. A version is never edited.
	 * Throws `FN_REPORT_MONTH`, `FN_REPORT_OPEN` while the month goes on, `FN_REPORT_SAME` where nothing has changed.
	 */
	issue(month: string, by: string, note: string): Promise<IssuedReport>;
	/** As it was issued. Throws `FN_REPORT_VERSION`. */
	get(month: string, version: number): Promise<IssuedReport>;
	state(month: string): Promise<IssuedState>;
}

interface IssuedContent {
	readonly report: AvailabilityReport;
	readonly changes: ReportChanges;
	readonly kept: readonly (Omit<KeptService, 'gross' | 'net'> & { readonly gross: string; readonly net: string })[];
}

export function createIssuedReports(options: {
	readonly state: StateDatabase;
	readonly clock: Clock;
	readonly draft: (month: string) => Promise<ReportDraft>;
	/** Called with every version after it is on record. */
	readonly publish?: (issued: IssuedReport) => Promise<void>;
}): IssuedReports {
	const { state, clock, draft, publish } = options;

	const versionsOf = async (month: string) => {
		const rows = await state.selectFrom('issued_report').selectAll().where('month', '=', month).orderBy('version').execute();
		return rows.map((row) => ({ row, content: JSON.parse(row.content) as IssuedContent }));
	};
	type Version = Awaited<ReturnType<typeof versionsOf>>[number];
	const shown = ({ row, content }: Version): IssuedReport => ({
		version: row.version,
		issuedAtMs: row.issued_at_ms,
		issuedBy: row.issued_by,
		note: row.note,
		report: content.report,
		changes: content.changes,
	});
	const changesSince = (last: Version, kept: readonly KeptService[]) => reportChanges(last.content.kept.map(decoded), kept);

	const issueNow = async (month: string, by: string, note: string): Promise<IssuedReport> => {
		const { report, kept } = await draft(month);
		if (report.open)
			throw new AppError('FN_REPORT_OPEN', `${month} is not over; a report is issued when no further second can be added`, {
				status: 409,
			});
		const last = (await versionsOf(month)).at(-1);
		const changes = last === undefined ? NO_CHANGES : changesSince(last, kept);
		if (last !== undefined && changes.intervals.length + changes.figures.length === 0)
			throw new AppError('FN_REPORT_SAME', `nothing has changed since version ${last.row.version} of ${month} was issued`, {
				status: 409,
			});
		const version = (last?.row.version ?? 0) + 1;
		const issuedAtMs = clock.now();
		const content: IssuedContent = { report: { ...report, issuedMs: issuedAtMs }, changes, kept: kept.map(encoded) };
		await state
			.insertInto('issued_report')
			.values({
				month,
				version,
				issued_at_ms: issuedAtMs,
				issued_by: by.slice(0, 64),
				note: note.slice(0, 2000),
				digest: report.ledgerDigest,
				content: JSON.stringify(content),
			})
			.execute();
		const issued = { version, issuedAtMs, issuedBy: by, note, report: content.report, changes };
		await publish?.(issued);
		return issued;
	};

	/** Two at once would both become the same version; the later one is judged against what the first has issued. */
	let lastIssue: Promise<unknown> = Promise.resolve();

	return {
		issue: (month, by, note) => {
			const issued = lastIssue.then(() => issueNow(month, by, note));
			lastIssue = issued.catch(() => {});
			return issued;
		},
		get: async (month, version) => {
			const found = (await versionsOf(month)).find(({ row }) => row.version === version);
			if (found === undefined)
				throw new AppError('FN_REPORT_VERSION', `there is no version ${version} of the report of ${month.slice(0, 20)}`, { status: 404 });
			return shown(found);
		},
		state: async (month) => {
			const { report, kept } = await draft(month);
			const versions = await versionsOf(month);
			const last = versions.at(-1);
			return {
				versions: versions.map((version) => {
					const { report: _report, ...rest } = shown(version);
					return { ...rest, digest: version.row.digest };
				}),
				pending: last === undefined ? null : changesSince(last, kept),
				over: !report.open,
			};
		},
	};
}

function encoded(service: KeptService): IssuedContent['kept'][number] {
	return { ...service, gross: encodeTimeline(service.gross), net: encodeTimeline(service.net) };
}

function decoded(service: IssuedContent['kept'][number]): KeptService {
	return { ...service, gross: decodeTimeline(service.gross), net: decodeTimeline(service.net) };
}
