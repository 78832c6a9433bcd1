import { expect, test } from 'vitest';
import type { ServiceState, ServiceStatus } from '../../../../protocol/api.ts';
import { worstFirst } from './state-order.ts';

test('what is down comes first, core services before others, the rest as it was', () => {
	const service = (id: string, state: ServiceState, core = false) => ({ id, state, core }) as ServiceStatus;
	const services = [
		service('a', 'up'),
		service('b', 'down'),
		service('c', 'unknown'),
		service('d', 'down', true),
		service('e', 'up', true),
		service('f', 'up'),
		service('g', 'degraded'),
	];
	expect(worstFirst(services).map(({ id }) => id)).toEqual(['d', 'b', 'g', 'c', 'e', 'a', 'f']);
});
