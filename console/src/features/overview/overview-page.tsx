import { Alert, Card, Empty } from 'antd';
import { Link } from 'react-router';
import type { HostStatus, OpenAlert } from '../../../../protocol/api.ts';
import { OVERVIEW_REFRESH_MS, useOverview } from '../../api/product.ts';
import { durationText } from '../../format/duration.ts';
import { clockText } from '../../format/time.ts';
import { useNow } from '../../format/use-now.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { Heading } from '../../layout/heading.tsx';
import { useIdentity } from '../../layout/session-context.ts';
import { PageSpin } from '../../layout/shell.tsx';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';
import { AlertRow } from './alert-row.tsx';
import { FirstSteps } from './first-steps.tsx';
import { OverviewSummary } from './overview-summary.tsx';
import { ServiceRow } from './service-row.tsx';
import { worstFirst } from './state-order.ts';

/** Three missed refreshes: what is shown is no longer the present. */
const STALE_MS = 3 * OVERVIEW_REFRESH_MS;
/** The worst and oldest; all others are a page of their own, where they can be searched. */
const ALERTS_SHOWN = 6;

export function OverviewPage() {
	const texts = useTexts();
	const { mayManageAgents } = useIdentity();
	const overview = useOverview();
	const now = useNow();
	const { data } = overview;
	if (data === undefined) {
		if (overview.error !== null) return <ErrorNotice error={overview.error} onRetry={() => void overview.refetch()} />;
		return <PageSpin />;
	}
	// Ages are counted by the collector's clock: this machine's may be wrong.
	const serverNow = data.nowMs + Math.max(0, now - overview.dataUpdatedAt);
	const stale = overview.error !== null || now - overview.dataUpdatedAt > STALE_MS;
	// As it is after the first start: this machine, and the product itself as its only service.
	const begun = data.hosts.length <= 1 && data.services.length <= 1;
	return (
		<div className={stale ? 'overview overview-stale' : 'overview'}>
			<Heading className="sr-only">{texts.nav.overview}</Heading>
			{stale ? <Alert type="warning" showIcon banner title={texts.overview.stale(clockText(data.nowMs))} /> : null}
			<OverviewSummary overview={data} />
			{begun && mayManageAgents ? <FirstSteps /> : null}
			{data.alerts.length === 0 ? null : <WorstAlerts alerts={data.alerts} nowMs={serverNow} />}
			<Card
				id="services"
				title={texts.overview.services}
				extra={<span className="muted num">{texts.overview.updated(clockText(data.nowMs))}</span>}
				className="flush"
			>
				{data.services.length === 0 ? <Empty description={texts.overview.noServices} image={Empty.PRESENTED_IMAGE_SIMPLE} /> : null}
				{data.services.length === 0 ? null : (
					<div className="service-head" aria-hidden="true">
						<span>{texts.overview.name}</span>
						<span>{texts.overview.state}</span>
						<span>{texts.overview.month}</span>
						<span title={texts.overview.coverageHint}>{texts.overview.coverage}</span>
						<span>{texts.overview.budget}</span>
					</div>
				)}
				{worstFirst(data.services).map((service) => (
					<ServiceRow key={service.id} service={service} nowMs={serverNow} />
				))}
			</Card>
			<Card id="hosts" title={texts.overview.hosts} className="flush">
				{data.hosts.length === 0 ? <p className="quiet muted">{texts.overview.noHosts}</p> : null}
				<div className="host-grid">
					{[...data.hosts]
						.sort((a, b) => Number(a.alive) - Number(b.alive))
						.map((host) => (
							<HostRow key={host.host} host={host} nowMs={serverNow} />
						))}
				</div>
			</Card>
		</div>
	);
}

function WorstAlerts({ alerts, nowMs }: { readonly alerts: readonly OpenAlert[]; readonly nowMs: number }) {
	const texts = useTexts();
	const open = alerts.filter((alert) => !alert.suppressed);
	const hidden = alerts.length - open.length;
	return (
		<Card title={texts.overview.alerts} extra={<Link to="/alerts">{texts.overview.allAlerts(alerts.length)}</Link>} className="flush">
			{open.length === 0 ? (
				<p className="quiet">
					<Mark color={STATE_COLORS.up} text={texts.overview.noAlerts} />
				</p>
			) : null}
			{open.slice(0, ALERTS_SHOWN).map((alert) => (
				<AlertRow key={alert.fingerprint} alert={alert} nowMs={nowMs} />
			))}
			{hidden === 0 ? null : <p className="quiet muted">{texts.overview.hidden(hidden)}</p>}
		</Card>
	);
}

function HostRow({ host, nowMs }: { readonly host: HostStatus; readonly nowMs: number }) {
	const texts = useTexts();
	const age = durationText((nowMs - host.lastPushMs) / 1000, texts.duration);
	return (
		<Link to={`/boards/fournines-host?var-host=${encodeURIComponent(host.host)}`} className="host-row" title={texts.overview.board}>
			<span className="host-name">
				{host.host}
				{host.system === '' ? null : <small className="muted">{host.system}</small>}
			</span>
			<Mark
				color={host.alive ? STATE_COLORS.up : STATE_COLORS.down}
				text={host.alive ? texts.overview.alive : texts.overview.lost}
				filled={!host.alive}
			/>
			<span className="muted num host-age">
				{texts.overview.lastPush} {texts.common.ago(age)}
			</span>
		</Link>
	);
}
