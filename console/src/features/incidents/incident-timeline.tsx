import { Card } from 'antd';
import type { TimelineLine } from '../../../../protocol/incident-api.ts';
import { dateTimeText } from '../../format/time.ts';
import { useTexts } from '../../texts/language.tsx';
import type { Texts } from '../../texts/zh.ts';

/** What happened, from the first sample to the end, oldest first: it is read like a story. */
export function IncidentTimeline({ lines }: { readonly lines: readonly TimelineLine[] }) {
	const texts = useTexts();
	const words = texts.incident;
	return (
		<Card className="flush" title={words.timeline}>
			<ol className="oncall-timeline">
				{lines.map(({ atMs, kind, actor, detail }, i) => (
					// biome-ignore lint/suspicious/noArrayIndexKey: lines are only ever added, and several may share time and kind.
					<li key={i} className={`oncall-line oncall-${kind}`}>
						<span className="num muted">{dateTimeText(atMs)}</span>
						<span>
							<b>{words.lines[kind] ?? kind}</b>
							{actor === 'fournines' ? null : <span className="chip">{actor}</span>}
							<span className="oncall-words">
								{Object.entries(detail)
									.filter(([, value]) => value !== '')
									.map(([name, value]) => `${words.details[name] ?? name} ${valueText(String(value), words)}`)
									.join(' · ')}
							</span>
						</span>
					</li>
				))}
			</ol>
		</Card>
	);
}

/** Targets (`roster:first`) keep their id; what hid an alert (`topology:FINGERPRINT`) has one that says nothing to people. */
function valueText(value: string, { words, targets, hiddenBy }: Texts['incident']): string {
	const colon = value.indexOf(':');
	const kind = value.slice(0, Math.max(0, colon));
	const target = targets[kind];
	return words[value] ?? hiddenBy[kind] ?? (target === undefined ? value : `${target} ${value.slice(colon + 1)}`);
}
