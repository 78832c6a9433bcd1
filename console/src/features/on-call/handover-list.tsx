import { Card, Collapse } from 'antd';
import type { HandoverAnswer, RosterAnswer } from '../../../../protocol/on-call-api.ts';
import { ON_CALL_KEY, sendOnCall, useHandovers } from '../../api/on-call.ts';
import { shortTimeText } from '../../format/time.ts';
import { useTexts } from '../../texts/language.tsx';
import type { Texts } from '../../texts/zh.ts';
import { ActionBar } from '../desk/action-bar.tsx';
import { Facts } from '../desk/facts.tsx';

const SHOWN = 12;

/** 交接班: what was handed over, and who signed. */
export function HandoverList({ rosters, maySign }: { readonly rosters: readonly RosterAnswer[]; readonly maySign: boolean }) {
	const texts = useTexts();
	const words = texts.onCall;
	const list = useHandovers().data?.handovers ?? [];
	const names = new Map(rosters.map(({ id, name }) => [id, name]));
	return (
		<Card className="flush" title={words.handovers}>
			{list.length === 0 ? <p className="quiet muted">{words.noHandovers}</p> : null}
			<Collapse
				ghost
				items={list.slice(0, SHOWN).map((handover) => ({
					key: handover.id,
					label: (
						<span className="oncall-handover">
							<span className="num muted">{shortTimeText(handover.atMs)}</span>
							<b>{names.get(handover.roster) ?? handover.roster}</b>
							<span>{words.handover(handover.outgoing.join('、'), handover.incoming.join('、'))}</span>
							<small className="muted">
								{handover.missing.map((side) => words.waiting[side]).join('，')}
								{handover.toldLead ? ` · ${words.toldLead}` : ''}
							</small>
						</span>
					),
					children: <Record handover={handover} maySign={maySign} />,
				}))}
			/>
		</Card>
	);
}

function Record({ handover, maySign }: { readonly handover: HandoverAnswer; readonly maySign: boolean }) {
	const texts = useTexts();
	const words = texts.onCall;
	const sign = (side: HandoverAnswer['missing'][number]) => ({
		key: side,
		label: side === 'outgoing' ? words.signOutgoing : words.signIncoming,
		primary: true,
		fields: [{ name: 'note', label: words.signNote, kind: 'area', optional: true } as const],
		run: (values: object) => sendOnCall(`/oncall/handovers/${handover.id}/sign`, { note: '', ...values, side }),
	});
	return (
		<>
			<Facts facts={factsOf(handover, words)} />
			<ul className="oncall-plain">
				{handover.signatures.map(({ side, person, atMs, note }) => (
					<li key={side}>
						{words.signed(person, shortTimeText(atMs))} {note}
					</li>
				))}
			</ul>
			{maySign ? <ActionBar small refresh={ON_CALL_KEY} actions={handover.missing.map(sign)} /> : null}
		</>
	);
}

function factsOf({ facts }: HandoverAnswer, words: Texts['onCall']): readonly (readonly [string, string])[] {
	const parts = words.handoverParts;
	const listed = (texts: readonly string[]) => texts.join('；');
	return [
		[parts.incidents, listed(facts.incidents.map(({ number, title, owner }) => `#${number} ${title}${owner === '' ? '' : ` (${owner})`}`))],
		[parts.alerts, listed(facts.alerts.map(({ title }) => title))],
		[parts.silences, listed(facts.silences.map(({ comment, by, endsAtMs }) => `${comment} (${by}) ${shortTimeText(endsAtMs)}`))],
		[
			parts.maintenance,
			listed(facts.maintenance.map(({ title, fromMs, toMs }) => `${title} ${shortTimeText(fromMs)} – ${shortTimeText(toMs)}`)),
		],
		[
			parts.budgets,
			listed(
				facts.budgets.map(
					({ service, remainingSeconds, totalSeconds }) =>
						`${service} ${words.seconds(Math.floor(remainingSeconds), Math.floor(totalSeconds))}`,
				),
			),
		],
	];
}
