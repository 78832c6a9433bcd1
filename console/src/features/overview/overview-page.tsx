import { Alert, Card, Empty } from 'antd';
import { Link } from 'react-router';
import type { HostStatus, OverviewAnswer, ServiceState } from '../../../../protocol/api.ts';
import { OVERVIEW_REFRESH_MS, useOverview } from '../../api/product.ts';
import { durationText } from '../../format/duration.ts';
import { clockText } from '../../format/time.ts';
import { useNow } from '../../format/use-now.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { PageSpin } from '../../layout/shell.tsx';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { SEVERITY_COLORS, type Severity, STATE_COLORS, severityOf } from '../../theme.ts';
import { AlertRow } from './alert-row.tsx';
import { ServiceRow } from './service-row.tsx';

/** Three missed refreshes: what is shown is no longer the present. */
const STALE_MS = 3 * OVERVIEW_REFRESH_MS;

export function OverviewPage() {
	const texts = useTexts();
	const overview = useOverview();
	const now = useNow();
	const { data } = overview;
	if (data === undefined) {
		if (overview.error !== null) return <ErrorNotice error={overview.error} onRetry={() => void overview.refetch()} />;
		return <PageSpin />;
	}
	// Ages are counted by the collector's clock: this machine's may be wrong.
	const serverNow = data.nowMs + Math.max(0, now - overview.dataUpdatedAt);
	const hidden = data.alerts.filter((alert) => alert.suppressed).length;
	const stale = overview.error !== null || now - overview.dataUpdatedAt > STALE_MS;
	return (
		<div className={stale ? 'overview overview-stale' : 'overview'}>
			{stale ? <Alert type="warning" showIcon banner title={texts.overview.stale(clockText(data.nowMs))} /> : null}
			<Summary overview={data} />
			<Card
				title={texts.overview.services}
				extra={<span className="muted num">{texts.overview.updated(clockText(data.nowMs))}</span>}
				className="flush"
			>
				{data.services.length === 0 ? <Empty description={texts.overview.noServices} image={Empty.PRESENTED_IMAGE_SIMPLE} /> : null}
				{data.services.length === 0 ? null : (
					<div className="service-head" aria-hidden="true">
						<span>{texts.overview.services}</span>
						<span>{texts.overview.state}</span>
						<span>{texts.overview.month}</span>
						<span title={texts.overview.coverageHint}>{texts.overview.coverage}</span>
						<span>{texts.overview.budget}</span>
					</div>
				)}
				{data.services.map((service) => (
					<ServiceRow key={service.id} service={service} nowMs={serverNow} />
				))}
			</Card>
			<div className="overview-columns">
				<Card title={texts.overview.alerts} extra={<Link to="/alerts">{texts.alerts.details}</Link>} className="flush">
					{data.alerts.length === hidden ? (
						<p className="quiet">
							<Mark color={STATE_COLORS.up} text={texts.overview.noAlerts} />
						</p>
					) : null}
					{data.alerts
						.filter((alert) => !alert.suppressed)
						.map((alert) => (
							<AlertRow key={alert.fingerprint} alert={alert} nowMs={serverNow} />
						))}
					{hidden === 0 ? null : <p className="quiet muted">{texts.overview.hidden(hidden)}</p>}
				</Card>
				<Card title={texts.overview.hosts} className="flush">
					{data.hosts.length === 0 ? <p className="quiet muted">{texts.overview.noHosts}</p> : null}
					{data.hosts.map((host) => (
						<HostRow key={host.host} host={host} nowMs={serverNow} />
					))}
				</Card>
			</div>
		</div>
	);
}

const STATE_ORDER: readonly ServiceState[] = ['down', 'degraded', 'unknown', 'excluded', 'up'];
const SEVERITY_ORDER: readonly Severity[] = ['critical', 'warning', 'info', 'other'];

/** One line that answers "is anything wrong": counts by state, worst first. */
function Summary({ overview }: { readonly overview: OverviewAnswer }) {
	const texts = useTexts();
	const open = overview.alerts.filter((alert) => !alert.suppressed);
	const alive = overview.hosts.filter((host) => host.alive).length;
	const states = STATE_ORDER.map((state) => ({ state, count: overview.services.filter((service) => service.state === state).length }));
	const severities = SEVERITY_ORDER.map((severity) => ({
		severity,
		count: open.filter((alert) => severityOf(alert.labels['severity']) === severity).length,
	}));
	return (
		<div className="summary">
			<div className="summary-cell">
				<span className="summary-name">{texts.overview.services}</span>
				<span className="summary-value">
					{states.every(({ state, count }) => state === 'up' || count === 0) && overview.services.length > 0 ? (
						<b style={{ color: STATE_COLORS.up }}>{texts.overview.allUp}</b>
					) : (
						states
							.filter(({ count }) => count > 0)
							.map(({ state, count }) => (
								<b key={state} style={{ color: STATE_COLORS[state] }}>
									{texts.overview.stateCount(count, texts.state[state])}
								</b>
							))
					)}
					{overview.services.length === 0 ? <b className="muted">{texts.common.none}</b> : null}
				</span>
			</div>
			<div className="summary-cell">
				<span className="summary-name">{texts.overview.alerts}</span>
				<span className="summary-value">
					{open.length === 0 ? <b style={{ color: STATE_COLORS.up }}>{texts.overview.noAlerts}</b> : null}
					{severities
						.filter(({ count }) => count > 0)
						.map(({ severity, count }) => (
							<b key={severity} style={{ color: SEVERITY_COLORS[severity] }}>
								{texts.overview.stateCount(count, texts.severity[severity])}
							</b>
						))}
				</span>
			</div>
			<div className="summary-cell">
				<span className="summary-name">{texts.overview.hosts}</span>
				<span className="summary-value">
					<b style={{ color: alive === overview.hosts.length ? undefined : STATE_COLORS.down }}>
						{texts.overview.hostsAlive(alive, overview.hosts.length)}
					</b>
				</span>
			</div>
			<div className="summary-cell">
				<span className="summary-name">{texts.overview.series}</span>
				<span className="summary-value">
					<b>{overview.activeSeries.toLocaleString('en-US')}</b>
				</span>
			</div>
		</div>
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
