import type { ServiceState, ServiceStatus } from '../../../../protocol/api.ts';

/** Worst first: what somebody must act on is on top. */
export const STATE_ORDER: readonly ServiceState[] = ['down', 'degraded', 'unknown', 'excluded', 'up'];

/** Worst first, core services before others in the same state; otherwise as the inventory names them. */
export function worstFirst(services: readonly ServiceStatus[]): readonly ServiceStatus[] {
	const rank = ({ state, core }: ServiceStatus) => STATE_ORDER.indexOf(state) * 2 + (core ? 0 : 1);
	return [...services].sort((a, b) => rank(a) - rank(b));
}
