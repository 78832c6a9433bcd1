import { Card, Segmented } from 'antd';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import type { NotificationEntry } from '../../../../protocol/api.ts';
import { useNotifications } from '../../api/product.ts';
import { dateTimeText, shortTimeText } from '../../format/time.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { Heading } from '../../layout/heading.tsx';
import { Limited } from '../../layout/limited.tsx';
import { PageSpin } from '../../layout/shell.tsx';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';
import { messageTitle, readableText } from './message-title.ts';

const COLORS: Readonly<Record<string, string>> = {
	queued: STATE_COLORS.degraded,
	sending: STATE_COLORS.excluded,
	sent: STATE_COLORS.up,
	refused: STATE_COLORS.down,
	expired: STATE_COLORS.down,
};

export function NotificationsPage() {
	const texts = useTexts();
	const list = useNotifications();
	const [search, setSearch] = useSearchParams();
	const which = search.get('view') === 'unsent' ? 'unsent' : 'all';
	if (list.data === undefined) {
		return list.error === null ? <PageSpin /> : <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />;
	}
	const { notifications } = list.data;
	const unsent = notifications.filter(({ state }) => state !== 'sent');
	const shown = which === 'unsent' ? unsent : notifications;
	return (
		<>
			<div className="page-title">
				<Heading>{texts.notifications.title}</Heading>
				<Segmented
					value={which}
					onChange={(view) => setSearch(view === 'all' ? {} : { view })}
					options={[
						{ value: 'all', label: texts.notifications.newest(notifications.length) },
						{ value: 'unsent', label: texts.notifications.unsent(unsent.length) },
					]}
				/>
			</div>
			{list.error === null ? null : <ErrorNotice error={list.error} />}
			<Card className="flush">
				{shown.length > 0 ? null : (
					<p className="quiet muted">{which === 'unsent' ? texts.notifications.allSent : texts.notifications.none}</p>
				)}
				<Limited items={shown} step={50}>
					{(notification) => <Entry key={notification.id} notification={notification} />}
				</Limited>
			</Card>
		</>
	);
}

function Entry({ notification }: { readonly notification: NotificationEntry }) {
	const texts = useTexts();
	const [open, setOpen] = useState(false);
	const { state, channel } = notification;
	const answer = [notification.lastCode, notification.lastReason].filter((part) => part !== '').join(' ');
	return (
		<article className="notification">
			<button type="button" className="notification-row" aria-expanded={open} onClick={() => setOpen(!open)}>
				<span className="num muted">#{notification.number}</span>
				<span className="num" title={dateTimeText(notification.createdAtMs)}>
					{shortTimeText(notification.createdAtMs)}
				</span>
				<Mark
					color={COLORS[state] ?? STATE_COLORS.unknown}
					text={texts.notifications.states[state] ?? state}
					filled={state === 'refused'}
				/>
				<span className="notification-text">
					{messageTitle(notification.text) || texts.notifications.counts(notification.firingCount, notification.resolvedCount)}
				</span>
				<span className="muted notification-channel">
					{notification.receiver} · {texts.notifications.channels[channelKind(channel)] ?? channelKind(channel)}
				</span>
			</button>
			{open ? (
				<dl className="notification-details">
					<dt>{texts.notifications.content}</dt>
					<dd>
						<pre>{readableText(notification.text)}</pre>
					</dd>
					<dt>{texts.notifications.channel}</dt>
					<dd>{channel}</dd>
					<dt>{texts.notifications.attempts}</dt>
					<dd className="num">{notification.attempts}</dd>
					<dt>{texts.notifications.answer}</dt>
					<dd>{answer === '' ? '—' : answer}</dd>
					<dt>{texts.notifications.updated}</dt>
					<dd className="num">{dateTimeText(notification.updatedAtMs)}</dd>
				</dl>
			) : null}
		</article>
	);
}

/** `default/wechat_robot/0` and `wechat_robot[0]` are of the kind `wechat_robot`; `sms//zhang` is somebody's own, by the channel `sms`. */
function channelKind(channel: string): string {
	return /wechat_robot|sms_gateway|webhook/.exec(channel)?.[0] ?? channel.split('/', 1).join('');
}
