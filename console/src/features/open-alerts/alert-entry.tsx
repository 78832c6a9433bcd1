import { Button } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';
import type { OpenAlert } from '../../../../protocol/api.ts';
import { durationText } from '../../format/duration.ts';
import { dateTimeText, shortTimeText } from '../../format/time.ts';
import { SeverityMark } from '../../layout/state-mark.tsx';
import { useLanguage } from '../../texts/language.tsx';
import { alertPlace, alertSummary } from './alert-words.ts';
import { RunbookLink } from './runbook-link.tsx';

interface AlertEntryProps {
	readonly alert: OpenAlert;
	readonly nowMs: number;
	/** `null` for those who may not. */
	readonly onSilence: (() => void) | null;
}

export function AlertEntry({ alert, nowMs, onSilence }: AlertEntryProps) {
	const { texts, language } = useLanguage();
	const [open, setOpen] = useState(false);
	const { description, action, threshold, runbook_url: runbook } = alert.annotations;
	const { alertname } = alert.labels;
	return (
		<article className={alert.suppressed ? 'alert-entry alert-suppressed' : 'alert-entry'}>
			<div className="alert-row">
				<SeverityMark severity={alert.labels['severity']} />
				<button type="button" className="alert-text alert-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>
					<b>{alertSummary(alert, language)}</b>
					<small className="muted">
						{alertPlace(alert)}
						{alert.suppressed ? <span className="chip">{texts.alerts.suppressed}</span> : null}
					</small>
				</button>
				<span className="num alert-since" title={dateTimeText(alert.startsAtMs)}>
					{durationText((nowMs - alert.startsAtMs) / 1000, texts.duration)}
					<small className="muted">{shortTimeText(alert.startsAtMs)}</small>
				</span>
				{onSilence === null ? null : (
					<Button size="small" onClick={onSilence}>
						{texts.alerts.silence}
					</Button>
				)}
			</div>
			{open ? (
				<div className="alert-details">
					{description === undefined ? null : (
						<p>
							{description} {threshold === undefined ? null : <span className="muted">{`${texts.alerts.threshold} ${threshold}`}</span>}
						</p>
					)}
					{action === undefined ? null : (
						<p>
							<b>{texts.alerts.action}</b> {action}
						</p>
					)}
					<RunbookLink address={runbook} />
					{alertname === undefined ? null : (
						<p>
							<Link to={`/alerts?view=rules&rule=${encodeURIComponent(alertname)}`}>{texts.rules.toRule}</Link>
						</p>
					)}
					<div className="label-list">
						{Object.entries(alert.labels).map(([name, value]) => (
							<code key={name}>
								{name}={value}
							</code>
						))}
					</div>
				</div>
			) : null}
		</article>
	);
}
