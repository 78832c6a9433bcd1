import { Button, Card, Input, Segmented } from 'antd';
import { useState } from 'react';
import {
	INVENTORY_SECTIONS,
	type InventoryEntryAnswer,
	type InventorySection,
	type InventoryStateAnswer,
} from '../../../../protocol/inventory-api.ts';
import { DESK_KEY, send, useInventory } from '../../api/desk.ts';
import { Heading } from '../../layout/heading.tsx';
import { Limited } from '../../layout/limited.tsx';
import { useTexts } from '../../texts/language.tsx';
import { ActionBar } from '../desk/action-bar.tsx';
import type { Action } from '../desk/action-dialog.tsx';
import { Loaded } from '../desk/list-state.tsx';
import { useDeskRights } from '../desk/use-desk-rights.ts';
import { InventoryHistory } from './inventory-history.tsx';

type Tab = 'entries' | 'text' | 'history';

export function InventoryPage() {
	const texts = useTexts();
	const words = texts.inventory;
	const { isStaff } = useDeskRights();
	const [tab, setTab] = useState<Tab>('entries');
	const inventory = useInventory();
	return (
		<>
			<div className="page-title">
				<Heading>{texts.desk.pages.inventory}</Heading>
				<Segmented
					value={tab}
					onChange={setTab}
					options={[
						{ value: 'entries', label: words.entries },
						{ value: 'text', label: words.wholeText },
						{ value: 'history', label: words.history },
					]}
				/>
				<div className="end">
					<Button href="/api/fournines/v1/inventory" download="inventory.yml">
						{words.export}
					</Button>
				</div>
			</div>
			<Loaded query={inventory}>
				{(state) =>
					tab === 'entries' ? (
						<Entries state={state} mayEdit={isStaff} />
					) : tab === 'text' ? (
						<WholeText key={state.version} state={state} mayEdit={isStaff} />
					) : (
						<InventoryHistory state={state} />
					)
				}
			</Loaded>
		</>
	);
}

const NEW_ENTRY: Readonly<Partial<Record<InventorySection, string>>> = {
	hosts: 'id: app-10\nname: \naddresses: [172.25.0.10]\n',
	services: 'id: new-service\nname: \nchecks: []\n',
	checks: 'id: new-check\ninterval: 10s\n',
	contacts: 'id: new-contact\nname: \nphone: ""\n',
};

function Entries({ state, mayEdit }: { readonly state: InventoryStateAnswer; readonly mayEdit: boolean }) {
	const texts = useTexts();
	const words = texts.inventory;
	const [section, setSection] = useState<InventorySection>('services');
	const [text, setText] = useState('');
	const wanted = text.trim().toLowerCase();
	const entries = state.entries.filter(
		(entry) => entry.section === section && (wanted === '' || `${entry.key} ${entry.name} ${entry.text}`.toLowerCase().includes(wanted)),
	);
	const edit = (key: string, text: string, label: string): Action => ({
		key: label,
		label,
		title: `${words.sections[section]} ${key}`,
		intro: words.editIntro,
		primary: key === '',
		fields: [
			{ name: 'text', label: words.entry, kind: 'code', initial: text },
			{ name: 'note', label: words.note, kind: 'text' },
		],
		run: ({ text: next, note }) =>
			send('POST', '/inventory/entries', { over: state.version, note, entries: [{ section, key, text: next }] }),
	});
	return (
		<>
			<div className="list-filter">
				<select
					className="plain-select"
					value={section}
					aria-label={words.section}
					onChange={({ target }) => setSection(target.value as InventorySection)}
				>
					{INVENTORY_SECTIONS.map((name) => (
						<option key={name} value={name}>
							{words.sections[name]}（{state.entries.filter((entry) => entry.section === name).length}）
						</option>
					))}
				</select>
				<Input.Search
					className="list-search"
					allowClear
					value={text}
					placeholder={words.search}
					aria-label={words.search}
					onChange={({ target }) => setText(target.value)}
				/>
				{mayEdit && section !== 'zone' ? (
					<ActionBar small actions={[edit('', NEW_ENTRY[section] ?? 'id: \n', words.add)]} refresh={DESK_KEY} />
				) : null}
			</div>
			<Card className="flush">
				{entries.length === 0 ? <p className="quiet muted">{wanted === '' ? words.none : words.noneSuch}</p> : null}
				<Limited key={`${section} ${wanted}`} items={entries}>
					{(entry) => (
						<EntryRow
							key={entry.key}
							entry={entry}
							actions={
								mayEdit ? [edit(entry.key, entry.text, words.edit), ...(section === 'zone' ? [] : [remove(entry, state, words)])] : []
							}
						/>
					)}
				</Limited>
			</Card>
		</>
	);
}

function remove(entry: InventoryEntryAnswer, state: InventoryStateAnswer, words: ReturnType<typeof useTexts>['inventory']): Action {
	return {
		key: 'remove',
		label: words.remove,
		title: words.removeSure(entry.key),
		danger: true,
		fields: [{ name: 'note', label: words.note, kind: 'text' }],
		run: ({ note }) =>
			send('POST', '/inventory/entries', { over: state.version, note, entries: [{ section: entry.section, key: entry.key, text: null }] }),
	};
}

function EntryRow({ entry, actions }: { readonly entry: InventoryEntryAnswer; readonly actions: readonly Action[] }) {
	const { inventory: words } = useTexts();
	return (
		<div className="entry-row">
			<details>
				<summary>
					<b>{entry.name === '' ? entry.key : entry.name}</b> {entry.name === '' ? null : <small className="muted">{entry.key}</small>}{' '}
					{entry.origin === 'edited' ? <span className="chip">{words.edited}</span> : null}
				</summary>
				<pre>{entry.text}</pre>
			</details>
			<ActionBar small actions={actions} refresh={DESK_KEY} />
		</div>
	);
}

function WholeText({ state, mayEdit }: { readonly state: InventoryStateAnswer; readonly mayEdit: boolean }) {
	const { inventory: words } = useTexts();
	const [text, setText] = useState(state.text);
	const save: Action = {
		key: 'save',
		label: words.save,
		primary: true,
		fields: [{ name: 'note', label: words.note, kind: 'text' }],
		run: ({ note }) => send('PUT', '/inventory', { over: state.version, note, text }),
	};
	return (
		<Card title={words.wholeText} extra={mayEdit && text !== state.text ? <ActionBar actions={[save]} refresh={DESK_KEY} /> : null}>
			<p className="muted">{words.textIntro}</p>
			<Input.TextArea
				className="code-editor"
				aria-label={words.wholeText}
				value={text}
				readOnly={!mayEdit}
				onChange={({ target }) => setText(target.value)}
				autoSize={{ minRows: 16, maxRows: 40 }}
				spellCheck={false}
			/>
		</Card>
	);
}
