import { Card } from 'antd';
import { Link } from 'react-router';
import { DESK_KEY, send, useChanges } from '../../api/desk.ts';
import { shortTimeText } from '../../format/time.ts';
import { useTexts } from '../../texts/language.tsx';
import { ActionBar } from '../desk/action-bar.tsx';
import type { Action } from '../desk/action-dialog.tsx';
import { DeskTitle } from '../desk/desk-title.tsx';
import { useListSpan } from '../desk/list-span.ts';
import { EmptyCard, Loaded } from '../desk/list-state.tsx';
import { ChangeStageMark } from '../desk/stage-marks.tsx';
import { useDeskRights } from '../desk/use-desk-rights.ts';
import { useNames } from '../desk/use-names.ts';

const HOUR_MS = 3_600_000;

export function ChangeListPage() {
	const texts = useTexts();
	const words = texts.change;
	const { isStaff } = useDeskRights();
	const { which, span, choose } = useListSpan();
	const changes = useChanges(span);
	const names = useNames();
	const ask: Action = {
		key: 'request',
		label: words.request,
		intro: words.requestIntro,
		primary: true,
		fields: [
			{ name: 'title', label: words.title, kind: 'text' },
			{
				name: 'nature',
				label: words.nature,
				kind: 'select',
				initial: 'routine',
				options: Object.entries(words.natures).map(([value, label]) => ({ value, label })),
			},
			{ name: 'services', label: texts.fault.service, kind: 'many', options: names.services, optional: true },
			{ name: 'hosts', label: words.hosts, kind: 'many', options: names.hosts, optional: true },
			{ name: 'fromMs', label: words.from, kind: 'time', initial: Date.now() + HOUR_MS },
			{ name: 'toMs', label: words.to, kind: 'time', initial: Date.now() + 2 * HOUR_MS },
			{ name: 'plan', label: words.plan, kind: 'area' },
			{ name: 'rollback', label: words.rollback, kind: 'area' },
			{ name: 'risk', label: words.risk, kind: 'area', optional: true },
			{ name: 'coreData', label: words.coreData, kind: 'switch', hint: words.coreDataHint },
		],
		run: (values) => send('POST', '/changes', { services: [], hosts: [], risk: '', maintenance: null, ...values }),
	};
	return (
		<>
			<DeskTitle title={texts.desk.pages.changes} which={which} onWhich={choose}>
				{isStaff ? <ActionBar actions={[ask]} refresh={DESK_KEY} /> : null}
			</DeskTitle>
			<Loaded query={changes}>
				{(data) =>
					data.changes.length === 0 ? (
						<EmptyCard text={which === 'open' ? words.noneOpen : words.none} />
					) : (
						<Card className="flush">
							{data.changes.map(({ number, change, missing }) => (
								<Link key={change.id} className="case-row" to={`/desk/changes/${change.id}`}>
									<span className="num muted">#{number}</span>
									<ChangeStageMark stage={change.stage} />
									<span className="case-title">
										<b>{change.title}</b>
										<small className="muted">
											{[words.natures[change.nature], ...change.services.map(names.service), ...change.hosts].join(' · ')}
										</small>
									</span>
									<span className="case-next">{missing.map((step) => words.missing[step] ?? step).join('、')}</span>
									<span className="num muted case-time">{shortTimeText(change.startedMs ?? change.fromMs)}</span>
								</Link>
							))}
						</Card>
					)
				}
			</Loaded>
		</>
	);
}
