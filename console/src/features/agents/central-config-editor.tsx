import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Card, Input, Select } from 'antd';
import { useState } from 'react';
import type { AgentEntry, CentralConfigAnswer } from '../../../../protocol/agent-api.ts';
import { AGENTS_KEY, useCentralConfig, writeCentralConfig } from '../../api/agents.ts';
import { dateTimeText } from '../../format/time.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { PageSpin } from '../../layout/shell.tsx';
import { useTexts } from '../../texts/language.tsx';

export interface CentralConfigEditorProps {
	readonly agents: readonly AgentEntry[];
	readonly mayWrite: boolean;
}

export function CentralConfigEditor({ agents, mayWrite }: CentralConfigEditorProps) {
	const texts = useTexts();
	const [target, setTarget] = useState('all');
	const config = useCentralConfig(target);
	const systems = [...new Set(agents.map(({ system }) => system).filter((system) => system !== ''))].sort();
	const options = [
		{ value: 'all', label: texts.agents.targetAll },
		...systems.map((system) => ({ value: `system:${system}`, label: texts.agents.targetSystem(system) })),
		...agents.map(({ host }) => ({ value: `host:${host}`, label: texts.agents.targetHost(host) })),
	];
	return (
		<Card
			title={texts.agents.config}
			extra={
				<Select
					className="target-choice"
					value={target}
					options={options}
					onChange={setTarget}
					showSearch={{ optionFilterProp: 'label' }}
					aria-label={texts.agents.target}
				/>
			}
		>
			<p className="muted">{texts.agents.configIntro}</p>
			{config.error === null ? null : <ErrorNotice error={config.error} onRetry={() => void config.refetch()} />}
			{config.data === undefined ? (
				config.error === null && <PageSpin />
			) : (
				<Document key={`${target} ${config.data.history[0]?.id ?? ''}`} answer={config.data} mayWrite={mayWrite} />
			)}
		</Card>
	);
}

function Document({ answer, mayWrite }: { readonly answer: CentralConfigAnswer; readonly mayWrite: boolean }) {
	const texts = useTexts();
	const { message } = App.useApp();
	const client = useQueryClient();
	const [text, setText] = useState(answer.text);
	const [note, setNote] = useState('');
	const write = useMutation({
		mutationFn: () => writeCentralConfig(answer.target, { text, note: note.trim() }),
		onSuccess: async () => {
			await client.invalidateQueries({ queryKey: AGENTS_KEY });
			message.success(texts.agents.saved);
		},
	});
	return (
		<>
			<Input.TextArea
				className="code-editor"
				aria-label={texts.agents.config}
				value={text}
				onChange={({ target }) => setText(target.value)}
				readOnly={!mayWrite}
				autoSize={{ minRows: 12, maxRows: 30 }}
				spellCheck={false}
				placeholder={'inputs:\n  nginx:\n    - { url: "http://127.0.0.1/nginx_status" }'}
			/>
			{mayWrite ? (
				<div className="editor-actions">
					<Input
						value={note}
						onChange={({ target }) => setNote(target.value)}
						maxLength={255}
						placeholder={texts.agents.note}
						aria-label={texts.agents.note}
					/>
					<Button type="primary" disabled={text === answer.text} loading={write.isPending} onClick={() => write.mutate()}>
						{texts.agents.save}
					</Button>
				</div>
			) : null}
			{write.error === null ? null : <ErrorNotice error={write.error} />}
			{answer.history.length === 0 ? null : (
				<details className="config-history">
					<summary>{texts.agents.history(answer.history.length)}</summary>
					<ul>
						{answer.history.map((entry) => (
							<li key={entry.id}>
								<span className="num">{dateTimeText(entry.atMs)}</span> {entry.author} {entry.note}
								{mayWrite ? (
									<Button size="small" type="link" onClick={() => setText(entry.text)}>
										{texts.agents.takeBack}
									</Button>
								) : null}
							</li>
						))}
					</ul>
				</details>
			)}
		</>
	);
}
