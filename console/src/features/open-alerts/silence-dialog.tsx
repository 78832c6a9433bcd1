import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Checkbox, Form, Input, Modal, Segmented } from 'antd';
import { useState } from 'react';
import type { OpenAlert } from '../../../../protocol/api.ts';
import { createSilence, SILENCES_KEY } from '../../api/silences.ts';
import { durationText } from '../../format/duration.ts';
import { dateTimeText } from '../../format/time.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { useIdentity } from '../../layout/session-context.ts';
import { useTexts } from '../../texts/language.tsx';
import { FIRST_CHOICE, isComplete, type RecurrenceChoice, recurrenceOf, SilenceRecurrence } from './silence-recurrence.tsx';

const LENGTHS_S = [1800, 3600, 4 * 3600, 12 * 3600, 86_400, 7 * 86_400] as const;
const RECURRING_LENGTHS_S = [7 * 86_400, 30 * 86_400, 90 * 86_400, 365 * 86_400] as const;
/** Labels of every alert of a kind: kept by default where they name the kind or a place, not where they only route it. */
const ROUTING_LABELS = ['severity', 'team'];

interface SilenceFields {
	readonly comment: string;
}

export function SilenceDialog({ alert, onClose }: { readonly alert: OpenAlert; readonly onClose: (made: boolean) => void }) {
	const texts = useTexts();
	const { message } = App.useApp();
	const { account } = useIdentity();
	const client = useQueryClient();
	const [form] = Form.useForm<SilenceFields>();
	const [names, setNames] = useState<readonly string[]>(() => Object.keys(alert.labels).filter((name) => !ROUTING_LABELS.includes(name)));
	const [lengthSeconds, setLengthSeconds] = useState<number>(3600);
	const [recurring, setRecurring] = useState(false);
	const [choice, setChoice] = useState<RecurrenceChoice>(FIRST_CHOICE);
	const [openedMs] = useState(() => Date.now());
	const make = useMutation({
		mutationFn: ({ comment }: SilenceFields) => {
			const startMs = Date.now();
			return createSilence({
				matchers: names.map((name) => ({ name, value: alert.labels[name] ?? '', isRegex: false, isEqual: true })),
				startsAt: new Date(startMs).toISOString(),
				endsAt: new Date(startMs + lengthSeconds * 1000).toISOString(),
				createdBy: account,
				comment,
				...(recurring ? { recurrence: recurrenceOf(choice) } : {}),
			});
		},
		onSuccess: async () => {
			await Promise.all([client.invalidateQueries({ queryKey: SILENCES_KEY }), client.invalidateQueries({ queryKey: ['overview'] })]);
			message.success(texts.alerts.created);
			onClose(true);
		},
	});
	return (
		<Modal
			open
			title={texts.alerts.silenceTitle}
			okText={texts.alerts.creates}
			cancelText={texts.common.cancel}
			okButtonProps={{ disabled: names.length === 0 || (recurring && !isComplete(choice)), loading: make.isPending }}
			onOk={() => form.submit()}
			onCancel={() => onClose(false)}
		>
			<p className="muted">{texts.alerts.silenceIntro}</p>
			<Form<SilenceFields> form={form} layout="vertical" onFinish={(fields) => make.mutate({ comment: fields.comment.trim() })}>
				<Form.Item
					label={texts.alerts.matchers}
					validateStatus={names.length === 0 ? 'error' : ''}
					help={names.length === 0 ? texts.alerts.needMatcher : null}
				>
					<Checkbox.Group className="matcher-choice" value={[...names]} onChange={setNames}>
						{Object.entries(alert.labels).map(([name, value]) => (
							<Checkbox key={name} value={name}>
								<code>
									{name}={value}
								</code>
							</Checkbox>
						))}
					</Checkbox.Group>
				</Form.Item>
				<Form.Item label={texts.alerts.recurrence.kind}>
					<Segmented
						value={recurring}
						onChange={(next) => {
							setRecurring(next);
							setLengthSeconds(next ? RECURRING_LENGTHS_S[2] : 3600);
						}}
						options={[
							{ value: false, label: texts.alerts.recurrence.once },
							{ value: true, label: texts.alerts.recurrence.again },
						]}
					/>
				</Form.Item>
				{recurring ? <SilenceRecurrence choice={choice} onChange={setChoice} /> : null}
				<Form.Item
					label={recurring ? texts.alerts.recurrence.validFor : texts.alerts.end}
					extra={`${texts.alerts.ends}: ${dateTimeText(openedMs + lengthSeconds * 1000)}`}
				>
					<Segmented
						className="wrapping"
						value={lengthSeconds}
						onChange={setLengthSeconds}
						options={(recurring ? RECURRING_LENGTHS_S : LENGTHS_S).map((seconds) => ({
							value: seconds,
							label: durationText(seconds, texts.duration),
						}))}
					/>
				</Form.Item>
				<Form.Item
					name="comment"
					label={texts.alerts.reason}
					rules={[{ required: true, whitespace: true, message: texts.alerts.reasonMissing }]}
				>
					<Input.TextArea autoFocus rows={2} maxLength={1000} placeholder={texts.alerts.reasonHint} />
				</Form.Item>
				<p className="muted">
					{texts.alerts.owner}: <b>{account}</b>
				</p>
			</Form>
			{make.error === null ? null : <ErrorNotice error={make.error} />}
		</Modal>
	);
}
