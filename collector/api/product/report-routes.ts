import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { AvailabilityReport } from '../../reports/availability-report.ts';
import { renderHtml } from '../../reports/html.ts';
import type { Language } from '../../reports/texts.ts';
import { renderXlsx } from '../../reports/xlsx.ts';

const ReportQuery = Type.Object(
	{
		month: Type.String({ maxLength: 7 }),
		format: Type.Optional(Type.Union([Type.Literal('html'), Type.Literal('xlsx'), Type.Literal('json')])),
		lang: Type.Optional(Type.Union([Type.Literal('zh'), Type.Literal('en')])),
	},
	{ additionalProperties: false },
);

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

export function registerReportRoutes(
	app: FastifyInstance,
	services: { readonly availability: (month: string) => Promise<AvailabilityReport>; readonly language: () => Language },
): void {
	app.get<{ Querystring: { month: string; format?: 'html' | 'xlsx' | 'json'; lang?: Language } }>(
		'/api/fournines/v1/reports/availability',
		{ schema: { tags: ['reports'], summary: "A month's availability", querystring: ReportQuery } },
		async (request, reply) => {
			const { month, format = 'html' } = request.query;
			const language = request.query.lang ?? services.language();
			const report = await services.availability(month);
			if (format === 'json') return report;
			if (format === 'html') return reply.type('text/html; charset=utf-8').send(renderHtml(report, language));
			return reply
				.type(XLSX)
				.header('content-disposition', `attachment; filename="availability-${report.month}.xlsx"`)
				.send(await renderXlsx(report, language));
		},
	);
}
