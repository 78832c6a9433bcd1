import { Card } from 'antd';
import { Link } from 'react-router';
import type { FaultAnswer } from '../../../../protocol/fault-api.ts';
import { DESK_KEY, send, useContracts, useFaults } from '../../api/desk.ts';
import { shortTimeText } from '../../format/time.ts';
import { useNow } from '../../format/use-now.ts';
import { Limited } from '../../layout/limited.tsx';
import { useTexts } from '../../texts/language.tsx';
import { ActionBar } from '../desk/action-bar.tsx';
import type { Action } from '../desk/action-dialog.tsx';
import { Countdown } from '../desk/countdown.tsx';
import { DeskTitle } from '../desk/desk-title.tsx';
import { useListSpan } from '../desk/list-span.ts';
import { EmptyCard, Loaded } from '../desk/list-state.tsx';
import { FaultStageMark } from '../desk/stage-marks.tsx';
import { useDeskRights } from '../desk/use-desk-rights.ts';
import { useNames } from '../desk/use-names.ts';

export function FaultListPage() {
	const texts = useTexts();
	const { isStaff } = useDeskRights();
	const { which, span, choose } = useListSpan();
	const faults = useFaults(span);
	const names = useNames();
	const report: Action = {
		key: 'report',
		label: texts.fault.report,
		intro: texts.fault.reportIntro,
		primary: true,
		fields: [
			{ name: 'title', label: texts.fault.title, kind: 'text' },
			{ name: 'service', label: texts.fault.service, kind: 'select', options: names.services, optional: true },
			{ name: 'point', label: texts.fault.point, kind: 'text', optional: true, hint: texts.fault.pointHint },
			{ name: 'onsetMs', label: texts.fault.onset, kind: 'time', initial: Date.now() },
			{ name: 'channel', label: texts.desk.channel, kind: 'text', initial: texts.desk.channels['phone'] ?? '' },
		],
		run: (values) => send('POST', '/faults', { service: null, point: '', ...values }),
	};
	return (
		<>
			<DeskTitle title={texts.desk.pages.faults} which={which} onWhich={choose}>
				{isStaff ? <ActionBar actions={[report]} refresh={DESK_KEY} /> : null}
			</DeskTitle>
			<Loaded query={faults}>
				{(data) =>
					data.faults.length === 0 ? (
						<EmptyCard text={which === 'open' ? texts.fault.noneOpen : texts.fault.none} />
					) : (
						<Card className="flush">
							<Limited items={bySoonest(data.faults)}>
								{(entry) => <FaultRow key={entry.fault.id} entry={entry} service={names.service(entry.fault.service)} />}
							</Limited>
						</Card>
					)
				}
			</Loaded>
		</>
	);
}

/** What is due first stands first; what owes nothing comes last, newest first. */
function bySoonest(faults: readonly FaultAnswer[]): readonly FaultAnswer[] {
	const due = (entry: FaultAnswer): number => entry.steps.find(({ dueMs }) => dueMs !== null)?.dueMs ?? Number.POSITIVE_INFINITY;
	return [...faults].sort((a, b) => (due(a) === due(b) ? b.number - a.number : due(a) - due(b)));
}

function FaultRow({ entry: { number, fault, steps }, service }: { readonly entry: FaultAnswer; readonly service: string }) {
	const texts = useTexts();
	const now = useNow();
	const contracts = useContracts();
	const [next] = steps;
	const contract = contracts.data?.contracts.find(({ id }) => id === fault.profile)?.name ?? fault.profile;
	return (
		<Link className="case-row" to={`/desk/faults/${fault.id}`}>
			<span className="num muted">#{number}</span>
			<FaultStageMark stage={fault.stage} />
			<span className="case-title">
				<b>{fault.title}</b>
				<small className="muted">
					{service}
					{fault.affected.length === 0 ? '' : `（${texts.fault.affects(fault.affected.length)}）`} · {texts.fault.level} {fault.level}（
					{texts.fault.levelStates[fault.levelState]}）· {contract}
				</small>
			</span>
			<span className="case-next">
				{next === undefined ? null : (
					<>
						<span>
							{texts.fault.steps[next.step] ?? texts.fault.otherStep(next.step)}
							<small className="muted"> {texts.desk.who(next.by)}</small>
						</span>
						{next.dueMs === null ? null : <Countdown dueMs={next.dueMs} nowMs={now} />}
					</>
				)}
			</span>
			<span className="num muted case-time">{fault.moments.onset === null ? '' : shortTimeText(fault.moments.onset)}</span>
		</Link>
	);
}
