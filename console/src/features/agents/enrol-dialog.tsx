import { useMutation } from '@tanstack/react-query';
import { Form, Input, Modal, Segmented, Typography } from 'antd';
import { useState } from 'react';
import { makeEnrolmentToken } from '../../api/agents.ts';
import { durationText } from '../../format/duration.ts';
import { dateTimeText } from '../../format/time.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { useTexts } from '../../texts/language.tsx';

const VALID_S = [3600, 24 * 3600, 7 * 86_400] as const;

/** Makes a one-time token and shows it once, with the lines that the host's file needs. */
export function EnrolDialog({ onClose }: { readonly onClose: () => void }) {
	const texts = useTexts();
	const [host, setHost] = useState('');
	const [validSeconds, setValidSeconds] = useState<number>(24 * 3600);
	const make = useMutation({ mutationFn: () => makeEnrolmentToken({ host: host.trim(), validSeconds }) });
	const made = make.data;
	const lines = ['collector:', `  url: ${window.location.origin}`, '  enrol_token: { file: /etc/fournines/enrol.token }'].join('\n');
	return (
		<Modal
			open
			title={texts.agents.enrolTitle}
			okText={made === undefined ? texts.agents.makeToken : texts.agents.close}
			cancelButtonProps={made === undefined ? {} : { style: { display: 'none' } }}
			cancelText={texts.common.cancel}
			okButtonProps={{ loading: make.isPending }}
			onOk={() => (made === undefined ? make.mutate() : onClose())}
			onCancel={onClose}
		>
			{made === undefined ? (
				<Form layout="vertical" onFinish={() => make.mutate()}>
					<p className="muted">{texts.agents.enrolIntro}</p>
					<Form.Item label={texts.agents.host} extra={texts.agents.anyHost}>
						<Input value={host} onChange={({ target }) => setHost(target.value)} maxLength={200} placeholder="app-1" autoFocus />
					</Form.Item>
					<Form.Item label={texts.agents.valid}>
						<Segmented
							value={validSeconds}
							onChange={setValidSeconds}
							options={VALID_S.map((seconds) => ({ value: seconds, label: durationText(seconds, texts.duration) }))}
						/>
					</Form.Item>
				</Form>
			) : (
				<>
					<p>{texts.agents.tokenOnce(dateTimeText(made.expiresAtMs))}</p>
					<Typography.Paragraph copyable code>
						{made.token}
					</Typography.Paragraph>
					<p className="muted">{texts.agents.tokenUse}</p>
					<Typography.Paragraph copyable={{ text: lines }}>
						<pre>{lines}</pre>
					</Typography.Paragraph>
				</>
			)}
			{make.error === null ? null : <ErrorNotice error={make.error} />}
		</Modal>
	);
}
