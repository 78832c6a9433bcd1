import { Card } from 'antd';
import type { AssessedPeriodAnswer, ContractProfileAnswer } from '../../../../protocol/contract-api.ts';
import { DESK_KEY, send } from '../../api/desk.ts';
import { shortTimeText } from '../../format/time.ts';
import { useTexts } from '../../texts/language.tsx';
import { ActionBar } from '../desk/action-bar.tsx';
import type { Action } from '../desk/action-dialog.tsx';
import type { DeskRights } from '../desk/use-desk-rights.ts';

interface RecordListProps {
	readonly data: AssessedPeriodAnswer;
	readonly profile: ContractProfileAnswer;
	readonly rights: DeskRights;
}

/** Lapses and bonuses that people entered. */
export function RecordList({ data, profile, rights }: RecordListProps) {
	const texts = useTexts();
	const words = texts.assessment;
	const rules = profile.rules.filter(({ kind }) => kind === 'record');
	const { period, profile: contract } = data.assessment;
	const enter: Action = {
		key: 'record',
		label: words.enter,
		fields: [
			{
				name: 'rule',
				label: words.rule,
				kind: 'select',
				options: rules.map(({ id, name, unit, bonus }) => ({
					value: id,
					label: `${bonus === true ? '＋' : '－'} ${name}（${words.units[unit ?? ''] ?? unit ?? ''}）`,
				})),
			},
			{ name: 'quantity', label: words.quantity, kind: 'number', initial: 1 },
			{ name: 'atMs', label: texts.desk.moment, kind: 'time', initial: Math.min(Date.now(), period.toMs - 60_000) },
			{ name: 'note', label: words.note, kind: 'area', optional: true },
			{ name: 'evidence', label: texts.fault.evidence, kind: 'area', optional: true },
		],
		run: (values) => send('POST', `/contracts/${contract}/records`, { note: '', evidence: '', ...values }),
	};
	return (
		<Card
			title={words.records}
			className="flush"
			extra={rights.takesPart ? <ActionBar small actions={[enter]} refresh={DESK_KEY} /> : null}
		>
			{data.records.length === 0 ? <p className="quiet muted">{words.noRecords}</p> : null}
			{data.records.map((record) => (
				<div key={record.id} className="check-row">
					<span>
						{rules.find(({ id }) => id === record.rule)?.name ?? record.rule} × {record.quantity}{' '}
						<small className="muted">
							<span className="num">{shortTimeText(record.atMs)}</span> {texts.desk.who(record.by)} {record.note}
						</small>
					</span>
					{rights.takesPart ? (
						<ActionBar
							small
							refresh={DESK_KEY}
							actions={[
								{
									key: 'withdraw',
									label: words.withdraw,
									fields: [{ name: 'reason', label: texts.desk.reason, kind: 'area' }],
									run: (values) => send('POST', `/contracts/${contract}/periods/${period.id}/records/${record.id}/withdrawal`, values),
								},
							]}
						/>
					) : null}
				</div>
			))}
		</Card>
	);
}
