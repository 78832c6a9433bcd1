import { countedSeconds, spokenSeconds } from '../../core/spoken-duration.ts';
import { formatZoned } from '../../core/zone-time.ts';
import type { AvailabilityReport, ReportedService } from './availability-report.ts';
import { changeRows, figureRows, maintenanceRows, unseenRows } from './change-rows.ts';
import type { IssuedReport } from './issued-reports.ts';
import { causeText, type Language, SERVICE_COLUMNS, type TextKey, text } from './texts.ts';

/** Text for a place between tags or inside a quoted attribute. */
export function escapeHtml(raw: string): string {
	return raw.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
:root{color-scheme:light}
body{font:14px/1.6 "Noto Sans CJK SC","Microsoft YaHei","PingFang SC",sans-serif;color:#1f2328;margin:32px auto;max-width:1280px;padding:0 24px}
h1{font-size:24px;margin:0 0 4px} h2{font-size:17px;margin:32px 0 8px} .meta{color:#57606a;margin:0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums} th,td{padding:7px 10px;border-bottom:1px solid #d8dee4;text-align:right;white-space:nowrap}
th{background:#f6f8fa;font-weight:600} th:first-child,td:first-child,td.text,th.text{text-align:left;white-space:normal}
.met{color:#1a7f37} .missed{color:#cf222e;font-weight:600} .open{color:#9a6700} .small{color:#57606a;font-size:12px}
footer{margin-top:40px;border-top:1px solid #d8dee4;padding-top:12px;color:#57606a;font-size:12px;word-break:break-all}
@page{size:A4 landscape}
@media print{body{margin:0;max-width:none} h2{break-after:avoid} tr{break-inside:avoid}}
`;

/** A document of its own: no script, nothing loaded from anywhere, ready to be printed. */
export function renderHtml(report: AvailabilityReport, language: Language, issued: IssuedReport | null = null): string {
	const t = (key: TextKey) => escapeHtml(text(key, language));
	const title = `${text('title', language)} ${report.month}`;
	const moment = (timeMs: number) => formatZoned(timeMs, report.zone);
	const zone = report.zone === 'Asia/Shanghai' ? text('beijing', language) : report.zone;
	const period = `${moment(report.fromMs)} — ${moment(report.toMs)}${language === 'zh' ? `（${zone}）` : ` (${zone})`}`;
	return `<!doctype html>
<html lang="${language === 'zh' ? 'zh-CN' : 'en'}"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>
<h1>${escapeHtml(title)}</h1>
<p class="meta">${t('period')}：${escapeHtml(period)}</p>
<p class="meta">${t('issued')}：${escapeHtml(moment(report.issuedMs))}</p>
${issuedLines(report, language, issued)}
<h2>${t('services')}</h2>
${report.services.length === 0 ? `<p>${t('noServices')}</p>` : servicesTable(report, language)}
${requestsSection(report, language)}<h2>${t('outages')}</h2>
${outagesTable(report, language)}
${section('unseenList', [['service', 'from', 'to', 'seconds', 'cause'], unseenRows(report, language)], language)}${section('maintenanceList', [['service', 'from', 'to', 'seconds', 'cause'], maintenanceRows(report, language)], language)}<h2>${t('method')}</h2><p>${t('methodText')}</p>
<footer>${t('ledgerHash')}：<code>${report.ledgerDigest}</code></footer>
</body></html>
`;
}

function issuedLines(report: AvailabilityReport, language: Language, issued: IssuedReport | null): string {
	const t = (key: TextKey) => escapeHtml(text(key, language));
	if (issued === null) return `<p class="open">${report.open ? t('open') : t('draft')}</p>`;
	const facts = [`${t('version')}：${issued.version}`, `${t('issuedBy')}：${escapeHtml(issued.issuedBy)}`];
	if (issued.note !== '') facts.push(`${t('note')}：${escapeHtml(issued.note)}`);
	return `${facts.map((fact) => `<p class="meta">${fact}</p>`).join('\n')}
${section('changes', [['service', 'from', 'to', 'was', 'is', 'why'], changeRows(issued, language)], language)}${section('figures', [['service', 'figure', 'was', 'is'], figureRows(issued, language)], language)}`;
}

/** Nothing where there are no rows. */
function section(title: TextKey, [heads, rows]: readonly [readonly TextKey[], readonly (readonly string[])[]], language: Language): string {
	if (rows.length === 0) return '';
	const t = (key: TextKey) => escapeHtml(text(key, language));
	return `<h2>${t(title)}</h2>
<table><thead>${line(
		'th',
		heads.map((key) => text(key, language)),
	)}</thead><tbody>${rows.map((cells) => line('td', cells)).join('')}</tbody></table>
`;
}

function line(tag: 'td' | 'th', cells: readonly string[]): string {
	return `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
}

const VERDICTS = { met: 'verdictMet', missed: 'verdictMissed', open: 'verdictOpen' } as const;

export function verdictText(service: ReportedService, language: Language): string {
	return text(VERDICTS[service.verdict], language);
}

export function percentage(value: string | null): string {
	return value === null ? '—' : `${value} %`;
}

const REQUEST_COLUMNS = [
	'service',
	'requestSli',
	'coverage',
	'target',
	'requestTotal',
	'requestBad',
	'requestBudget',
	'requestExcluded',
	'requestUnplaced',
] as const satisfies readonly TextKey[];

/** Of the services that name requests, as text in the order of the columns. */
export function requestRows(report: AvailabilityReport): readonly (readonly string[])[] {
	return report.services.flatMap(({ name, requests }) =>
		requests === null
			? []
			: [
					[
						name,
						percentage(requests.sli),
						percentage(requests.coverage),
						percentage(requests.target),
						String(requests.total),
						String(requests.budgetUsedRequests),
						requests.budgetRequests,
						String(requests.excluded),
						String(requests.unplaced),
					],
				],
	);
}

export function requestHeads(language: Language): readonly string[] {
	return REQUEST_COLUMNS.map((key) => text(key, language));
}

function requestsSection(report: AvailabilityReport, language: Language): string {
	const rows = requestRows(report);
	if (rows.length === 0) return '';
	return `<h2>${escapeHtml(text('requests', language))}</h2>
<p class="small">${escapeHtml(text('requestsAbout', language))}</p>
<table><thead>${line('th', requestHeads(language))}</thead><tbody>${rows.map((cells) => line('td', cells)).join('')}</tbody></table>
`;
}

function servicesTable(report: AvailabilityReport, language: Language): string {
	const t = (key: TextKey) => escapeHtml(text(key, language));
	const unit = t('secondsUnit');
	const head = SERVICE_COLUMNS.map((key) => `<th>${t(key)}</th>`).join('');
	const rows = report.services.map((service) => {
		const { figures } = service;
		const worst =
			figures.sliWorst !== figures.sliBest ? `<br><span class="small">${t('worst')} ${percentage(figures.sliWorst)}</span>` : '';
		const seconds = (value: number | string) => {
			const spoken =
				Number(value) < 60 ? '' : `<br><span class="small">${escapeHtml(spokenSeconds(Math.floor(Number(value)), language))}</span>`;
			return `${value} ${unit}${spoken}`;
		};
		const cells = [
			`${percentage(figures.sliBest)}${worst}`,
			percentage(figures.coverage),
			`${escapeHtml(figures.target)} %`,
			`<span class="${service.verdict}">${escapeHtml(verdictText(service, language))}</span>`,
			seconds(figures.budgetSeconds),
			seconds(figures.downSeconds),
			seconds(figures.degradedSeconds),
			seconds(figures.unknownSeconds),
			seconds(figures.excludedSeconds),
			seconds(figures.unconfirmedSeconds),
			service.mtbfSeconds === null ? '—' : seconds(service.mtbfSeconds),
			service.mttrSeconds === null ? '—' : seconds(service.mttrSeconds),
		];
		return `<tr><td>${escapeHtml(service.name)}<br><span class="small">${escapeHtml(basis(service, language))}</span></td>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
	});
	return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

/** What the figures follow from beside the checks. */
function basis({ id, definition, contract }: ReportedService, language: Language): string {
	const parts = [id, `${text('definition', language)} ${definition.slice(0, 8)}`];
	if (contract !== null)
		parts.push(`${text('contract', language)} ${contract.id}${contract.version === null ? '' : ` v${contract.version}`}`);
	return parts.join(' · ');
}

function outagesTable(report: AvailabilityReport, language: Language): string {
	const t = (key: TextKey) => escapeHtml(text(key, language));
	const rows = report.services.flatMap((service) =>
		service.outages.map((outage) => {
			const end = outage.ongoing ? t('ongoing') : escapeHtml(formatZoned(outage.toSeconds * 1000, report.zone));
			const cells = [
				escapeHtml(formatZoned(outage.fromSeconds * 1000, report.zone)),
				end,
				countedSeconds(outage.toSeconds - outage.fromSeconds, language),
			];
			return `<tr><td>${escapeHtml(service.name)}</td>${cells.map((cell) => `<td>${cell}</td>`).join('')}<td class="text">${escapeHtml(causeText(outage.reason, language))}</td></tr>`;
		}),
	);
	if (rows.length === 0) return `<p>${t('noOutages')}</p>`;
	return `<table><thead><tr><th>${t('service')}</th><th>${t('from')}</th><th>${t('to')}</th><th>${t('seconds')}</th><th class="text">${t('cause')}</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}
