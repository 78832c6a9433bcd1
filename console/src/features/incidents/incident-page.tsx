import { Card } from 'antd';
import { Link, useParams } from 'react-router';
import type { IncidentAlert, IncidentAnswer, IncidentDetailAnswer } from '../../../../protocol/incident-api.ts';
import { ON_CALL_KEY, sendOnCall, useIncident, useOnCall } from '../../api/on-call.ts';
import { dateTimeText, shortTimeText } from '../../format/time.ts';
import { Heading } from '../../layout/heading.tsx';
import { useIdentity } from '../../layout/session-context.ts';
import { SeverityMark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import type { Texts } from '../../texts/zh.ts';
import { ActionBar } from '../desk/action-bar.tsx';
import type { Action } from '../desk/action-dialog.tsx';
import { Facts } from '../desk/facts.tsx';
import { Loaded } from '../desk/list-state.tsx';
import { IncidentStateMark } from './incident-marks.tsx';
import { IncidentTimeline } from './incident-timeline.tsx';
import { NoticeCard } from './notice-card.tsx';

export function IncidentPage() {
	const { id = '' } = useParams();
	return <Loaded query={useIncident(id)}>{(detail) => <Detail detail={detail} />}</Loaded>;
}

function Detail({ detail }: { readonly detail: IncidentDetailAnswer }) {
	const texts = useTexts();
	const words = texts.incident;
	const { incident, clock, notices, timeline, alerts } = detail;
	const { mayOnCall } = useIdentity();
	const people = useOnCall().data?.people ?? [];
	const fault = incident.fault === null ? '' : <Link to={`/desk/faults/${incident.fault}`}>{words.facts.fault}</Link>;
	const time = (ms: number | null) => (ms === null ? '' : dateTimeText(ms));
	return (
		<>
			<div className="page-title">
				<Heading>
					<span className="num muted">#{incident.number}</span> {incident.title}
				</Heading>
				<div className="end">
					{mayOnCall ? (
						<ActionBar
							actions={incidentActions(
								incident,
								texts,
								people.map((person) => ({ value: person.id, label: person.name })),
							)}
							refresh={ON_CALL_KEY}
						/>
					) : null}
				</div>
			</div>
			<div className="oncall-columns">
				<div className="oncall-side">
					<Card>
						<p className="oncall-marks">
							{incident.source === 'drill' ? <span className="chip">{words.drill}</span> : <SeverityMark severity={incident.severity} />}
							<IncidentStateMark state={incident.state} severity={incident.severity} />
							{incident.exhausted ? <span className="chip">{words.exhausted}</span> : null}
							{incident.held === '' ? null : <span className="chip">{words.held}</span>}
						</p>
						{clock === '' ? null : <p className="oncall-clock num">{clock}</p>}
						<Facts
							facts={[
								[words.facts.owner, incident.owner],
								[words.facts.started, time(incident.startsAtMs)],
								[words.facts.opened, time(incident.openedAtMs)],
								[words.facts.acknowledged, time(incident.acknowledgedAtMs)],
								[words.facts.resolved, time(incident.resolvedAtMs)],
								[words.facts.nextCall, time(incident.nextCallAtMs)],
								[words.facts.release, time(incident.releaseAtMs)],
								[words.facts.policy, incident.policy],
								[words.facts.fault, fault],
								[words.facts.called, incident.called.map(({ name, atMs }) => `${name} ${shortTimeText(atMs)}`).join('、')],
							]}
						/>
					</Card>
					{notices.length === 0 ? null : <NoticeCard incident={incident.id} notices={notices} mayTick={mayOnCall} />}
					{alerts.length === 0 ? null : (
						<Card className="flush" title={words.alertList}>
							{alerts.map((alert) => (
								<AlertFacts key={JSON.stringify(alert.labels)} alert={alert} />
							))}
						</Card>
					)}
				</div>
				<IncidentTimeline lines={timeline} />
			</div>
		</>
	);
}

function AlertFacts({ alert }: { readonly alert: IncidentAlert }) {
	const texts = useTexts();
	const words = texts.incident;
	const { summary, severity, labels, startsAtMs, endsAtMs, action, runbookUrl } = alert;
	return (
		<article className="oncall-alert">
			<SeverityMark severity={severity} />
			<div>
				<b>{summary}</b>
				<small className="muted num">
					{shortTimeText(startsAtMs)}
					{endsAtMs === null ? '' : ` – ${shortTimeText(endsAtMs)}`}
				</small>
				{action === '' ? null : (
					<p>
						<b>{words.action}</b> {action}
					</p>
				)}
				{runbookUrl === '' ? null : (
					<p>
						<a
							href={/^https?:\/\//.test(runbookUrl) ? runbookUrl : `/${runbookUrl.replace(/^\/+/, '')}`}
							target="_blank"
							rel="noopener noreferrer"
						>
							{words.runbook}
						</a>
					</p>
				)}
				<div className="label-list">
					{Object.entries(labels).map(([name, value]) => (
						<code key={name}>
							{name}={value}
						</code>
					))}
				</div>
			</div>
		</article>
	);
}

function incidentActions(
	{ id, state }: IncidentAnswer,
	texts: Texts,
	people: readonly { readonly value: string; readonly label: string }[],
): readonly Action[] {
	const words = texts.incident.actions;
	const person = (name: string) => ({ name, label: words.person, kind: 'select', options: people }) as const;
	const post = (path: string) => (values: object) => sendOnCall(`/incidents/${id}/${path}`, values);
	const text = { name: 'text', label: words.text, kind: 'area' } as const;
	const note: Action = { key: 'note', label: words.note, fields: [text], run: post('notes') };
	if (state === 'resolved') return [note];
	const actions: Action[] = [];
	if (state === 'open') actions.push({ key: 'take', label: words.acknowledge, primary: true, fields: [], run: post('acknowledge') });
	if (state === 'open' && people.length > 0)
		actions.push({ key: 'behalf', label: words.behalf, intro: words.behalfIntro, fields: [person('person')], run: post('acknowledge') });
	if (people.length > 0)
		actions.push({
			key: 'hand-over',
			label: words.handOver,
			fields: [person('to'), { name: 'note', label: words.text, kind: 'area', optional: true }],
			run: post('hand-over'),
		});
	if (state === 'acknowledged')
		actions.push({ key: 'release', label: words.release, fields: [], run: () => sendOnCall(`/incidents/${id}/release`, {}) });
	actions.push(note, {
		key: 'resolve',
		label: words.resolve,
		intro: words.resolveIntro,
		danger: true,
		fields: [{ name: 'reason', label: words.reason, kind: 'area' }],
		run: post('resolve'),
	});
	return actions;
}
