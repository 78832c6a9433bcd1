import { Button, Card } from 'antd';
import { type FormEvent, useState } from 'react';
import { useBudgets, useWhatIf } from '../../api/availability.ts';
import type { Span } from '../../api/desk.ts';
import { durationText } from '../../format/duration.ts';
import { dateTimeText, localInputText, parseLocalInput } from '../../format/time.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';

/** Where the month's budget stands, when it will be lost, and what an outage would cost. */
export function BudgetCard({ service }: { readonly service: string }) {
	const texts = useTexts();
	const words = texts.budgets;
	const budgets = useBudgets();
	const state = budgets.data?.budgets.find(({ serviceId }) => serviceId === service);
	if (budgets.error !== null) return <ErrorNotice error={budgets.error} onRetry={() => void budgets.refetch()} />;
	if (state === undefined) return null;
	const seconds = (value: number) => durationText(Math.max(0, value), texts.duration);
	const burning = state.burns.filter((burn) => burn.burning);
	const { lostAtMs, lossForecastAtMs } = state;
	const verdict =
		lostAtMs !== null
			? { color: STATE_COLORS.down, text: words.lost(dateTimeText(lostAtMs)) }
			: lossForecastAtMs !== null
				? { color: STATE_COLORS.degraded, text: words.forecast(dateTimeText(lossForecastAtMs)) }
				: { color: STATE_COLORS.up, text: words.safe };
	return (
		<Card title={words.title}>
			<p className="ledger-note">
				<Mark color={verdict.color} text={verdict.text} />{' '}
				{state.remainingSeconds < 0 ? null : (
					<span className="muted num">
						{words.left} {seconds(state.remainingSeconds)}
					</span>
				)}
			</p>
			{burning.map((burn) => (
				<p key={burn.name} className="num ledger-note">
					{words.burning(seconds(burn.longSeconds), seconds(burn.longUsedSeconds), seconds(burn.longLimitSeconds), burn.failedChecks)}
				</p>
			))}
			<WhatIf service={service} />
		</Card>
	);
}

function WhatIf({ service }: { readonly service: string }) {
	const texts = useTexts();
	const words = texts.budgets;
	const [begin, setBegin] = useState(() => localInputText(Date.now() + 3_600_000));
	const [minutes, setMinutes] = useState('20');
	const [span, setSpan] = useState<Span | null>(null);
	const { data, error } = useWhatIf(service, span);
	const seconds = (value: number) => durationText(Math.max(0, value), texts.duration);
	const submit = (event: FormEvent) => {
		event.preventDefault();
		const fromMs = parseLocalInput(begin);
		const lengthMs = Number(minutes) * 60_000;
		if (fromMs !== null && lengthMs > 0) setSpan({ fromMs, toMs: fromMs + lengthMs });
	};
	return (
		<form className="report-form" onSubmit={submit}>
			<span className="muted">{words.whatIfAbout}</span>
			<label>
				<span>{words.begin}</span>
				<input className="plain-select num" type="datetime-local" value={begin} onChange={({ target }) => setBegin(target.value)} />
			</label>
			<label>
				<input
					className="plain-select num"
					type="number"
					min={1}
					max={44_640}
					value={minutes}
					onChange={({ target }) => setMinutes(target.value)}
				/>
				<span>{words.minutes}</span>
			</label>
			<Button htmlType="submit">{words.whatIf}</Button>
			{error === null ? null : <ErrorNotice error={error} />}
			{data === undefined ? null : (
				<output className="num">
					<Mark color={data.kept ? STATE_COLORS.up : STATE_COLORS.down} text={data.kept ? words.kept : words.notKept} />{' '}
					{words.cost(
						seconds(data.costSeconds),
						seconds(data.freeSeconds),
						`${data.remainingAfterSeconds < 0 ? '-' : ''}${seconds(Math.abs(data.remainingAfterSeconds))}`,
					)}
				</output>
			)}
		</form>
	);
}
