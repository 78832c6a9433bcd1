import { type Job, scheduleJob } from 'node-schedule';
import { AppError, errorText } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { AuditArchive } from './audit/archive.ts';
import type { CollectorConfig } from './config.ts';
import type { MonthlyReports } from './monthly-reports.ts';

export interface ScheduleServices {
	readonly archive: Pick<AuditArchive, 'seal' | 'sync'>;
	readonly reports: Pick<MonthlyReports, 'issueLastMonth' | 'issueMissed'>;
	readonly log: Logger;
}

/** What happens by the calendar: checkpoints of the log archive, and last month's report. */
export function startSchedules(config: CollectorConfig, services: ScheduleServices): { stop(): Promise<void> } {
	const { log, archive, reports } = services;
	let issuing: Promise<unknown> = Promise.resolve();
	const issue = (work: () => Promise<unknown>) => {
		issuing = issuing
			.then(work)
			.catch((error: unknown) => log.error({ error: errorText(error) }, 'the monthly report could not be issued'));
	};
	const zone = config.inventory.zone;
	const seal = schedule('audit.seal', config.audit.seal, zone, () => {
		// What is thrown here would end the process: of a full disk the collector has to tell.
		try {
			archive.seal();
		} catch (error) {
			log.error(
				{ error: errorText(error) },
				'the open segment of the log archive could not be closed; the next turn of audit.seal tries again',
			);
		}
	});
	const monthly = schedule('reports.monthly', config.reports.monthly, zone, () => {
		issue(reports.issueLastMonth);
	});
	issue(reports.issueMissed);
	const sync = setInterval(() => {
		try {
			archive.sync();
		} catch (error) {
			log.error({ error: errorText(error) }, 'the log archive could not be forced to the disk');
		}
	}, 1000);
	return {
		stop: async () => {
			seal.cancel();
			monthly.cancel();
			clearInterval(sync);
			// A report that is on record has its files.
			await issuing;
		},
	};
}

function schedule(key: string, cron: string, zone: string, work: () => void): Job {
	const job = scheduleJob({ rule: cron, tz: zone }, work);
	if (job === null)
		throw new AppError('FN_SCHEDULE_INVALID', `${key}: "${cron}" is not a cron expression that ever fires; write for example "0 * * * *"`);
	return job;
}
