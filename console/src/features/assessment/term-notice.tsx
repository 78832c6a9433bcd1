import { Alert } from 'antd';
import type { ContractTermAnswer } from '../../../../protocol/contract-api.ts';
import { useTexts } from '../../texts/language.tsx';
import { Clause } from '../desk/clause.tsx';

/** When the contract runs; where it does not run now, that nothing is computed. */
export function TermNotice({ term }: { readonly term: ContractTermAnswer }) {
	const words = useTexts().assessment.term;
	const { state, firstDay, lastDay, clause, extensions } = term;
	const more = (
		<>
			{extensions.map(({ until, clause: agreed }) => (
				<span key={until}> {words.extended(until, agreed)}</span>
			))}{' '}
			<Clause clause={clause} />
		</>
	);
	if (state === 'running')
		return (
			<p className="muted">
				{lastDay === null ? words.open(firstDay) : words.running(firstDay, lastDay)}
				{more}
			</p>
		);
	const text = state === 'before' ? words.before(firstDay) : words.over(lastDay ?? '');
	return (
		<Alert
			type="warning"
			showIcon
			title={
				<>
					{text}
					{more}
				</>
			}
		/>
	);
}
