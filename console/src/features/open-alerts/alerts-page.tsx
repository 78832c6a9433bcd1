import { Button, Card, Segmented } from 'antd';
import { useState } from 'react';
import type { OpenAlert } from '../../../../protocol/api.ts';
import { useOverview } from '../../api/product.ts';
import { durationText } from '../../format/duration.ts';
import { dateTimeText, shortTimeText } from '../../format/time.ts';
import { useNow } from '../../format/use-now.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { useIdentity } from '../../layout/session-context.ts';
import { PageSpin } from '../../layout/shell.tsx';
import { Mark, SeverityMark } from '../../layout/state-mark.tsx';
import { useLanguage } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';
import { alertPlace, alertSummary } from './alert-words.ts';
import { SilenceDialog } from './silence-dialog.tsx';
import { SilenceList } from './silence-list.tsx';

export function AlertsPage() {
	const { texts } = useLanguage();
	const { maySilence } = useIdentity();
	const overview = useOverview();
	const now = useNow();
	const [tab, setTab] = useState<'open' | 'silences'>('open');
	const [silencing, setSilencing] = useState<OpenAlert | null>(null);
	const { data } = overview;
	const serverNow = data === undefined ? now : data.nowMs + Math.max(0, now - overview.dataUpdatedAt);
	return (
		<>
			<div className="page-title">
				<h1>{texts.alerts.title}</h1>
				<Segmented
					value={tab}
					onChange={setTab}
					options={[
						{ value: 'open', label: data === undefined ? texts.alerts.open : `${texts.alerts.open} ${data.alerts.length}` },
						{ value: 'silences', label: texts.alerts.silences },
					]}
				/>
			</div>
			{overview.error === null ? null : <ErrorNotice error={overview.error} onRetry={() => void overview.refetch()} />}
			{data === undefined && overview.error === null ? <PageSpin /> : null}
			{tab === 'open' && data !== undefined ? (
				<Card className="flush">
					{data.alerts.length === 0 ? (
						<p className="quiet">
							<Mark color={STATE_COLORS.up} text={texts.alerts.none} />
						</p>
					) : null}
					{data.alerts.map((alert) => (
						<AlertEntry key={alert.fingerprint} alert={alert} nowMs={serverNow} onSilence={maySilence ? () => setSilencing(alert) : null} />
					))}
				</Card>
			) : null}
			{tab === 'silences' ? <SilenceList mayEnd={maySilence} /> : null}
			{silencing === null ? null : (
				<SilenceDialog
					alert={silencing}
					onClose={(made) => {
						setSilencing(null);
						if (made) setTab('silences');
					}}
				/>
			)}
		</>
	);
}

interface AlertEntryProps {
	readonly alert: OpenAlert;
	readonly nowMs: number;
	/** `null` for those who may not. */
	readonly onSilence: (() => void) | null;
}

function AlertEntry({ alert, nowMs, onSilence }: AlertEntryProps) {
	const { texts, language } = useLanguage();
	const [open, setOpen] = useState(false);
	const { description, action, threshold, runbook_url: runbook } = alert.annotations;
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
					{runbook === undefined ? null : (
						<p>
							<a
								href={/^https?:\/\//.test(runbook) ? runbook : `/${runbook.replace(/^\/+/, '')}`}
								target="_blank"
								rel="noopener noreferrer"
							>
								{texts.alerts.runbook}
							</a>
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
