import { Link } from 'react-router';
import type { ServiceStatus } from '../../../../protocol/api.ts';
import { durationText } from '../../format/duration.ts';
import { StateMark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { BudgetBar } from './budget-bar.tsx';
import { sliText } from './sli-text.ts';

export function ServiceRow({ service, nowMs }: { readonly service: ServiceStatus; readonly nowMs: number }) {
	const texts = useTexts();
	const { month } = service;
	return (
		<Link to={`/services/${encodeURIComponent(service.id)}`} className="service-row">
			<span className="service-name">
				<b>{service.name}</b>
				{service.core ? <span className="chip">{texts.overview.core}</span> : null}
			</span>
			<span className="service-state">
				<StateMark state={service.state} />
				{service.sinceMs === null ? null : (
					<small className="muted num">
						{texts.overview.since} {durationText((nowMs - service.sinceMs) / 1000, texts.duration)}
					</small>
				)}
			</span>
			<span className="num service-sli" data-name={texts.overview.month}>
				{sliText(month)}
				<small className="muted">{texts.overview.target(month.target)}</small>
			</span>
			<span className="num service-coverage" data-name={texts.overview.coverage} title={texts.overview.coverageHint}>
				{month.coverage === null ? '—' : `${month.coverage}%`}
			</span>
			<BudgetBar usedSeconds={month.budgetUsedSeconds} budgetSeconds={month.budgetSeconds} />
		</Link>
	);
}
