import { Card } from 'antd';
import type { CaseEventAnswer } from '../../../../protocol/problem-api.ts';
import { dateTimeText } from '../../format/time.ts';
import { useTexts } from '../../texts/language.tsx';
import type { Texts } from '../../texts/zh.ts';
import { useNames } from './use-names.ts';

/** Everything that happened to a case, newest first, with whatever was said. */
export function CaseHistory({ events }: { readonly events: readonly CaseEventAnswer[] }) {
	const texts = useTexts();
	const { services } = useNames();
	const values = { ...Object.fromEntries(services.map(({ value, label }) => [value, label])), ...valueNames(texts) };
	return (
		<Card className="flush" title={texts.desk.history(events.length)}>
			<ol className="case-history">
				{[...events].reverse().map(({ seq, atMs, actor, body }) => (
					<li key={seq}>
						<span className="num muted">{dateTimeText(atMs)}</span>
						<b>{texts.desk.eventNames[body.kind] ?? body.kind}</b>
						<span className="case-actor">{actor === 'fournines' ? texts.desk.product : actor}</span>
						<span className="case-words">{wordsOf(body, texts.desk.eventParts, values)}</span>
					</li>
				))}
			</ol>
		</Card>
	);
}

/** Keys that the reader has seen already, or that say nothing to people. */
const SILENT = ['kind', 'sourceKey', 'profile', 'sha256', 'attachment', 'fingerprint'];

/** Words that the programs use among themselves, as people say them. */
function valueNames(texts: Texts): Readonly<Record<string, string>> {
	const { channels, parties, yes, relations } = texts.desk;
	return { ...relations, ...channels, ...parties, ...texts.fault.causes, ...texts.change.natures, ...texts.fault.steps, true: yes };
}

function wordsOf(body: CaseEventAnswer['body'], names: Readonly<Record<string, string>>, values: Readonly<Record<string, string>>): string {
	return Object.entries(body)
		.filter(
			([key, value]) =>
				!SILENT.includes(key) && value !== '' && value !== null && value !== false && !(Array.isArray(value) && value.length === 0),
		)
		.map(([key, value]) => {
			const text =
				key.endsWith('Ms') && typeof value === 'number'
					? dateTimeText(value)
					: Array.isArray(value)
						? value.map((one) => values[String(one)] ?? String(one)).join('、')
						: (values[String(value)] ?? String(value));
			return `${names[key] ?? key}：${text}`;
		})
		.join('；');
}
