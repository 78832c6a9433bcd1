import { type QueryKey, useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Dropdown } from 'antd';
import { useState } from 'react';
import { errorWords } from '../../layout/error-notice.tsx';
import { useTexts } from '../../texts/language.tsx';
import { type Action, ActionDialog } from './action-dialog.tsx';

/** Buttons for what may be done now. One with fields asks them first. What was answered anew is read again afterwards. */
export function ActionBar({
	actions,
	refresh,
	small = false,
}: {
	readonly actions: readonly Action[];
	readonly refresh: QueryKey;
	readonly small?: boolean;
}) {
	const texts = useTexts();
	const { message } = App.useApp();
	const client = useQueryClient();
	const [asking, setAsking] = useState<Action | null>(null);
	const done = async () => {
		await client.invalidateQueries({ queryKey: refresh });
		message.success(texts.desk.done);
	};
	const run = useMutation({
		mutationFn: (action: Action) => action.run({}),
		onSuccess: done,
		onError: (error) => {
			const { title, detail } = errorWords(error, texts);
			message.error(`${title} ${detail}`);
		},
	});
	const press = (action: Action) => (action.fields.length === 0 ? run.mutate(action) : setAsking(action));
	const more = actions.filter(({ secondary }) => secondary === true);
	if (actions.length === 0) return null;
	return (
		<div className="action-bar">
			{actions
				.filter((action) => !more.includes(action))
				.map((action) => (
					<Button
						key={action.key}
						type={action.primary === true ? 'primary' : 'default'}
						danger={action.danger === true}
						size={small ? 'small' : 'middle'}
						loading={run.isPending && run.variables.key === action.key}
						onClick={() => press(action)}
					>
						{action.label}
					</Button>
				))}
			{more.length === 0 ? null : (
				<Dropdown
					trigger={['click']}
					menu={{ items: more.map((action) => ({ key: action.key, label: action.label, onClick: () => press(action) })) }}
				>
					<Button size={small ? 'small' : 'middle'}>{texts.desk.more}</Button>
				</Dropdown>
			)}
			{asking === null ? null : (
				<ActionDialog
					action={asking}
					onClose={(finished) => {
						setAsking(null);
						if (finished) void done();
					}}
				/>
			)}
		</div>
	);
}
