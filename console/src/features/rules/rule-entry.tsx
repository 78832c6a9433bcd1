import { useState } from 'react';
import type { AlertRuleAnswer } from '../../../../protocol/rule-api.ts';
import { durationText } from '../../format/duration.ts';
import { Mark } from '../../layout/state-mark.tsx';
import { useLanguage, useTexts } from '../../texts/language.tsx';
import { SEVERITY_COLORS, STATE_COLORS, severityOf } from '../../theme.ts';
import { RunbookLink } from '../open-alerts/runbook-link.tsx';
import { OverrideTable } from './override-table.tsx';
import { withoutHoles } from './threshold-scope.ts';
import { ThresholdTrial } from './threshold-trial.tsx';

interface RuleEntryProps {
	readonly rule: AlertRuleAnswer;
	readonly configFile: string;
	/** Whether it is open at first. */
	readonly begun: boolean;
}

export function RuleEntry({ rule, configFile, begun }: RuleEntryProps) {
	const { texts, language } = useLanguage();
	const words = texts.rules;
	const [open, setOpen] = useState(begun);
	const { name, annotations, threshold, overrides } = rule;
	const summary = (language === 'en' ? annotations['summary_en'] : undefined) ?? annotations['summary'] ?? '';
	const { description, runbook_url: runbook } = annotations;
	return (
		<article className="alert-entry">
			<div className="alert-row">
				<RuleSeverity rule={rule} />
				<button type="button" className="alert-text alert-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>
					<b>{name}</b>
					<small className="muted">
						{withoutHoles(summary)}
						{overrides.length === 0 ? null : <span className="chip">{words.set(overrides.length)}</span>}
					</small>
				</button>
				<span className="num muted rule-threshold">{threshold === null ? '' : words.threshold(String(threshold.value))}</span>
				<RuleState rule={rule} />
			</div>
			{open ? (
				<div className="alert-details">
					{rule.lastError === '' ? null : <p className="error-detail">{words.failed(rule.lastError)}</p>}
					{description === undefined ? null : <p>{withoutHoles(description)}</p>}
					<pre className="rule-query">{rule.query}</pre>
					<p className="muted">
						{[
							rule.forSeconds === 0 ? words.atOnce : words.lasting(durationText(rule.forSeconds, texts.duration)),
							`${rule.file.split('/').at(-1)} · ${rule.group}`,
						].join('；')}
					</p>
					<RunbookLink address={runbook} />
					{threshold === null ? (
						<p className="muted">{words.noThreshold}</p>
					) : (
						<>
							<OverrideTable overrides={overrides} written={threshold.value} configFile={configFile} />
							<ThresholdTrial rule={name} threshold={threshold} lasting={rule.forSeconds} />
						</>
					)}
				</div>
			) : null}
		</article>
	);
}

/** Filled only where something fires: a rule is no alert. */
function RuleSeverity({ rule: { labels, firing } }: { readonly rule: AlertRuleAnswer }) {
	const texts = useTexts();
	const severity = severityOf(labels['severity']);
	return <Mark color={SEVERITY_COLORS[severity]} text={texts.severity[severity]} filled={firing > 0 && severity === 'critical'} />;
}

function RuleState({ rule }: { readonly rule: AlertRuleAnswer }) {
	const words = useTexts().rules;
	if (rule.lastError !== '') return <Mark color={STATE_COLORS.down} text={words.states.failed} />;
	if (rule.firing > 0) return <Mark color={STATE_COLORS.down} text={words.states.firing(rule.firing)} />;
	if (rule.pending > 0) return <Mark color={STATE_COLORS.degraded} text={words.states.pending(rule.pending)} />;
	return <Mark color={STATE_COLORS.up} text={words.states.inactive} />;
}
