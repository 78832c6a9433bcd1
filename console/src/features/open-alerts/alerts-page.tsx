import { Card, Checkbox, Input, Segmented } from 'antd';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import type { OpenAlert } from '../../../../protocol/api.ts';
import { useOverview } from '../../api/product.ts';
import { useNow } from '../../format/use-now.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { Heading } from '../../layout/heading.tsx';
import { Limited } from '../../layout/limited.tsx';
import { useIdentity } from '../../layout/session-context.ts';
import { PageSpin } from '../../layout/shell.tsx';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { SEVERITIES, STATE_COLORS, severityOf } from '../../theme.ts';
import { RuleList } from '../rules/rule-list.tsx';
import { AlertEntry } from './alert-entry.tsx';
import { filteredAlerts } from './filtered-alerts.ts';
import { SilenceDialog } from './silence-dialog.tsx';
import { SilenceList } from './silence-list.tsx';

type Tab = 'open' | 'silences' | 'rules';

/** What is shown stands in the address (`view`, `severity`, `q`, `held`), so that a link carries it and "back" leads to it. */
export function AlertsPage() {
	const texts = useTexts();
	const { maySilence } = useIdentity();
	const overview = useOverview();
	const [search, setSearch] = useSearchParams();
	const [silencing, setSilencing] = useState<OpenAlert | null>(null);
	const { data } = overview;
	const view = search.get('view');
	const tab: Tab = view === 'silences' || view === 'rules' ? view : 'open';
	const show = (next: Tab) => setSearch(next === 'open' ? {} : { view: next });
	return (
		<>
			<div className="page-title">
				<Heading>{texts.alerts.title}</Heading>
				<Segmented
					value={tab}
					onChange={show}
					options={[
						{ value: 'open', label: data === undefined ? texts.alerts.open : `${texts.alerts.open} ${data.alerts.length}` },
						{ value: 'silences', label: texts.alerts.silences },
						{ value: 'rules', label: texts.rules.title },
					]}
				/>
			</div>
			{overview.error === null ? null : <ErrorNotice error={overview.error} onRetry={() => void overview.refetch()} />}
			{data === undefined && overview.error === null ? <PageSpin /> : null}
			{tab === 'open' && data !== undefined ? (
				<OpenAlerts
					alerts={data.alerts}
					asOf={{ serverMs: data.nowMs, browserMs: overview.dataUpdatedAt }}
					onSilence={maySilence ? setSilencing : null}
				/>
			) : null}
			{tab === 'silences' ? <SilenceList mayEnd={maySilence} /> : null}
			{tab === 'rules' ? <RuleList /> : null}
			{silencing === null ? null : (
				<SilenceDialog
					alert={silencing}
					onClose={(made) => {
						setSilencing(null);
						if (made) show('silences');
					}}
				/>
			)}
		</>
	);
}

interface OpenAlertsProps {
	readonly alerts: readonly OpenAlert[];
	/** The same moment by both clocks. */
	readonly asOf: { readonly serverMs: number; readonly browserMs: number };
	readonly onSilence: ((alert: OpenAlert) => void) | null;
}

function OpenAlerts({ alerts, asOf, onSilence }: OpenAlertsProps) {
	const texts = useTexts();
	const now = useNow();
	const [search, setSearch] = useSearchParams();
	const serverNow = asOf.serverMs + Math.max(0, now - asOf.browserMs);
	const wanted = { severity: search.get('severity') ?? '', text: search.get('q') ?? '', withHeld: search.get('held') !== 'no' };
	const change = (name: string, value: string) =>
		setSearch(
			(before) => {
				const next = new URLSearchParams(before);
				if (value === '') next.delete(name);
				else next.set(name, value);
				return next;
			},
			{ replace: true },
		);
	const shown = filteredAlerts(alerts, wanted);
	const counted = filteredAlerts(alerts, { ...wanted, severity: '' });
	return (
		<>
			{alerts.length === 0 ? null : (
				<div className="list-filter">
					<Segmented
						className="wrapping"
						value={wanted.severity}
						onChange={(value) => change('severity', value)}
						options={[
							{ value: '', label: `${texts.alerts.every} ${counted.length}` },
							...SEVERITIES.map((severity) => ({
								value: severity as string,
								label: `${texts.severity[severity]} ${counted.filter(({ labels }) => severityOf(labels['severity']) === severity).length}`,
							})),
						]}
					/>
					<Input.Search
						className="list-search"
						allowClear
						value={wanted.text}
						placeholder={texts.alerts.search}
						aria-label={texts.alerts.search}
						onChange={({ target }) => change('q', target.value)}
					/>
					<Checkbox checked={wanted.withHeld} onChange={({ target }) => change('held', target.checked ? '' : 'no')}>
						{texts.alerts.withHeld}
					</Checkbox>
				</div>
			)}
			<Card className="flush">
				{alerts.length === 0 ? (
					<p className="quiet">
						<Mark color={STATE_COLORS.up} text={texts.alerts.none} />
					</p>
				) : null}
				{alerts.length > 0 && shown.length === 0 ? <p className="quiet muted">{texts.alerts.noneSuch}</p> : null}
				<Limited key={JSON.stringify(wanted)} items={shown}>
					{(alert) => (
						<AlertEntry
							key={alert.fingerprint}
							alert={alert}
							nowMs={serverNow}
							onSilence={onSilence === null ? null : () => onSilence(alert)}
						/>
					)}
				</Limited>
			</Card>
		</>
	);
}
