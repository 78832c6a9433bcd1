export interface IssuedReportTable {
	/** `2026-11`. */
	month: string;
	/** From 1 on, without a gap. */
	version: number;
	issued_at_ms: number;
	issued_by: string;
	note: string;
	/** Of the ledger that it was made from. */
	digest: string;
	/** `IssuedContent` as JSON. */
	content: string;
}

export interface ReportTables {
	issued_report: IssuedReportTable;
}
