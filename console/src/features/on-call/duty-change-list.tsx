import type { DutyChangeAnswer } from '../../../../protocol/on-call-api.ts';
import { ON_CALL_KEY, sendOnCall, useDutyChanges } from '../../api/on-call.ts';
import { shortTimeText } from '../../format/time.ts';
import { useTexts } from '../../texts/language.tsx';
import type { Texts } from '../../texts/zh.ts';
import { ActionBar } from '../desk/action-bar.tsx';

const SHOWN = 10;

/** What people changed about duty, newest first; what was taken back stays. */
export function DutyChangeList({ roster, mayCancel }: { readonly roster: string; readonly mayCancel: boolean }) {
	const texts = useTexts();
	const words = texts.onCall;
	const changes = useDutyChanges(roster).data?.changes ?? [];
	if (changes.length === 0) return null;
	return (
		<>
			<small className="muted">{words.changes}</small>
			<ul className="oncall-plain">
				{changes.slice(0, SHOWN).map((change) => (
					<li key={change.id} className={change.cancelled === null ? 'oncall-change' : 'oncall-change oncall-cancelled'}>
						<span>
							<b>{words.changeKinds[change.what]}</b> {change.changes.map((one) => changeText(one, words)).join('；')}
							<small className="muted">
								{' '}
								{words.by(change.by, shortTimeText(change.atMs), change.reason)}
								{change.cancelled === null ? '' : ` · ${words.cancelled(change.cancelled.by, change.cancelled.reason)}`}
							</small>
						</span>
						{mayCancel && change.cancelled === null ? (
							<ActionBar
								small
								refresh={ON_CALL_KEY}
								actions={[
									{
										key: 'cancel',
										label: words.cancel,
										danger: true,
										fields: [{ name: 'reason', label: words.fields.reason, kind: 'text' }],
										run: (values) => sendOnCall(`/oncall/changes/${change.id}/cancel`, values),
									},
								]}
							/>
						) : null}
					</li>
				))}
			</ul>
		</>
	);
}

function changeText({ fromMs, toMs, instead, person }: DutyChangeAnswer['changes'][number], words: Texts['onCall']): string {
	const people = instead === '' || instead === '*' ? person : words.replaced(instead, person);
	return words.changed(shortTimeText(fromMs), shortTimeText(toMs), people);
}
