import { Card, Empty } from 'antd';
import { useState } from 'react';
import type { NotificationEntry } from '../../../../protocol/api.ts';
import { useNotifications } from '../../api/product.ts';
import { dateTimeText, shortTimeText } from '../../format/time.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { PageSpin } from '../../layout/shell.tsx';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';

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
	if (list.data === undefined) {
		return list.error === null ? <PageSpin /> : <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />;
	}
	const { notifications } = list.data;
	return (
		<>
			<div className="page-title">
				<h1>{texts.notifications.title}</h1>
			</div>
			{list.error === null ? null : <ErrorNotice error={list.error} />}
			<Card className="flush">
				{notifications.length === 0 ? (
					<Empty className="quiet" image={Empty.PRESENTED_IMAGE_SIMPLE} description={texts.notifications.none} />
				) : null}
				{notifications.map((notification) => (
					<Entry key={notification.id} notification={notification} />
				))}
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
					{firstLine(notification.text) || texts.notifications.counts(notification.firingCount, notification.resolvedCount)}
				</span>
				<span className="muted notification-channel">
					{notification.receiver} · {texts.notifications.channels[channelKind(channel)] ?? channel}
				</span>
			</button>
			{open ? (
				<dl className="notification-details">
					<dt>{texts.notifications.content}</dt>
					<dd>
						<pre>{notification.text}</pre>
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

/** The first line of a message without the channel's own marks: group robots take Markdown with `<font>`. */
function firstLine(text: string): string {
	const line = text.split('\n').find((each) => each.trim() !== '') ?? '';
	return line.replace(/<[^<>]*>|\*\*/g, '').trim();
}

/** `default/wechat_robot/0` and `wechat_robot[0]` are of the kind `wechat_robot`. */
function channelKind(channel: string): string {
	return /wechat_robot|sms_gateway|webhook/.exec(channel)?.[0] ?? channel;
}
