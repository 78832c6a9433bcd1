import { useMutation } from '@tanstack/react-query';
import { Button, Input, InputNumber } from 'antd';
import { type FormEvent, useId, useState } from 'react';
import type { AlertRuleAnswer } from '../../../../protocol/rule-api.ts';
import { type PromSeries, queryInstant } from '../../api/prometheus.ts';
import { durationText } from '../../format/duration.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { useTexts } from '../../texts/language.tsx';
import { alertPlace } from '../open-alerts/alert-words.ts';
import { isInScope, type ThresholdScope, thresholdLine } from './threshold-scope.ts';

interface ThresholdTrialProps {
	readonly rule: string;
	readonly threshold: NonNullable<AlertRuleAnswer['threshold']>;
	/** How long it must last before an alert comes of it. */
	readonly lasting: number;
}

const SHOWN = 12;
const TIMEOUT_MS = 30_000;

/** Tries another threshold on what is measured now, and gives the line that would set it. Nothing is changed by it. */
export function ThresholdTrial({ rule, threshold, lasting }: ThresholdTrialProps) {
	const texts = useTexts();
	const words = texts.rules.trial;
	const [value, setValue] = useState<number | null>(threshold.value);
	const [scope, setScope] = useState<ThresholdScope>({ host: '', system: '' });
	const attempt = useMutation({
		mutationFn: async (tried: { readonly value: number; readonly scope: ThresholdScope }) => {
			const ask = async (number: number): Promise<readonly PromSeries[]> => {
				const found = await queryInstant(threshold.parts.join(String(number)), Date.now() / 1000, AbortSignal.timeout(TIMEOUT_MS));
				return found.filter(({ metric }) => isInScope(metric, tried.scope));
			};
			const [found, before] = await Promise.all([ask(tried.value), ask(threshold.value)]);
			return { ...tried, found, before: before.length };
		},
	});
	const submit = (event: FormEvent) => {
		event.preventDefault();
		if (value !== null) attempt.mutate({ value, scope });
	};
	const id = useId();
	const named = (name: keyof ThresholdScope) => (
		<label htmlFor={`${id}${name}`}>
			{words[name]}
			<Input id={`${id}${name}`} value={scope[name]} onChange={({ target }) => setScope({ ...scope, [name]: target.value.trim() })} />
		</label>
	);
	const { data } = attempt;
	return (
		<div className="rule-trial">
			<form className="report-form" onSubmit={submit}>
				<b>{words.title}</b>
				<label htmlFor={id}>
					{words.value}
					<InputNumber id={id} value={value} onChange={setValue} />
				</label>
				{named('host')}
				{named('system')}
				<Button htmlType="submit" loading={attempt.isPending} disabled={value === null}>
					{words.run}
				</Button>
			</form>
			{attempt.error === null ? null : <ErrorNotice error={attempt.error} />}
			{data === undefined ? null : (
				<>
					<p>
						<b>{words.found(data.found.length, data.before)}</b>{' '}
						{lasting === 0 ? null : <span className="muted">{words.lasting(durationText(lasting, texts.duration))}</span>}
					</p>
					<div className="label-list">
						{data.found.slice(0, SHOWN).map(({ metric, values }) => (
							<code key={JSON.stringify(metric)}>
								{alertPlace({ labels: metric, annotations: {} }) || rule} = {values.at(-1)?.[1]}
							</code>
						))}
						{data.found.length > SHOWN ? <span className="muted">+ {data.found.length - SHOWN}</span> : null}
					</div>
					<p>{words.how}</p>
					<pre className="rule-query">{`rules:\n  thresholds:\n    ${thresholdLine(rule, data.value, data.scope)}`}</pre>
				</>
			)}
		</div>
	);
}
