import { Card } from 'antd';
import { Link } from 'react-router';
import type { AssessedPeriodAnswer, AssessmentItemAnswer } from '../../../../protocol/contract-api.ts';
import { DESK_KEY, send } from '../../api/desk.ts';
import { shortTimeText } from '../../format/time.ts';
import { useLanguage, useTexts } from '../../texts/language.tsx';
import { ActionBar } from '../desk/action-bar.tsx';
import type { Action } from '../desk/action-dialog.tsx';
import { Clause } from '../desk/clause.tsx';
import type { DeskRights } from '../desk/use-desk-rights.ts';
import { pointsText, yuanText } from './points-text.ts';

interface ItemTableProps {
	readonly data: AssessedPeriodAnswer;
	readonly contract: string;
	readonly rights: DeskRights;
}

/** Every deduction and bonus with the fault, clock and clause that it comes from, and what the parties say about it. */
export function ItemTable({ data, contract, rights }: ItemTableProps) {
	const { texts, language } = useLanguage();
	const words = texts.assessment;
	const { items } = data.assessment;
	const scored = new Map(data.scores.items.map((item) => [item.key, item]));
	const added = data.adjustments.filter(({ key }) => !items.some((item) => item.key === key));
	const at = `/contracts/${contract}/periods/${data.assessment.period.id}`;
	const actionsOf = (key: string): readonly Action[] => itemActions(key, { data, at, rights, texts });
	return (
		<Card
			title={words.items}
			className="flush"
			extra={
				<small className="muted">
					{words.scores.self} / {words.scores.client} / {words.scores.final}
				</small>
			}
		>
			{items.length + added.length === 0 ? <p className="quiet muted">{words.noItems}</p> : null}
			{items.map((item) => {
				const score = scored.get(item.key);
				return (
					<article key={item.key} className="item-row">
						<div className="item-text">
							<b>{item.name}</b> {score?.disputed === 'open' ? <span className="chip">{words.disputed}</span> : null}
							{score?.disputed === 'decided' ? <span className="chip">{words.decided}</span> : null}
							<small className="muted cell-block">
								<span className="num">{shortTimeText(item.atMs)}</span> {item.reason[language]}
							</small>
							<small className="muted cell-block">
								<Clause clause={item.clause} /> <Source item={item} />
							</small>
							<Disputes data={data} itemKey={item.key} />
						</div>
						<div className="item-points num">
							<span title={words.scores.self}>{pointsText(item.counted)}</span>
							<span title={words.scores.client}>{pointsText(score?.client ?? item.counted)}</span>
							<b title={words.scores.final}>{pointsText(score?.final ?? item.counted)}</b>
							{item.fen === 0 ? null : <small>{words.yuan(yuanText(item.fen))}</small>}
						</div>
						<ActionBar small actions={actionsOf(item.key)} refresh={DESK_KEY} />
					</article>
				);
			})}
			{added.map((item) => (
				<article key={item.key} className="item-row">
					<div className="item-text">
						<b>{words.clientItem}</b>
						<small className="muted cell-block">
							{item.note} {item.clause} {texts.desk.who(item.by)}
						</small>
						<Disputes data={data} itemKey={item.key} />
					</div>
					<div className="item-points num">
						<span>0</span>
						<span>{pointsText(item.centipoints)}</span>
						<b>{pointsText(scored.get(item.key)?.final ?? item.centipoints)}</b>
					</div>
					<ActionBar small actions={actionsOf(item.key)} refresh={DESK_KEY} />
				</article>
			))}
		</Card>
	);
}

function Source({ item }: { readonly item: AssessmentItemAnswer }) {
	const { assessment: words } = useTexts();
	if (item.faultId !== null) return <Link to={`/desk/faults/${item.faultId}`}>{words.toFault}</Link>;
	if (item.problemId !== null) return <Link to={`/desk/problems/${item.problemId}`}>{words.toProblem}</Link>;
	if (item.service !== null) return <Link to={`/services/${item.service}`}>{words.toService}</Link>;
	return null;
}

function Disputes({ data, itemKey }: { readonly data: AssessedPeriodAnswer; readonly itemKey: string }) {
	const texts = useTexts();
	return (
		<>
			{data.disputes
				.filter(({ key }) => key === itemKey)
				.map((dispute) => (
					<small key={dispute.id} className="cell-block">
						{texts.assessment.disputeBy(dispute.openedBy)}：{dispute.evidence}
						{dispute.decision === null
							? ''
							: ` → ${texts.assessment.decisionBy(dispute.decision.by)}：${pointsText(dispute.decision.centipoints)}，${dispute.decision.reason}`}
					</small>
				))}
		</>
	);
}

function itemActions(
	key: string,
	{
		data,
		at,
		rights,
		texts,
	}: { readonly data: AssessedPeriodAnswer; readonly at: string; readonly rights: DeskRights; readonly texts: ReturnType<typeof useTexts> },
): readonly Action[] {
	const words = texts.assessment;
	const actions: Action[] = [];
	const item = data.assessment.items.find((known) => known.key === key);
	const openDispute = data.disputes.find((dispute) => dispute.key === key && dispute.decision === null);
	const points = {
		name: 'points',
		label: words.points,
		kind: 'number',
		initial: (item?.counted ?? 0) / 100,
		hint: words.pointsHint,
	} as const;
	const centipoints = (value: unknown): number => Math.round(Number(value) * 100);
	if (rights.speaksFor('client'))
		actions.push({
			key: 'adjust',
			label: words.adjust,
			fields: [points, { name: 'note', label: texts.desk.reason, kind: 'area' }],
			run: ({ points: given, note }) =>
				send('POST', `${at}/adjustments`, { key, centipoints: centipoints(given), clause: item?.clause ?? words.clientItem, note }),
		});
	if (rights.takesPart && openDispute === undefined)
		actions.push({
			key: 'dispute',
			label: words.contest,
			fields: [{ name: 'evidence', label: texts.fault.evidence, kind: 'area' }],
			run: (values) => send('POST', `${at}/disputes`, { key, ...values }),
		});
	if (openDispute !== undefined && openDispute.openedBy !== rights.account && rights.speaksFor(rights.disputesDecidedBy))
		actions.push({
			key: 'decide',
			label: words.decide,
			primary: true,
			fields: [points, { name: 'reason', label: texts.desk.reason, kind: 'area' }],
			run: ({ points: given, reason }) =>
				send('POST', `${at}/disputes/${openDispute.id}/decision`, { centipoints: centipoints(given), reason }),
		});
	return actions;
}
