import { Card } from 'antd';
import { Link, useParams } from 'react-router';
import type { FaultDetailAnswer, FaultMoment } from '../../../../protocol/fault-api.ts';
import { DESK_KEY, useContract, useFault, useFaults } from '../../api/desk.ts';
import { dateTimeText } from '../../format/time.ts';
import { useNow } from '../../format/use-now.ts';
import { Heading } from '../../layout/heading.tsx';
import { useTexts } from '../../texts/language.tsx';
import { ActionBar } from '../desk/action-bar.tsx';
import { Attachments } from '../desk/attachments.tsx';
import { CaseHistory } from '../desk/case-history.tsx';
import { ClockRows } from '../desk/clock-rows.tsx';
import { Countdown } from '../desk/countdown.tsx';
import { Facts } from '../desk/facts.tsx';
import { Loaded } from '../desk/list-state.tsx';
import { FaultStageMark } from '../desk/stage-marks.tsx';
import { useDeskRights } from '../desk/use-desk-rights.ts';
import { useNames } from '../desk/use-names.ts';
import { faultActions, orderActions } from './fault-actions.ts';

const MOMENTS: readonly FaultMoment[] = [
	'onset',
	'detected',
	'notified',
	'declared',
	'acknowledged',
	'restored',
	'resolved',
	'reported',
	'closed',
];

export function FaultPage() {
	const { id = '' } = useParams();
	const fault = useFault(id);
	return <Loaded query={fault}>{(data) => <Shown entry={data} />}</Loaded>;
}

function Shown({ entry }: { readonly entry: FaultDetailAnswer }) {
	const texts = useTexts();
	const { fault, number, steps, clocks, events } = entry;
	const now = useNow();
	const rights = useDeskRights();
	const names = useNames();
	const contract = useContract(fault.profile);
	const words = texts.fault;
	const others = (useFaults(null).data?.faults ?? []).filter((other) => other.fault.id !== fault.id);
	const level = contract.data?.levels.find((known) => known.id === fault.level);
	return (
		<div className="stack">
			<div className="page-title">
				<Heading>
					{words.heading(number)} {fault.title}
				</Heading>
				<FaultStageMark stage={fault.stage} />
			</div>
			{contract.data === undefined ? null : (
				<ActionBar
					actions={faultActions({ entry, profile: contract.data, rights, texts, others, services: names.services })}
					refresh={DESK_KEY}
				/>
			)}
			<div className="desk-columns">
				<Card title={words.owed} className="flush">
					{steps.length === 0 ? <p className="quiet muted">{words.nothingOwed}</p> : null}
					{steps.map((step) => (
						<div key={`${step.step} ${step.dueMs}`} className="check-row">
							<span>
								{words.steps[step.step] ?? words.otherStep(step.step)} <small className="muted">{texts.desk.who(step.by)}</small>
							</span>
							{step.dueMs === null ? <span className="muted">{texts.desk.noDeadline}</span> : <Countdown dueMs={step.dueMs} nowMs={now} />}
						</div>
					))}
				</Card>
				<Card title={words.clocks} className="flush">
					{clocks.length === 0 ? <p className="quiet muted">{words.noClocks}</p> : null}
					<ClockRows clocks={clocks} nowMs={now} />
				</Card>
			</div>
			<Card title={words.facts}>
				<Facts
					facts={[
						[words.service, names.service(fault.service)],
						[words.level, `${level?.name ?? fault.level}（${words.levelStates[fault.levelState]}）`],
						[words.accident, fault.accident === null ? '' : words.accidentText(fault.accident.grade)],
						[words.owner, fault.owner],
						[words.point, fault.point],
						[words.cause, fault.causeText === '' ? '' : `${words.causes[fault.cause]}：${fault.causeText}`],
						[words.countersigned, fault.countersigned.map((party) => texts.desk.parties[party]).join('、')],
						[words.contract, contract.data?.name ?? fault.profile],
						[words.dismissedReason, fault.dismissedReason],
						[words.linked, fault.links.length === 0 ? '' : links(fault.links, words.links)],
						[words.repeatOf, fault.repeatOf === null ? '' : earlierLink(fault.repeatOf, words.showEarlier)],
					]}
				/>
				{fault.affected.length === 0 ? null : (
					<p>
						<span className="muted">{words.affected(fault.affected.length)}</span> {fault.affected.map(names.service).join('、')}
					</p>
				)}
				<Facts facts={MOMENTS.map((name) => [words.moments[name], timeText(fault.moments[name])] as const)} />
			</Card>
			{fault.orders.length === 0 ? null : (
				<Card title={words.orders} className="flush">
					{fault.orders.map((order) => (
						<div key={order.number} className="order-row">
							<div>
								<b>
									{words.order(order.number)} {order.text}
								</b>{' '}
								<small className="muted">
									{texts.desk.who(order.assignee)} {order.finishedMs === null ? '' : words.finishedAt(dateTimeText(order.finishedMs))}
								</small>
								<ol>
									{order.steps.map((step) => (
										<li key={step.text} className={step.doneMs === null ? '' : 'muted'}>
											{step.text} {step.doneMs === null ? '' : `✓ ${step.doneBy}`}
										</li>
									))}
								</ol>
							</div>
							{rights.isStaff ? <ActionBar small actions={orderActions(fault, order, texts)} refresh={DESK_KEY} /> : null}
						</div>
					))}
				</Card>
			)}
			<Attachments
				path={`/faults/${fault.id}`}
				files={fault.attachments}
				mayAttach={rights.isStaff && ['candidate', 'declared', 'restored', 'resolved'].includes(fault.stage)}
			/>
			<CaseHistory events={events} />
		</div>
	);
}

function timeText(ms: number | null): string {
	return ms === null ? '' : dateTimeText(ms);
}

function earlierLink(id: string, text: string) {
	return <Link to={`/desk/faults/${id}`}>{text}</Link>;
}

function links(list: FaultDetailAnswer['fault']['links'], names: Readonly<Record<string, string>>) {
	return list.map(({ fault, relation }, i) => (
		<Link key={`${fault} ${relation}`} to={`/desk/faults/${fault}`}>
			{i === 0 ? '' : ' '}
			{names[relation] ?? relation}
		</Link>
	));
}
