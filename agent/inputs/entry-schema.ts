import { Type } from 'typebox';
import { DURATION_PATTERN } from '../../core/duration.ts';

/** A duration such as `10s`. */
export function durationSchema(value?: string) {
	return Type.String({ pattern: DURATION_PATTERN, ...(value === undefined ? {} : { default: value }) });
}

/** Keys that every configured source has. A function, because each schema must own its default objects. */
export function entryProperties() {
	return {
		/** How often, unless the agent's `interval`. */
		interval: Type.Optional(durationSchema()),
		timeout: durationSchema('5s'),
		/** Label `instance`; the address unless given. */
		instance: Type.Optional(Type.String({ minLength: 1 })),
		/** Labels added to every series of the source; they win over the host's. */
		labels: Type.Record(Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' }), Type.String(), { default: {} }),
	};
}
