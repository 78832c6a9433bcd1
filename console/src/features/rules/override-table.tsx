import type { ThresholdOverrideAnswer } from '../../../../protocol/rule-api.ts';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';

interface OverrideTableProps {
	readonly overrides: readonly ThresholdOverrideAnswer[];
	/** The threshold that the rule is written with. */
	readonly written: number;
	readonly configFile: string;
}

/** Which threshold counts for whom, and the line that sets it. */
export function OverrideTable({ overrides, written, configFile }: OverrideTableProps) {
	const words = useTexts().rules;
	const file = configFile.split('/').at(-1) ?? '';
	return (
		<div className="plain-table rule-overrides">
			<table>
				<thead>
					<tr>
						<th>{words.columns.scope}</th>
						<th className="cell-number">{words.columns.value}</th>
						<th>{words.columns.hours}</th>
						<th>{words.columns.place}</th>
					</tr>
				</thead>
				<tbody>
					{overrides.map((override, i) => (
						// biome-ignore lint/suspicious/noArrayIndexKey: two may be alike in everything, and their order is theirs
						<tr key={i}>
							<td className="cell-wrap">{scopeText(override) || words.everywhere}</td>
							<td className="cell-number num">{override.value}</td>
							<td>
								{override.during === '' && override.outside === '' ? (
									words.always
								) : (
									<>
										{override.during === '' ? words.outside(override.outside) : words.during(override.during)}{' '}
										<Mark
											color={override.holds ? STATE_COLORS.up : STATE_COLORS.unknown}
											text={override.holds ? words.inForce : words.notInForce}
										/>
									</>
								)}
							</td>
							<td>{override.line === 0 ? words.fileChanged(file) : `${file}:${override.line}`}</td>
						</tr>
					))}
					<tr>
						<td>{overrides.length === 0 ? words.everywhere : words.others}</td>
						<td className="cell-number num">{written}</td>
						<td>{words.always}</td>
						<td>{words.asWritten}</td>
					</tr>
				</tbody>
			</table>
			{overrides.length < 2 ? null : <p className="muted">{words.whichCounts}</p>}
		</div>
	);
}

function scopeText({ host, system, labels }: ThresholdOverrideAnswer): string {
	const named = { ...(host === '' ? {} : { host }), ...(system === '' ? {} : { system }), ...labels };
	return Object.entries(named)
		.map(([name, value]) => `${name}=${value}`)
		.join(' ');
}
