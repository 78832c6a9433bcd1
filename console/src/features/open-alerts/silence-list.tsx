import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Card, Checkbox, Popconfirm } from 'antd';
import { useState } from 'react';
import { expireSilence, SILENCES_KEY, type Silence, type SilenceMatcher, useSilences } from '../../api/silences.ts';
import { shortTimeText } from '../../format/time.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { PageSpin } from '../../layout/shell.tsx';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import type { Texts } from '../../texts/zh.ts';
import { STATE_COLORS } from '../../theme.ts';

const COLORS: Readonly<Record<Silence['status']['state'], string>> = {
	active: STATE_COLORS.excluded,
	pending: STATE_COLORS.degraded,
	expired: STATE_COLORS.unknown,
};

export function SilenceList({ mayEnd }: { readonly mayEnd: boolean }) {
	const texts = useTexts();
	const silences = useSilences();
	const [withExpired, setWithExpired] = useState(false);
	if (silences.data === undefined) {
		return silences.error === null ? <PageSpin /> : <ErrorNotice error={silences.error} onRetry={() => void silences.refetch()} />;
	}
	const shown = silences.data.filter((silence) => withExpired || silence.status.state !== 'expired');
	return (
		<Card
			className="flush"
			title={texts.alerts.silences}
			extra={
				<Checkbox checked={withExpired} onChange={({ target }) => setWithExpired(target.checked)}>
					{texts.alerts.showExpired}
				</Checkbox>
			}
		>
			{shown.length === 0 ? <p className="quiet muted">{texts.alerts.noSilences}</p> : null}
			{shown.map((silence) => (
				<SilenceEntry key={silence.id} silence={silence} mayEnd={mayEnd} />
			))}
		</Card>
	);
}

function SilenceEntry({ silence, mayEnd }: { readonly silence: Silence; readonly mayEnd: boolean }) {
	const texts = useTexts();
	const { message } = App.useApp();
	const client = useQueryClient();
	const { state } = silence.status;
	const { messages, criticalSeconds } = silence.hidden;
	const end = useMutation({
		mutationFn: () => expireSilence(silence.id),
		onSuccess: async () => {
			await Promise.all([client.invalidateQueries({ queryKey: SILENCES_KEY }), client.invalidateQueries({ queryKey: ['overview'] })]);
			message.success(texts.alerts.expired);
		},
	});
	return (
		<div className="silence-row">
			{isWaiting(silence) ? (
				<Mark color={COLORS.pending} text={texts.alerts.recurrence.waiting} />
			) : (
				<Mark color={COLORS[state]} text={texts.alerts.silenceState[state]} />
			)}
			<div className="silence-text">
				<b>{silence.comment}</b>
				<div className="label-list">
					{silence.matchers.map((matcher) => (
						<code key={matcher.name + matcher.value}>{matcherText(matcher)}</code>
					))}
				</div>
				{messages === 0 && criticalSeconds === 0 ? null : <small>{texts.alerts.silencePrice(messages, Math.round(criticalSeconds))}</small>}
				{silence.recurrence === undefined ? null : (
					<small className="muted">
						{texts.alerts.silenceRecurs}
						{state === 'expired' ? null : ` · ${nextText(silence, texts.alerts.recurrence)}`}
					</small>
				)}
				{end.error === null ? null : <ErrorNotice error={end.error} />}
			</div>
			<span className="muted num silence-when">
				{silence.createdBy}
				<small>
					{shortTimeText(Date.parse(silence.startsAt))} → {shortTimeText(Date.parse(silence.endsAt))}
				</small>
			</span>
			{mayEnd && state !== 'expired' ? (
				<Popconfirm
					title={texts.alerts.expireSure}
					okText={texts.alerts.expire}
					cancelText={texts.common.cancel}
					onConfirm={() => end.mutate()}
				>
					<Button size="small" loading={end.isPending}>
						{texts.alerts.expire}
					</Button>
				</Popconfirm>
			) : null}
		</div>
	);
}

/** In force, and between two of its times: it hides nothing now. */
function isWaiting({ status, recurrence, next }: Silence): boolean {
	if (status.state !== 'active' || recurrence === undefined) return false;
	return next === undefined || next === null || Date.parse(next.startsAt) > Date.now();
}

/** When a recurring silence hides, now or next. */
function nextText({ next }: Silence, texts: Texts['alerts']['recurrence']): string {
	if (next === undefined || next === null) return texts.never;
	const [fromMs, toMs] = [Date.parse(next.startsAt), Date.parse(next.endsAt)];
	return fromMs <= Date.now() ? texts.now(shortTimeText(toMs)) : texts.next(shortTimeText(fromMs), shortTimeText(toMs));
}

function matcherText({ name, value, isEqual, isRegex }: SilenceMatcher): string {
	return `${name}${isEqual ? '=' : '!'}${isRegex ? '~' : isEqual ? '' : '='}${value}`;
}
