import { DownloadOutlined, ExportOutlined } from '@ant-design/icons';
import { Alert, Button, Card } from 'antd';
import { useState } from 'react';
import { reportAddress } from '../../api/product.ts';
import { monthStartMs, monthText } from '../../format/time.ts';
import { Heading } from '../../layout/heading.tsx';
import { useIdentity } from '../../layout/session-context.ts';
import { useLanguage } from '../../texts/language.tsx';
import { IssuedCard } from './issued-card.tsx';

const MONTHS_BACK = 24;

/** The current month and those before it, newest first, as `2026-11`. */
function recentMonths(nowMs: number): readonly string[] {
	const months: string[] = [];
	for (let start = monthStartMs(nowMs), i = 0; i < MONTHS_BACK; i++, start = monthStartMs(start - 1)) months.push(monthText(start));
	return months;
}

export function ReportsPage() {
	const { texts, language } = useLanguage();
	const { mayReport } = useIdentity();
	const [months] = useState(() => recentMonths(Date.now()));
	const [month, setMonth] = useState(months[0] ?? '');
	return (
		<div className="stack">
			<div className="page-title">
				<Heading>{texts.reports.title}</Heading>
			</div>
			<Card title={texts.reports.availability} className="report-card">
				{mayReport ? null : <Alert type="info" showIcon title={texts.reports.readOnly} />}
				<p className="muted">{texts.reports.about}</p>
				<div className="report-form">
					<label>
						<span>{texts.reports.month}</span>
						<select className="plain-select num" value={month} onChange={({ target }) => setMonth(target.value)}>
							{months.map((each) => (
								<option key={each}>{each}</option>
							))}
						</select>
					</label>
					<Button
						type="primary"
						icon={<ExportOutlined />}
						disabled={!mayReport}
						href={reportAddress({ month, format: 'html', language })}
						target="_blank"
						rel="noopener"
					>
						{texts.reports.open}
					</Button>
					<Button icon={<DownloadOutlined />} disabled={!mayReport} href={reportAddress({ month, format: 'xlsx', language })} download>
						{texts.reports.download}
					</Button>
				</div>
			</Card>
			<IssuedCard month={month} />
		</div>
	);
}
