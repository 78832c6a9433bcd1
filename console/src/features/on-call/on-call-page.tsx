import { Alert, Button, Card } from 'antd';
import { useState } from 'react';
import type { OnCallAnswer, RosterAnswer } from '../../../../protocol/on-call-api.ts';
import { ON_CALL_KEY, sendOnCall, useOnCall } from '../../api/on-call.ts';
import { shortTimeText } from '../../format/time.ts';
import { Heading } from '../../layout/heading.tsx';
import { useIdentity } from '../../layout/session-context.ts';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';
import { ActionBar } from '../desk/action-bar.tsx';
import { EmptyCard, Loaded } from '../desk/list-state.tsx';
import { changeAction, swapAction } from './change-actions.ts';
import { DutyChangeList } from './duty-change-list.tsx';
import { HandoverList } from './handover-list.tsx';
import { ShiftCalendar } from './shift-calendar.tsx';

export function OnCallPage() {
	const texts = useTexts();
	const words = texts.onCall;
	const { mayOnCall } = useIdentity();
	const answer = useOnCall();
	const next = answer.data?.nextDrillMs ?? null;
	return (
		<>
			<div className="page-title">
				<Heading>{words.title}</Heading>
				{next === null ? null : <span className="muted num">{words.nextDrill(shortTimeText(next))}</span>}
				<div className="end">
					{mayOnCall && (answer.data?.rosters.length ?? 0) > 0 ? (
						<ActionBar
							refresh={ON_CALL_KEY}
							actions={[
								{
									key: 'drill',
									label: words.drill,
									intro: words.drillSure,
									fields: [{ name: 'sure', label: texts.desk.yes, kind: 'switch', initial: true }],
									run: () => sendOnCall('/oncall/drills', {}),
								},
							]}
						/>
					) : null}
				</div>
			</div>
			<Loaded query={answer}>
				{(data) =>
					data.rosters.length === 0 ? (
						<EmptyCard text={words.noRosters} />
					) : (
						<>
							<Outlook outlook={data.outlook} />
							{data.rosters.map((roster) => (
								<RosterCard key={roster.id} roster={roster} people={data.people} mayChange={mayOnCall} />
							))}
							<HandoverList rosters={data.rosters} maySign={mayOnCall} />
						</>
					)
				}
			</Loaded>
		</>
	);
}

const DAY_MS = 86_400_000;
const GAPS_SHOWN = 6;

function Outlook({ outlook }: { readonly outlook: OnCallAnswer['outlook'] }) {
	const texts = useTexts();
	const words = texts.onCall;
	const [all, setAll] = useState(false);
	const { gaps, overloads, unknownYears, fromMs, toMs } = outlook;
	const from = (ms: number, until: number) => `${shortTimeText(ms)} – ${shortTimeText(until)}`;
	if (gaps.length + overloads.length + unknownYears.length === 0)
		return (
			<Card className="oncall-outlook">
				<Mark color={STATE_COLORS.up} text={words.noGaps(Math.round((toMs - fromMs) / DAY_MS))} />
			</Card>
		);
	return (
		<Alert
			className="oncall-outlook"
			type="warning"
			showIcon
			title={words.gaps(gaps.length)}
			description={
				<>
					<ul className="oncall-plain">
						{gaps.slice(0, all ? gaps.length : GAPS_SHOWN).map((gap) => (
							<li key={`${gap.rule}-${gap.fromMs}`}>
								<span className="num">{from(gap.fromMs, gap.toMs)}</span> {words.gap(gap.rule, gap.wanted, gap.people.join('、'))}
							</li>
						))}
						{overloads.map(({ person, fromMs: begin, toMs: end, hours, limitHours }) => (
							<li key={`${person}-${begin}-${end}`}>
								<span className="num">{from(begin, end)}</span> {words.overload(person, Math.round(hours), limitHours)}
							</li>
						))}
						{unknownYears.length === 0 ? null : <li>{words.unknownYear(unknownYears.join('、'))}</li>}
					</ul>
					{gaps.length > GAPS_SHOWN && !all ? (
						<Button size="small" onClick={() => setAll(true)}>
							{words.gaps(gaps.length)}
						</Button>
					) : null}
				</>
			}
		/>
	);
}

function RosterCard({
	roster,
	people,
	mayChange,
}: {
	readonly roster: RosterAnswer;
	readonly people: OnCallAnswer['people'];
	readonly mayChange: boolean;
}) {
	const texts = useTexts();
	const words = texts.onCall;
	const { id, name, now, next } = roster;
	return (
		<Card
			className="oncall-roster"
			title={name}
			extra={
				<a href={`/api/fournines/v1/oncall/calendar.ics?roster=${encodeURIComponent(id)}`} download={`${id}.ics`}>
					{words.feed}
				</a>
			}
		>
			<div className="oncall-now">
				<div>
					<small className="muted">{words.now}</small>
					<p className="oncall-people">{now.length === 0 ? <Mark color={STATE_COLORS.unknown} text={words.nobody} /> : now.join('、')}</p>
					{next === null ? null : <small className="muted num">{words.next(next.people.join('、'), shortTimeText(next.atMs))}</small>}
				</div>
				{mayChange ? (
					<ActionBar small refresh={ON_CALL_KEY} actions={[changeAction(id, people, texts), swapAction(id, people, texts)]} />
				) : null}
			</div>
			<ShiftCalendar roster={id} />
			<DutyChangeList roster={id} mayCancel={mayChange} />
		</Card>
	);
}
