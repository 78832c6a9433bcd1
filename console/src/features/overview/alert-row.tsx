import type { OpenAlert } from '../../../../protocol/api.ts';
import { durationText } from '../../format/duration.ts';
import { shortTimeText } from '../../format/time.ts';
import { SeverityMark } from '../../layout/state-mark.tsx';
import { useLanguage } from '../../texts/language.tsx';
import { alertPlace, alertSummary } from '../open-alerts/alert-words.ts';

export function AlertRow({ alert, nowMs }: { readonly alert: OpenAlert; readonly nowMs: number }) {
	const { texts, language } = useLanguage();
	return (
		<div className="alert-row">
			<SeverityMark severity={alert.labels['severity']} />
			<span className="alert-text">
				<b>{alertSummary(alert, language)}</b>
				<small className="muted">{alertPlace(alert)}</small>
			</span>
			<span className="num alert-since" title={shortTimeText(alert.startsAtMs)}>
				{durationText((nowMs - alert.startsAtMs) / 1000, texts.duration)}
				<small className="muted">{shortTimeText(alert.startsAtMs)}</small>
			</span>
		</div>
	);
}
