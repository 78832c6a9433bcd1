import { Card } from 'antd';
import { REPORTS_KEY, useReportVersions } from '../../api/availability.ts';
import { send } from '../../api/desk.ts';
import { reportAddress } from '../../api/product.ts';
import { dateTimeText } from '../../format/time.ts';
import { useIdentity } from '../../layout/session-context.ts';
import { useLanguage } from '../../texts/language.tsx';
import { ActionBar } from '../desk/action-bar.tsx';
import type { Action } from '../desk/action-dialog.tsx';
import { Loaded } from '../desk/list-state.tsx';

/** What was issued of the month, whether it still says what the ledger says, and the next version. */
export function IssuedCard({ month }: { readonly month: string }) {
	const { texts, language } = useLanguage();
	const words = texts.reports;
	const { mayReport, mayOnCall: mayIssue } = useIdentity();
	const versions = useReportVersions(month, mayReport);
	const state = versions.data;
	const changed = state?.pending !== null && state !== undefined && state.pending.intervals.length + state.pending.figures.length > 0;
	const first = state?.versions.length === 0;
	const issue: Action = {
		key: 'issue',
		label: first ? words.issue : words.issueNext,
		primary: true,
		fields: [{ name: 'note', label: words.note, kind: 'area', optional: true }],
		run: ({ note = '' }) => send('POST', '/reports/availability', { month, note }),
	};
	if (!mayReport) return null;
	return (
		<Card
			title={words.issued}
			className="report-card"
			extra={mayIssue && state?.over === true && (first || changed) ? <ActionBar actions={[issue]} refresh={REPORTS_KEY} /> : null}
		>
			<p className="muted">{words.issuedAbout}</p>
			<Loaded query={versions}>
				{({ versions: list, pending }) => (
					<>
						{list.length === 0 ? <p className="quiet muted">{words.none}</p> : null}
						{[...list].reverse().map(({ version, issuedBy, issuedAtMs, note, changes }) => (
							<div key={version} className="check-row">
								<a href={reportAddress({ month, version, format: 'html', language })} target="_blank" rel="noopener">
									{words.version(version)}
								</a>
								<span className="muted num cell-wrap">
									{words.by(issuedBy, dateTimeText(issuedAtMs))}
									{version === 1 ? '' : ` · ${words.changed(changes.intervals.length, changes.figures.length)}`}
									{note === '' ? '' : ` · ${note}`}
								</span>
							</div>
						))}
						{pending === null ? null : (
							<p className="muted">{changed ? words.pending(pending.intervals.length, pending.figures.length) : words.same}</p>
						)}
					</>
				)}
			</Loaded>
		</Card>
	);
}
