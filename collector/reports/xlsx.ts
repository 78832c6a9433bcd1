import type { SheetData } from 'write-excel-file/node';
import { formatRfc3339, formatZoned } from '../../core/zone-time.ts';
import type { AvailabilityReport } from './availability-report.ts';
import { changeRows, figureRows, maintenanceRows, unseenRows } from './change-rows.ts';
import { percentage, requestHeads, requestRows, verdictText } from './html.ts';
import type { IssuedReport } from './issued-reports.ts';
import { causeText, type Language, SERVICE_COLUMNS, type TextKey, text } from './texts.ts';

/** Sheets of services, of requests where there are any, and of outages. Percentages stay text: as numbers a spreadsheet would round them. */
export async function renderXlsx(report: AvailabilityReport, language: Language, issued: IssuedReport | null = null): Promise<Buffer> {
	// Its eighty modules are not needed before the first report.
	const { default: writeXlsxFile } = await import('write-excel-file/node');
	const t = (key: TextKey) => text(key, language);
	const bold = (keys: readonly TextKey[]) => keys.map((key) => ({ value: t(key), fontWeight: 'bold' as const }));
	const services: SheetData = [
		[{ value: `${t('title')} ${report.month}`, fontWeight: 'bold' }],
		[{ value: t('period') }, { value: `${formatRfc3339(report.fromMs, report.zone)} — ${formatRfc3339(report.toMs, report.zone)}` }],
		[{ value: t('issued') }, { value: formatRfc3339(report.issuedMs, report.zone) }],
		[{ value: t('ledgerHash') }, { value: report.ledgerDigest }],
		...(issued === null
			? []
			: [[{ value: t('version') }, { value: `${issued.version}` }, { value: issued.issuedBy }, { value: issued.note }]]),
		[],
		bold(SERVICE_COLUMNS.flatMap((key) => (key === 'sli' ? [key, 'worst'] : [key]))),
		...report.services.map((service) => {
			const { figures } = service;
			return [
				{ value: service.name },
				{ value: percentage(figures.sliBest) },
				{ value: percentage(figures.sliWorst) },
				{ value: percentage(figures.coverage) },
				{ value: `${figures.target} %` },
				{ value: verdictText(service, language) },
				{ value: Number(figures.budgetSeconds), type: Number },
				{ value: figures.downSeconds, type: Number },
				{ value: figures.degradedSeconds, type: Number },
				{ value: figures.unknownSeconds, type: Number },
				{ value: figures.excludedSeconds, type: Number },
				{ value: figures.unconfirmedSeconds, type: Number },
				...[service.mtbfSeconds, service.mttrSeconds].map((value) => (value === null ? { value: '—' } : { value, type: Number })),
			];
		}),
	];
	const outages: SheetData = [
		bold(['service', 'from', 'to', 'seconds', 'cause']),
		...report.services.flatMap((service) =>
			service.outages.map((outage) => [
				{ value: service.name },
				{ value: formatZoned(outage.fromSeconds * 1000, report.zone) },
				{ value: outage.ongoing ? t('ongoing') : formatZoned(outage.toSeconds * 1000, report.zone) },
				{ value: outage.toSeconds - outage.fromSeconds, type: Number },
				{ value: causeText(outage.reason, language) },
			]),
		),
	];
	const wide = [{ width: 28 }, { width: 22 }, { width: 22 }, { width: 26 }, { width: 44 }, { width: 44 }];
	const sheet = (key: TextKey, heads: readonly string[], rows: readonly (readonly string[])[]) =>
		rows.length === 0
			? []
			: [
					{
						data: [
							heads.map((value) => ({ value, fontWeight: 'bold' as const })),
							...rows.map((cells) => cells.map((value) => ({ value }))),
						],
						sheet: t(key),
						columns: wide,
					},
				];
	const words = (keys: readonly TextKey[]) => keys.map(t);
	return writeXlsxFile([
		{ data: services, sheet: t('services'), columns: [{ width: 28 }, ...Array.from({ length: 13 }, () => ({ width: 13 }))] },
		...sheet('requests', requestHeads(language), requestRows(report)),
		{ data: outages, sheet: t('outages'), columns: wide },
		...sheet('unseenList', words(['service', 'from', 'to', 'seconds', 'cause']), unseenRows(report, language)),
		...sheet('maintenanceList', words(['service', 'from', 'to', 'seconds', 'cause']), maintenanceRows(report, language)),
		...(issued === null
			? []
			: [
					...sheet('changes', words(['service', 'from', 'to', 'was', 'is', 'why']), changeRows(issued, language)),
					...sheet('figures', words(['service', 'figure', 'was', 'is']), figureRows(issued, language)),
				]),
	]).toBuffer();
}
