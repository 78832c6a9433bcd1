import { stringify } from 'yaml';
import type { AlertsConfig, RouteConfig } from '../../../alerts/config.ts';

/**
 * The routing part of the configuration as an Alertmanager would write it, so that `amtool config routes` can read it.
 * Receivers appear by name only: what they hold is ours, and partly secret.
 */
export function renderAlertmanagerConfig(config: AlertsConfig): string {
	return stringify({
		global: { resolve_timeout: config.global.resolve_timeout },
		route: renderRoute(config.route),
		receivers: config.receivers.map(({ name }) => ({ name })),
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
