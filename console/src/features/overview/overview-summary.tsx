import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { OverviewAnswer, ServiceState } from '../../../../protocol/api.ts';
import { useTexts } from '../../texts/language.tsx';
import { SEVERITIES, SEVERITY_COLORS, STATE_COLORS, severityOf } from '../../theme.ts';
import { STATE_ORDER } from './state-order.ts';

interface Count {
	readonly key: string;
	readonly count: number;
	readonly name: string;
	readonly color: string;
	readonly to: string;
}

/** One line that answers "is anything wrong": counts by state, worst first, each with the way to what it counts. */
export function OverviewSummary({ overview }: { readonly overview: OverviewAnswer }) {
	const texts = useTexts();
	const words = texts.overview;
	const open = overview.alerts.filter((alert) => !alert.suppressed);
	const alive = overview.hosts.filter((host) => host.alive).length;
	const allUp = overview.services.every(({ state }) => state === 'up');
	const services = STATE_ORDER.map(
		(state: ServiceState): Count => ({
			key: state,
			count: overview.services.filter((service) => service.state === state).length,
			name: texts.state[state],
			color: STATE_COLORS[state],
			to: '#services',
		}),
	);
	const severities = SEVERITIES.map(
		(severity): Count => ({
			key: severity,
			count: open.filter((alert) => severityOf(alert.labels['severity']) === severity).length,
			name: texts.severity[severity],
			color: SEVERITY_COLORS[severity],
			to: `/alerts?severity=${severity}`,
		}),
	);
	return (
		<div className="summary">
			<Cell name={words.services}>
				{overview.services.length === 0 ? <b className="muted">{texts.common.none}</b> : null}
				{overview.services.length > 0 && allUp ? <b style={{ color: STATE_COLORS.up }}>{words.allUp}</b> : <Counts counts={services} />}
			</Cell>
			<Cell name={words.alerts}>
				{open.length === 0 ? <b style={{ color: STATE_COLORS.up }}>{words.noAlerts}</b> : <Counts counts={severities} />}
			</Cell>
			<Cell name={words.hosts}>
				<a href="#hosts" className="summary-link" style={{ color: alive === overview.hosts.length ? undefined : STATE_COLORS.down }}>
					{words.hostsAlive(alive, overview.hosts.length)}
				</a>
			</Cell>
			<Cell name={words.series}>
				<b>{overview.activeSeries.toLocaleString('en-US')}</b>
			</Cell>
		</div>
	);
}

function Cell({ name, children }: { readonly name: string; readonly children: ReactNode }) {
	return (
		<div className="summary-cell">
			<span className="summary-name">{name}</span>
			<span className="summary-value">{children}</span>
		</div>
	);
}

function Counts({ counts }: { readonly counts: readonly Count[] }) {
	const words = useTexts().overview;
	return counts
		.filter(({ count }) => count > 0)
		.map(({ key, count, name, color, to }) => {
			const link = { className: 'summary-link', style: { color }, children: words.stateCount(count, name) };
			// A place on this page is the browser's own to go to.
			return to.startsWith('#') ? <a key={key} href={to} {...link} /> : <Link key={key} to={to} {...link} />;
		});
}
