import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Job, scheduleJob } from 'node-schedule';
import type { Clock } from '../core/clock.ts';
import { AppError, errorText } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { zonedDate } from '../core/zone-time.ts';
import type { AuditArchive } from './audit/archive.ts';
import type { CollectorConfig } from './config.ts';
import type { AvailabilityReport } from './reports/availability-report.ts';
import { renderHtml } from './reports/html.ts';
import { renderXlsx } from './reports/xlsx.ts';

export interface ScheduleServices {
	readonly archive: AuditArchive;
	readonly report: (month: string) => Promise<AvailabilityReport>;
	readonly dataDir: string;
	readonly clock: Clock;
	readonly log: Logger;
}

/** What happens by the calendar: checkpoints of the log archive, and last month's report. */
export function startSchedules(config: CollectorConfig, services: ScheduleServices): { stop(): void } {
	const { log, archive } = services;
	const zone = config.inventory.zone;
	const seal = schedule('audit.seal', config.audit.seal, zone, () => {
		archive.seal();
	});
	const monthly = schedule('reports.monthly', config.reports.monthly, zone, () => {
		writeMonthlyReport(config, services).catch((error: unknown) =>
			log.error({ error: errorText(error) }, 'the monthly report could not be written'),
		);
	});
	const sync = setInterval(() => {
		try {
			archive.sync();
		} catch (error) {
			log.error({ error: errorText(error) }, 'the log archive could not be forced to the disk');
		}
	}, 1000);
	return {
		stop: () => {
			seal.cancel();
			monthly.cancel();
			clearInterval(sync);
		},
	};
}

function schedule(key: string, cron: string, zone: string, work: () => void): Job {
	const job = scheduleJob({ rule: cron, tz: zone }, work);
	if (job === null)
		throw new AppError('FN_SCHEDULE_INVALID', `${key}: "${cron}" is not a cron expression that ever fires; write for example "0 * * * *"`);
	return job;
}

/** Last month as HTML and as a spreadsheet in `<data>/reports`. A report that exists is never written over: another one gets the next version number. */
export async function writeMonthlyReport(config: CollectorConfig, services: ScheduleServices): Promise<readonly string[]> {
	const now = zonedDate(services.clock.now(), config.inventory.zone);
	const last = now.month === 1 ? { year: now.year - 1, month: 12 } : { year: now.year, month: now.month - 1 };
	const report = await services.report(`${last.year}-${String(last.month).padStart(2, '0')}`);
	const folder = join(services.dataDir, 'reports');
	mkdirSync(folder, { recursive: true });
	const files = [
		writeNewVersion(folder, `availability-${report.month}`, { ending: 'html', content: renderHtml(report, config.reports.language) }),
		writeNewVersion(folder, `availability-${report.month}`, { ending: 'xlsx', content: await renderXlsx(report, config.reports.language) }),
	];
	services.log.info({ files }, 'the monthly report was written');
	return files;
}

function writeNewVersion(folder: string, name: string, file: { readonly ending: string; readonly content: string | Uint8Array }): string {
	for (let version = 1; ; version++) {
		const path = join(folder, `${name}${version === 1 ? '' : `-v${version}`}.${file.ending}`);
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
