import { Card } from 'antd';
import { useState } from 'react';
import type { LedgerIntervalAnswer } from '../../../../protocol/api.ts';
import { durationText } from '../../format/duration.ts';
import { dateTimeText } from '../../format/time.ts';
import { Mark, StateMark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';
import { causeText } from './cause-text.ts';

const SHOWN = 200;

/** Outages first, newest on top; what else was not as it should be below, when asked for. */
export function IntervalTable({
	intervals,
	toSeconds,
}: {
	readonly intervals: readonly LedgerIntervalAnswer[];
	readonly toSeconds: number;
}) {
	const texts = useTexts();
	const [withOthers, setWithOthers] = useState(false);
	const outages = intervals.filter((interval) => interval.state === 'down').reverse();
	const others = intervals.filter((interval) => interval.state !== 'down' && interval.state !== 'up').reverse();
	return (
		<>
			<Card title={`${texts.service.outages} (${outages.length})`} className="flush">
				{outages.length === 0 ? (
					<p className="quiet">
						<Mark color={STATE_COLORS.up} text={texts.service.noOutages} />
					</p>
				) : (
					<Intervals list={outages} toSeconds={toSeconds} />
				)}
			</Card>
			{others.length === 0 ? null : (
				<Card
					title={`${texts.service.otherIntervals} (${others.length})`}
					className="flush"
					extra={
						<button type="button" className="link-button" aria-expanded={withOthers} onClick={() => setWithOthers(!withOthers)}>
							{withOthers ? texts.boards.collapse : texts.boards.expand}
						</button>
					}
				>
					{withOthers ? <Intervals list={others} toSeconds={toSeconds} /> : null}
				</Card>
			)}
		</>
	);
}

function Intervals({ list, toSeconds }: { readonly list: readonly LedgerIntervalAnswer[]; readonly toSeconds: number }) {
	const texts = useTexts();
	return (
		<div className="plain-table interval-table">
			<table>
				<thead>
					<tr>
						<th>{texts.service.state}</th>
						<th>{texts.service.from}</th>
						<th>{texts.service.to}</th>
						<th className="cell-number">{texts.service.length}</th>
						<th>{texts.service.causeName}</th>
					</tr>
				</thead>
				<tbody>
					{list.slice(0, SHOWN).map((interval) => {
						const seconds = interval.toSeconds - interval.fromSeconds;
						return (
							<tr key={interval.fromSeconds}>
								<td>
									<StateMark state={interval.state} />
								</td>
								<td>{dateTimeText(interval.fromSeconds * 1000)}</td>
								<td>{interval.toSeconds >= toSeconds ? texts.service.ongoing : dateTimeText(interval.toSeconds * 1000)}</td>
								<td className="cell-number">
									{durationText(seconds, texts.duration)}
									{seconds >= 60 ? <small className="muted"> {texts.common.seconds(seconds)}</small> : null}
								</td>
								<td className="cell-wrap">{causeText(interval.reason, texts)}</td>
							</tr>
						);
					})}
				</tbody>
			</table>
			{list.length > SHOWN ? <p className="quiet muted">{texts.service.showing(SHOWN, list.length)}</p> : null}
		</div>
	);
}
