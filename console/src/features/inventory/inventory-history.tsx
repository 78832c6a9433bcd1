import { Alert, Card } from 'antd';
import type { InventoryDifferenceAnswer, InventoryStateAnswer } from '../../../../protocol/inventory-api.ts';
import { dateTimeText } from '../../format/time.ts';
import { useTexts } from '../../texts/language.tsx';

/** What is not in the file yet, and every change of the inventory with what the file overruled. */
export function InventoryHistory({ state }: { readonly state: InventoryStateAnswer }) {
	const { inventory: words } = useTexts();
	return (
		<div className="stack">
			{state.pending.length === 0 ? null : (
				<Card title={words.pending(state.pending.length)} className="flush">
					{state.pending.map((part) => (
						<Difference key={`${part.section} ${part.key}`} part={part} />
					))}
				</Card>
			)}
			{state.history.map((version) => (
				<Card
					key={version.id}
					className="flush"
					title={
						<span>
							<span className="num">{dateTimeText(version.atMs)}</span> {version.author === 'file' ? words.byFile : version.author}{' '}
							{version.note}
						</span>
					}
				>
					{version.diff.length === 0 && version.refused.length === 0 ? <p className="quiet muted">{words.first}</p> : null}
					{version.refused.length === 0 ? null : <Alert type="warning" showIcon title={words.refused(version.refused.length)} />}
					{version.refused.map((part) => (
						<Difference key={`refused ${part.section} ${part.key}`} part={part} note={part.reason} />
					))}
					{version.diff.map((part) => (
						<Difference key={`${part.section} ${part.key}`} part={part} />
					))}
				</Card>
			))}
		</div>
	);
}

function Difference({ part, note }: { readonly part: InventoryDifferenceAnswer; readonly note?: string }) {
	const { inventory: words } = useTexts();
	const kind = part.before === '' ? words.added : part.after === '' ? words.removed : words.changed;
	return (
		<details className="difference">
			<summary>
				{kind} {words.sections[part.section]} <b>{part.key}</b> {note === undefined ? null : <small className="muted">{note}</small>}
			</summary>
			<div className="desk-columns">
				<pre className="diff-before">{part.before}</pre>
				<pre className="diff-after">{part.after}</pre>
			</div>
		</details>
	);
}
