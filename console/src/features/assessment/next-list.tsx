import { Card } from 'antd';
import { Link } from 'react-router';
import type { NextDeductionAnswer } from '../../../../protocol/contract-api.ts';
import { durationText } from '../../format/duration.ts';
import { useNow } from '../../format/use-now.ts';
import { useTexts } from '../../texts/language.tsx';
import { Clause } from '../desk/clause.tsx';
import { Countdown } from '../desk/countdown.tsx';
import { useNames } from '../desk/use-names.ts';
import { pointsText, yuanText } from './points-text.ts';

const SHOWN = 12;
const NAMED = 3;

/** Services of which further downtime costs the same after the same time are one line. */
function joined(
	next: readonly NextDeductionAnswer[],
): readonly { readonly entry: NextDeductionAnswer; readonly services: readonly string[] }[] {
	const lines = Map.groupBy(next, (entry, i) =>
		entry.kind === 'clock' || entry.faultId !== null ? String(i) : `${entry.rule} ${entry.clause} ${entry.seconds} ${entry.centipoints}`,
	);
	return [...lines.values()].flatMap((list) => {
		const [entry] = list;
		return entry === undefined ? [] : [{ entry, services: list.flatMap(({ service }) => service ?? []) }];
	});
}

/** Seconds and money to the next deductions: clocks run by themselves, downtime only while a service is down. */
export function NextList({ next, asOfMs }: { readonly next: readonly NextDeductionAnswer[]; readonly asOfMs: number }) {
	const texts = useTexts();
	const words = texts.assessment;
	const now = useNow();
	const names = useNames();
	if (next.length === 0) return null;
	return (
		<Card title={words.next} className="flush">
			{joined(next)
				.slice(0, SHOWN)
				.map(({ entry, services }) => (
					<div
						key={`${entry.rule} ${entry.faultId} ${entry.problemId} ${entry.service} ${entry.clock} ${entry.seconds}`}
						className="check-row"
					>
						<span>
							{entry.kind === 'clock' ? words.clockRuns : words.furtherDowntime}{' '}
							{words.several(services.slice(0, NAMED).map(names.service).join('、'), services.length - NAMED)}{' '}
							{entry.faultId === null ? null : <Link to={`/desk/faults/${entry.faultId}`}>{words.toFault}</Link>}
							{entry.problemId === null ? null : <Link to={`/desk/problems/${entry.problemId}`}>{words.toProblem}</Link>}{' '}
							<Clause clause={entry.clause} />
						</span>
						<span className="next-cost">
							{entry.kind === 'clock' ? (
								<Countdown dueMs={asOfMs + entry.seconds * 1000} nowMs={now} />
							) : (
								<b className="num">{durationText(entry.seconds, texts.duration)}</b>
							)}
							<small className="num"> {words.costs(pointsText(entry.centipoints), yuanText(entry.fen))}</small>
						</span>
					</div>
				))}
		</Card>
	);
}
