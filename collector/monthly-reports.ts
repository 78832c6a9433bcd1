import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { AppError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { parseSchedule, previousTime } from '../core/schedule.ts';
import { monthOf, monthRange } from '../core/zone-time.ts';
import { METRIC_NAME } from '../protocol/labels.ts';
import type { Availability } from './availability/availability.ts';
import { equals } from './availability/matchers.ts';
import { COLLECTOR_BEAT_METRIC } from './availability/silence-facts.ts';
import type { CollectorConfig } from './config.ts';
import type { Contracts } from './contracts/contracts.ts';
import { type ReportDraft, reportDraft } from './reports/availability-report.ts';
import { renderHtml } from './reports/html.ts';
import { createIssuedReports, type IssuedReport, type IssuedReports } from './reports/issued-reports.ts';
import { renderXlsx } from './reports/xlsx.ts';
import type { StateDatabase } from './state/database.ts';
import type { Queryable } from './storage/storage.ts';

const DAY_MS = 86_400_000;

export interface MonthlyReports {
	/** The month as it is known now. */
	draft(month: string): Promise<ReportDraft>;
	readonly issued: IssuedReports;
	/** Issues last month, where that says anything new; the files that were written. */
	issueLastMonth(): Promise<readonly string[]>;
	/** Issues the last month that the schedule of reports has come to, where the collector ran in it and did not run when it was due. */
	issueMissed(): Promise<void>;
}

/** Reports of months, issued into the state and written to `<data>/reports` as a page and a spreadsheet. */
export function createMonthlyReports(options: {
	readonly state: StateDatabase;
	readonly dataDir: string;
	readonly config: () => CollectorConfig;
	readonly availability: Availability;
	/** Where the collector's own life is stored. */
	readonly queryable: Queryable;
	/** `null` until they are open. */
	readonly contracts: () => Contracts | null;
	readonly clock: Clock;
	readonly log: Logger;
}): MonthlyReports {
	const { state, config, availability, queryable, contracts, clock, log } = options;
	const folder = join(options.dataDir, 'reports');
	let written: readonly string[] = [];
	const contractVersion = (id: string): number | null => {
		const known = contracts();
		return known?.list().some((profile) => profile.id === id) === true ? known.profile(id).version : null;
	};
	const draft = (month: string) => reportDraft(month, { availability, inventory: config().inventory, nowMs: clock.now(), contractVersion });
	const publish = async (issued: IssuedReport): Promise<void> => {
		const { language } = config().reports;
		mkdirSync(folder, { recursive: true });
		written = [
			writeNew(folder, issued, { ending: 'html', content: renderHtml(issued.report, language, issued) }),
			writeNew(folder, issued, { ending: 'xlsx', content: await renderXlsx(issued.report, language, issued) }),
		];
		log.info({ files: written, version: issued.version }, 'a monthly report was issued');
	};
	const issued = createIssuedReports({ state, clock, draft, publish });
	const monthBefore = (timeMs: number): string => {
		const { zone } = config().inventory;
		return monthOf((monthRange(monthOf(timeMs, zone), zone)?.fromMs ?? timeMs) - 1, zone);
	};
	/** Day by day: a month of beats is half a million samples. */
	const ranIn = async (month: string): Promise<boolean> => {
		const range = monthRange(month, config().inventory.zone);
		if (range === null) return false;
		for (let toMs = range.toMs; toMs > range.fromMs; toMs -= DAY_MS) {
			const beats = await queryable.select([equals(METRIC_NAME, COLLECTOR_BEAT_METRIC)], Math.max(range.fromMs, toMs - DAY_MS), toMs - 1);
			if (beats.some(({ timestamps }) => timestamps.length > 0)) return true;
		}
		return false;
	};
	return {
		draft,
		issued,
		issueMissed: async () => {
			const { reports, inventory } = config();
			const schedule = parseSchedule({ zone: inventory.zone, cron: reports.monthly });
			const dueMs = schedule.kind === 'ok' ? previousTime(schedule.schedule, clock.now()) : null;
			if (dueMs === null) return;
			const month = monthBefore(dueMs);
			if ((await issued.state(month)).versions.length > 0 || !(await ranIn(month))) return;
			log.info({ month }, 'the monthly report was due while the collector did not run, and is issued now');
			await issued.issue(month, 'collector', '');
		},
		issueLastMonth: async () => {
			const month = monthBefore(clock.now());
			try {
				await issued.issue(month, 'collector', '');
				return written;
			} catch (error) {
				if (!(error instanceof AppError && error.code === 'FN_REPORT_SAME')) throw error;
				log.info({ month }, 'the monthly report was issued already, and nothing has changed');
				return [];
			}
		},
	};
}

/** A file that exists is never written over: another one gets the next free number. */
function writeNew(
	folder: string,
	{ report, version: first }: IssuedReport,
	file: { readonly ending: string; readonly content: string | Uint8Array },
): string {
	for (let version = first; ; version++) {
		const path = join(folder, `availability-${report.month}${version === 1 ? '' : `-v${version}`}.${file.ending}`);
		const temporary = `${path}.new`;
		try {
			// Claims the name; fails when it is taken.
			writeFileSync(path, '', { flag: 'wx' });
		} catch (error) {
			if (error instanceof Error && 'code' in error && error.code === 'EEXIST') continue;
			throw error;
		}
		writeFileSync(temporary, file.content);
		renameSync(temporary, path);
		return path;
	}
}
