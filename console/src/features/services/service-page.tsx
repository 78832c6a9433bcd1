import { Card, Empty, Segmented } from 'antd';
import { useMemo, useState } from 'react';
import { Link, useParams } from 'react-router';
import type { LedgerAnswer, ServiceState, ServiceStatus } from '../../../../protocol/api.ts';
import { ApiError } from '../../api/client.ts';
import { useLedger, useOverview } from '../../api/product.ts';
import { durationText } from '../../format/duration.ts';
import { clockText, dateTimeText, dayStartMs, monthStartMs } from '../../format/time.ts';
import { useNow } from '../../format/use-now.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { Heading } from '../../layout/heading.tsx';
import { PageSpin } from '../../layout/shell.tsx';
import { StateMark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { BudgetBar } from '../overview/budget-bar.tsx';
import { sliText } from '../overview/sli-text.ts';
import { worstFirst } from '../overview/state-order.ts';
import { BudgetCard } from './budget-card.tsx';
import { Figure } from './figure.tsx';
import { IntervalTable } from './interval-table.tsx';
import { LedgerBand } from './ledger-band.tsx';
import { RequestsCard } from './requests-card.tsx';

type Span = 'today' | 'week' | 'month';
const DAY_MS = 86_400_000;
/** The ledger is asked again this often; its newest seconds wait for confirmation anyway. */
const REFRESH_MS = 10_000;

function spanStart(span: Span, nowMs: number): number {
	if (span === 'month') return monthStartMs(nowMs);
	return span === 'today' ? dayStartMs(nowMs) : dayStartMs(nowMs) - 6 * DAY_MS;
}

export function ServicePage() {
	const texts = useTexts();
	const { id = '' } = useParams();
	const [span, setSpan] = useState<Span>('today');
	const overview = useOverview();
	const now = useNow(REFRESH_MS);
	const range = useMemo(() => ({ fromMs: spanStart(span, now), toMs: Math.floor(now / 1000) * 1000 }), [span, now]);
	const ledger = useLedger(id, range);
	const service = overview.data?.services.find((each) => each.id === id);
	const missing = ledger.error instanceof ApiError && ledger.error.status === 404;
	const full = { fromMs: range.fromMs, toMs: span === 'today' ? range.fromMs + DAY_MS : range.toMs };
	return (
		<div className="stack">
			<div className="page-title">
				<Link to="/">{texts.service.back}</Link>
				<Heading>{service?.name ?? id}</Heading>
				{service?.core === true ? <span className="chip">{texts.overview.core}</span> : null}
				{service === undefined ? null : <StateMark state={service.state} />}
				{service?.sinceMs == null ? null : (
					<span className="muted num">
						{texts.overview.since} {durationText((now - service.sinceMs) / 1000, texts.duration)}
					</span>
				)}
				<div className="end">
					<Segmented
						value={span}
						onChange={setSpan}
						options={[
							{ value: 'today', label: texts.service.today },
							{ value: 'week', label: texts.service.week },
							{ value: 'month', label: texts.service.month },
						]}
					/>
				</div>
			</div>
			{missing ? <Empty description={texts.service.missing} /> : null}
			{ledger.error !== null && !missing ? <ErrorNotice error={ledger.error} onRetry={() => void ledger.refetch()} /> : null}
			{ledger.data === undefined && ledger.error === null ? <PageSpin /> : null}
			{ledger.data === undefined || missing ? null : <Ledger ledger={ledger.data} range={full} />}
			{missing ? null : <RequestsCard service={id} span={range} />}
			{service === undefined ? null : <BudgetCard service={id} />}
			{service === undefined ? null : <Parts service={service} all={overview.data?.services ?? []} />}
			{service === undefined || service.checks.length === 0 ? null : (
				<Card title={texts.service.checks} className="flush">
					{service.checks.map((check) => (
						<div key={check.id} className="check-row">
							<span>{check.id}</span>
							<StateMark state={check.state} />
						</div>
					))}
				</Card>
			)}
		</div>
	);
}

/** The services that it is made of, worst first, and those that it is a part of. */
function Parts({ service, all }: { readonly service: ServiceStatus; readonly all: readonly ServiceStatus[] }) {
	const words = useTexts().service;
	const lists = [
		{ title: words.parts, services: all.filter(({ id }) => service.children.includes(id)) },
		{ title: words.partOf, services: all.filter(({ children }) => children.includes(service.id)) },
	];
	return lists.map(({ title, services }) =>
		services.length === 0 ? null : (
			<Card key={title} title={title} className="flush">
				{worstFirst(services).map(({ id, name, state }) => (
					<div key={id} className="check-row">
						<Link to={`/services/${encodeURIComponent(id)}`}>{name}</Link>
						<StateMark state={state} />
					</div>
				))}
			</Card>
		),
	);
}

const SECONDS_SHOWN: readonly ServiceState[] = ['up', 'degraded', 'down', 'unknown', 'excluded'];

function Ledger({ ledger, range }: { readonly ledger: LedgerAnswer; readonly range: { readonly fromMs: number; readonly toMs: number } }) {
	const texts = useTexts();
	const { figures } = ledger;
	const seconds: Record<ServiceState, number> = {
		up: figures.upSeconds,
		degraded: figures.degradedSeconds,
		down: figures.downSeconds,
		unknown: figures.unknownSeconds,
		excluded: figures.excludedSeconds,
	};
	return (
		<>
			<Card title={texts.service.ledger}>
				<LedgerBand intervals={ledger.intervals} range={range} />
				<p className="muted ledger-note num">
					{dateTimeText(figures.fromMs)} → {dateTimeText(figures.toMs)}
				</p>
				<p className="muted ledger-note">{texts.service.provisional(clockText(ledger.provisionalFromSeconds * 1000))}</p>
			</Card>
			<Card title={texts.service.figures}>
				<div className="figures">
					<Figure name={texts.service.sli} value={sliText(figures)} note={texts.overview.target(figures.target)} large />
					<Figure
						name={texts.service.coverage}
						value={figures.coverage === null ? '—' : `${figures.coverage}%`}
						note={texts.overview.coverageHint}
						large
					/>
					<div className="figure figure-budget">
						<span className="muted">{texts.service.budget}</span>
						<BudgetBar usedSeconds={figures.budgetUsedSeconds} budgetSeconds={figures.budgetSeconds} />
					</div>
				</div>
				<div className="figures figures-seconds">
					{SECONDS_SHOWN.map((state) => (
						<Figure
							key={state}
							name={texts.service[state]}
							value={durationText(seconds[state], texts.duration)}
							note={seconds[state] < 60 ? '' : texts.common.seconds(seconds[state])}
						/>
					))}
					<Figure
						name={texts.service.unconfirmed}
						value={durationText(figures.unconfirmedSeconds, texts.duration)}
						note={figures.unconfirmedSeconds < 60 ? '' : texts.common.seconds(figures.unconfirmedSeconds)}
					/>
				</div>
			</Card>
			<IntervalTable intervals={ledger.intervals} toSeconds={Math.floor(figures.toMs / 1000)} />
		</>
	);
}
