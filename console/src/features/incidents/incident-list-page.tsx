import { Card, Segmented } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';
import type { IncidentAnswer } from '../../../../protocol/incident-api.ts';
import { useIncidentStatistics, useIncidents } from '../../api/on-call.ts';
import { durationText } from '../../format/duration.ts';
import { dateTimeText, shortTimeText } from '../../format/time.ts';
import { useNow } from '../../format/use-now.ts';
import { Heading } from '../../layout/heading.tsx';
import { Limited } from '../../layout/limited.tsx';
import { SeverityMark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { EmptyCard, Loaded } from '../desk/list-state.tsx';
import { IncidentStateMark } from './incident-marks.tsx';

const MONTH_MS = 30 * 86_400_000;

export function IncidentListPage() {
	const texts = useTexts();
	const words = texts.incident;
	const [which, setWhich] = useState<'open' | 'all'>('open');
	const [fromMs] = useState(() => Date.now() - MONTH_MS);
	const list = useIncidents(which, fromMs);
	return (
		<>
			<div className="page-title">
				<Heading>{words.title}</Heading>
				<Segmented
					value={which}
					onChange={setWhich}
					options={[
						{ value: 'open', label: words.open },
						{ value: 'all', label: words.all },
					]}
				/>
			</div>
			<Statistics fromMs={fromMs} />
			<Loaded query={list}>
				{({ incidents }) =>
					incidents.length === 0 ? (
						<EmptyCard text={which === 'open' ? words.none : words.noneAtAll} />
					) : (
						<Card className="flush">
							<Limited items={incidents}>{(incident) => <IncidentRow key={incident.id} incident={incident} />}</Limited>
						</Card>
					)
				}
			</Loaded>
		</>
	);
}

function Statistics({ fromMs }: { readonly fromMs: number }) {
	const texts = useTexts();
	const words = texts.incident.statistics;
	const [toMs] = useState(() => fromMs + MONTH_MS + 3_600_000);
	const { data } = useIncidentStatistics(fromMs, toMs);
	if (data === undefined || data.count === 0) return null;
	const lasting = (ms: number | null) => (ms === null ? texts.common.none : durationText(ms / 1000, texts.duration));
	return (
		<Card className="oncall-figures">
			<dl>
				<div>
					<dt>{words.count}</dt>
					<dd className="num">{data.count}</dd>
				</div>
				<div>
					<dt>{words.never}</dt>
					<dd className="num">{data.neverTaken}</dd>
				</div>
				<div>
					<dt title={words.note}>{words.mtta}</dt>
					<dd className="num">{lasting(data.mttaMs)}</dd>
				</div>
				<div>
					<dt>{words.mttr}</dt>
					<dd className="num">{lasting(data.mttrMs)}</dd>
				</div>
			</dl>
		</Card>
	);
}

function IncidentRow({ incident }: { readonly incident: IncidentAnswer }) {
	const texts = useTexts();
	const words = texts.incident;
	const now = useNow(5000);
	const { owner, nextCallAtMs, exhausted, held, firingCount, alertCount, openedAtMs, resolvedAtMs } = incident;
	return (
		<Link to={`/incidents/${incident.number}`} className="oncall-row">
			{incident.source === 'drill' ? <span className="chip">{words.drill}</span> : <SeverityMark severity={incident.severity} />}
			<span className="alert-text">
				<b>
					<span className="num muted">#{incident.number}</span> {incident.title}
				</b>
				<small className="muted">
					{[
						owner === '' ? '' : words.owner(owner),
						nextCallAtMs === null ? '' : words.nextCall(shortTimeText(nextCallAtMs)),
						exhausted ? words.exhausted : '',
						held === '' ? '' : words.held,
						alertCount === 0 ? '' : words.alerts(firingCount, alertCount),
					]
						.filter((part) => part !== '')
						.join(' · ')}
				</small>
			</span>
			<IncidentStateMark state={incident.state} severity={incident.severity} />
			<span className="num alert-since" title={dateTimeText(openedAtMs)}>
				{durationText(((resolvedAtMs ?? Math.max(now, openedAtMs)) - openedAtMs) / 1000, texts.duration)}
				<small className="muted">{shortTimeText(openedAtMs)}</small>
			</span>
		</Link>
	);
}
