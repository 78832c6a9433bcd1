import { Card } from 'antd';
import { useState } from 'react';
import type { MaintenanceWindowAnswer } from '../../../../protocol/maintenance-api.ts';
import { DESK_KEY, send, useMaintenance, useMaintenanceList } from '../../api/desk.ts';
import { durationText } from '../../format/duration.ts';
import { dateTimeText, shortTimeText } from '../../format/time.ts';
import { useNow } from '../../format/use-now.ts';
import { Heading } from '../../layout/heading.tsx';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';
import { ActionBar } from '../desk/action-bar.tsx';
import type { Action } from '../desk/action-dialog.tsx';
import { CaseHistory } from '../desk/case-history.tsx';
import { Facts } from '../desk/facts.tsx';
import { EmptyCard, Loaded } from '../desk/list-state.tsx';
import { useDeskRights } from '../desk/use-desk-rights.ts';
import { useNames } from '../desk/use-names.ts';
import { occurrenceNow, windowActions } from './window-actions.ts';

const DAY_MS = 86_400_000;

export function MaintenancePage() {
	const texts = useTexts();
	const words = texts.maintenance;
	const { isStaff } = useDeskRights();
	const names = useNames();
	const [span] = useState(() => ({ fromMs: Date.now() - 60 * DAY_MS, toMs: Date.now() + 60 * DAY_MS }));
	const list = useMaintenanceList(span);
	const ask: Action = {
		key: 'request',
		label: words.request,
		intro: words.requestIntro,
		primary: true,
		fields: [
			{ name: 'title', label: words.title, kind: 'text' },
			{ name: 'services', label: texts.fault.service, kind: 'many', options: names.services },
			{ name: 'hosts', label: words.hosts, kind: 'many', options: names.hosts, optional: true, hint: words.hostsHint },
			{ name: 'fromMs', label: words.from, kind: 'time', initial: Date.now() + 4 * DAY_MS },
			{ name: 'toMs', label: words.to, kind: 'time', initial: Date.now() + 4 * DAY_MS + 7_200_000 },
			{ name: 'cron', label: words.cron, kind: 'text', optional: true, hint: words.cronHint },
			{ name: 'untilMs', label: words.until, kind: 'time', optional: true },
			{ name: 'reason', label: texts.desk.reason, kind: 'area' },
			{ name: 'rollback', label: words.rollback, kind: 'area' },
		],
		run: ({ cron, untilMs, ...values }) =>
			send('POST', '/maintenance', {
				...values,
				recurrence: cron === undefined || untilMs === undefined ? null : { schedule: { cron, zone: 'Asia/Shanghai' }, untilMs },
			}),
	};
	return (
		<>
			<div className="page-title">
				<Heading>{texts.desk.pages.maintenance}</Heading>
				<div className="end">{isStaff ? <ActionBar actions={[ask]} refresh={DESK_KEY} /> : null}</div>
			</div>
			<Loaded query={list}>
				{({ windows }) =>
					windows.length === 0 ? (
						<EmptyCard text={words.none} />
					) : (
						<Card className="flush">
							{[...windows].reverse().map((window) => (
								<WindowEntry key={window.id} window={window} />
							))}
						</Card>
					)
				}
			</Loaded>
		</>
	);
}

function WindowEntry({ window }: { readonly window: MaintenanceWindowAnswer }) {
	const texts = useTexts();
	const words = texts.maintenance;
	const now = useNow(5000);
	const names = useNames();
	const [open, setOpen] = useState(false);
	return (
		<article className="window-entry">
			<button type="button" className="case-row case-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>
				<WindowMark window={window} nowMs={now} />
				<span className="case-title">
					<b>{window.title}</b>
					<small className="muted">
						{window.services.map(names.service).join('、')} · {words.by(window.requestedBy)}
					</small>
				</span>
				<span className="num muted case-time">
					{shortTimeText(window.fromMs)} → {shortTimeText(window.toMs)} {window.recurring ? words.recurring : ''}
				</span>
			</button>
			{open ? <WindowDetails id={window.id} /> : null}
		</article>
	);
}

function WindowMark({ window, nowMs }: { readonly window: MaintenanceWindowAnswer; readonly nowMs: number }) {
	const { maintenance: words } = useTexts();
	const current = occurrenceNow(window, nowMs);
	if (window.state === 'approved' && current.overrun) return <Mark filled color={STATE_COLORS.down} text={words.overrun} />;
	if (window.state === 'approved' && current.active) return <Mark filled color={STATE_COLORS.excluded} text={words.active} />;
	const color = {
		requested: STATE_COLORS.degraded,
		approved: STATE_COLORS.excluded,
		refused: STATE_COLORS.unknown,
		cancelled: STATE_COLORS.unknown,
	};
	return <Mark color={color[window.state]} text={words.states[window.state]} />;
}

function WindowDetails({ id }: { readonly id: string }) {
	const texts = useTexts();
	const words = texts.maintenance;
	const rights = useDeskRights();
	const now = useNow(5000);
	return (
		<Loaded query={useMaintenance(id)}>
			{(window) => (
				<div className="window-details stack">
					<ActionBar actions={windowActions(window, { rights, texts, nowMs: now })} refresh={DESK_KEY} />
					<Facts
						facts={[
							[words.hosts, window.hosts.join('、')],
							[texts.desk.reason, window.reason],
							[words.rollback, window.rollback],
							[words.approvals, window.approvals.map(({ by, atMs }) => `${by} ${shortTimeText(atMs)}`).join('、')],
							[
								words.consent,
								window.consent === null ? '' : `${window.consent.by} ${shortTimeText(window.consent.atMs)}（${window.consent.evidence}）`,
							],
							[words.retroactive, window.retroactive ? texts.desk.yes : ''],
							[words.held, words.heldText(window.held.messages, durationText(window.held.criticalSeconds, texts.duration))],
							...window.actual.map(
								({ occurrenceMs, startMs, endMs }) =>
									[
										words.actual(shortTimeText(occurrenceMs)),
										`${startMs === null ? '—' : dateTimeText(startMs)} → ${endMs === null ? words.running : dateTimeText(endMs)}`,
									] as const,
							),
						]}
					/>
					<CaseHistory events={window.history.map(({ atMs, actor, kind }, seq) => ({ seq, atMs, actor, body: { kind } }))} />
				</div>
			)}
		</Loaded>
	);
}
