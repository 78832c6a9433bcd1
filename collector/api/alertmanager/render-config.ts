import { stringify } from 'yaml';
import type { AlertsConfig, RouteConfig } from '../../../alerts/config.ts';
import type { NamedTimeIntervalConfig, TimeSpecConfig } from '../../../alerts/time/time-interval.ts';

/**
 * The routing part of the configuration as an Alertmanager would write it, so that `amtool config routes` can read it.
 * Receivers appear by name only: what they hold is ours, and partly secret.
 */
export function renderAlertmanagerConfig(config: AlertsConfig): string {
	return stringify({
		global: { resolve_timeout: config.global.resolve_timeout },
		route: renderRoute(config.route),
		receivers: config.receivers.map(({ name }) => ({ name })),
		...(config.time_intervals.length + config.mute_time_intervals.length === 0
			? {}
			: { time_intervals: [...config.time_intervals, ...config.mute_time_intervals].map(renderInterval) }),
		inhibit_rules: config.inhibit_rules.map(withoutEmpty),
	});
}

function renderRoute(route: RouteConfig): object {
	return { ...withoutEmpty({ ...route, routes: [] }), ...(route.routes.length === 0 ? {} : { routes: route.routes.map(renderRoute) }) };
}

function withoutEmpty(object: object): Record<string, unknown> {
	return Object.fromEntries(
		Object.entries(object).filter(([, value]) => !(typeof value === 'object' && value !== null && Object.keys(value).length === 0)),
	);
}

function renderInterval(interval: NamedTimeIntervalConfig): object {
	return { name: interval.name, time_intervals: interval.time_intervals.map((spec) => withoutEmpty(renderRanges(spec))) };
}

/** Alertmanager reads single numbers of ranges as text only, and knows no statutory days. */
function renderRanges({ days: _ours, ...spec }: TimeSpecConfig): object {
	const texts = (values: readonly (string | number)[]) => values.map(String);
	return { ...spec, days_of_month: texts(spec.days_of_month), months: texts(spec.months), years: texts(spec.years) };
}
