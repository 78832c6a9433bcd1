import { App, Button, Card, Segmented } from 'antd';
import { useState } from 'react';
import type { NoticeAnswer } from '../../../../protocol/incident-api.ts';
import { ON_CALL_KEY, sendOnCall } from '../../api/on-call.ts';
import { shortTimeText } from '../../format/time.ts';
import { useTexts } from '../../texts/language.tsx';
import { ActionBar } from '../desk/action-bar.tsx';

/** 首报, 续报, 终报: copied, sent by whoever speaks to the client, and ticked off with its time. */
export function NoticeCard({
	incident,
	notices,
	mayTick,
}: {
	readonly incident: string;
	readonly notices: readonly NoticeAnswer[];
	readonly mayTick: boolean;
}) {
	const texts = useTexts();
	const words = texts.incident;
	const { message } = App.useApp();
	const next = notices.find(({ ticked }) => ticked.length === 0)?.notice ?? 'progress';
	const [chosen, choose] = useState<NoticeAnswer['notice'] | null>(null);
	const shown = notices.find(({ notice }) => notice === (chosen ?? next));
	if (shown === undefined) return null;
	const { notice, text, tell, ticked } = shown;
	return (
		<Card title={words.notices}>
			<Segmented
				value={notice}
				onChange={choose}
				options={notices.map((one) => ({
					value: one.notice,
					label: `${words.noticeNames[one.notice]} ${one.ticked.length > 0 ? `✓${one.ticked.length}` : ''}`,
				}))}
			/>
			<pre className="oncall-text">{text}</pre>
			<p className="muted">{words.tell(tell.join('、'))}</p>
			<div className="action-bar">
				<Button
					onClick={() => {
						navigator.clipboard.writeText(text).then(
							() => message.success(words.copied),
							(error: unknown) => message.error(String(error)),
						);
					}}
				>
					{words.copy}
				</Button>
				{mayTick ? (
					<ActionBar
						refresh={ON_CALL_KEY}
						actions={[
							{
								key: 'tick',
								label: words.tick,
								intro: words.tickIntro,
								primary: true,
								fields: [
									{ name: 'told', label: words.told, kind: 'words', initial: tell },
									{ name: 'channel', label: texts.desk.channel, kind: 'text', initial: texts.desk.channels['phone'] ?? '' },
									{ name: 'text', label: words.actions.text, kind: 'code', initial: text },
								],
								run: (values) => sendOnCall(`/incidents/${incident}/notices`, { notice, ...values }),
							},
						]}
					/>
				) : null}
			</div>
			<ul className="oncall-plain">
				{ticked.map(({ atMs, by, told, channel }) => (
					<li key={atMs}>{words.ticked(shortTimeText(atMs), by, told.join('、'), channel)}</li>
				))}
			</ul>
		</Card>
	);
}
