import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { ReportVersionAnswer, ReportVersionsAnswer } from '../../../protocol/availability-api.ts';
import type { ReportDraft } from '../../reports/availability-report.ts';
import { renderHtml } from '../../reports/html.ts';
import type { IssuedReport, IssuedReports, IssuedState } from '../../reports/issued-reports.ts';
import type { Language } from '../../reports/texts.ts';
import { renderXlsx } from '../../reports/xlsx.ts';
import { personOf } from '../person.ts';

const strict = { additionalProperties: false };
const Month = Type.String({ maxLength: 7 });
const ReportQuery = Type.Object(
	{
		month: Month,
		version: Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,5}$' })),
		format: Type.Optional(Type.Union([Type.Literal('html'), Type.Literal('xlsx'), Type.Literal('json')])),
		lang: Type.Optional(Type.Union([Type.Literal('zh'), Type.Literal('en')])),
	},
	strict,
);
const VersionsQuery = Type.Object({ month: Month }, strict);
const IssueBody = Type.Object({ month: Month, note: Type.String({ maxLength: 2000 }) }, strict);

const BASE = '/api/fournines/v1/reports/availability';
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

/** Reports as they are known now, and as they were issued. `record` writes the operations log. */
export function registerReportRoutes(
	app: FastifyInstance,
	services: {
		readonly reports: { readonly draft: (month: string) => Promise<ReportDraft>; readonly issued: IssuedReports };
		readonly language: () => Language;
		readonly record: (
			request: FastifyRequest,
			operation: { readonly action: string; readonly object: string; readonly result: 'success'; readonly detail: string },
		) => Promise<unknown>;
	},
): void {
	const tags = ['reports'];
	const { reports } = services;
	app.get<{ Querystring: { month: string; version?: string; format?: 'html' | 'xlsx' | 'json'; lang?: Language } }>(
		BASE,
		{ schema: { tags, summary: "A month's availability, now or as it was issued", querystring: ReportQuery } },
		async (request, reply) => {
			const { month, version, format = 'html' } = request.query;
			const language = request.query.lang ?? services.language();
			const issued = version === undefined ? null : await reports.issued.get(month, Number(version));
			const report = issued?.report ?? (await reports.draft(month)).report;
			if (format === 'json') return report;
			if (format === 'html') return reply.type('text/html; charset=utf-8').send(renderHtml(report, language, issued));
			const name = `availability-${report.month}${version === undefined ? '' : `-v${version}`}.xlsx`;
			return reply
				.type(XLSX)
				.header('content-disposition', `attachment; filename="${name}"`)
				.send(await renderXlsx(report, language, issued));
		},
	);
	app.get<{ Querystring: { month: string } }>(
		`${BASE}/versions`,
		{ schema: { tags, summary: 'What was issued of a month, and what has changed since', querystring: VersionsQuery } },
		async ({ query }): Promise<ReportVersionsAnswer> => {
			const { versions, pending, over } = await reports.issued.state(query.month);
			return { versions: versions.map(shown), pending, over };
		},
	);
	app.post<{ Body: { month: string; note: string } }>(
		BASE,
		{ schema: { tags, summary: 'Issue a month, or its next version', body: IssueBody } },
		async (request, reply) => {
			const { month, note } = request.body;
			const { account } = personOf(request);
			const issued = await reports.issued.issue(month, account, note);
			await services.record(request, { action: 'report.issue', object: `${month} v${issued.version}`, result: 'success', detail: note });
			return reply.status(201).send(shown({ ...issued, digest: issued.report.ledgerDigest }));
		},
	);
}

function shown(version: IssuedState['versions'][number] | (IssuedReport & { readonly digest: string })): ReportVersionAnswer {
	const { version: number, issuedAtMs, issuedBy, note, digest, changes } = version;
	return { version: number, issuedAtMs, issuedBy, note, digest, changes };
}
