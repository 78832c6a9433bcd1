import { type Static, Type } from 'typebox';
import { DURATION_PATTERN } from '../../core/duration.ts';
import { SEVERITIES } from '../../protocol/alert.ts';

const Duration = (byDefault: string) => Type.String({ pattern: DURATION_PATTERN, default: byDefault });
const Texts = (maxItems: number) => Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems, default: [] });

/**
 * Whom a step calls: `roster:ID` (who has duty at that moment), `next:ID` (who has it after them), `person:ID`, `team:ID` (all of its
 * members) or `lead:ID` (the lead of a team).
 */
const Target = Type.String({ pattern: '^(roster|next|person|team|lead):[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$' });

const StepSchema = Type.Object(
	{
		to: Type.Array(Target, { minItems: 1, maxItems: 20, uniqueItems: true }),
		/** How long to wait for somebody to take it before calling again or going on. */
		wait: Duration('5m'),
		times: Type.Integer({ minimum: 1, maximum: 20, default: 1 }),
	},
	{ additionalProperties: false },
);

/** The first policy whose conditions all hold is taken; a condition that is absent always holds. */
export const PolicySchema = Type.Object(
	{
		name: Type.String({ minLength: 1, maxLength: 100 }),
		severities: Type.Array(Type.Union(SEVERITIES.map((severity) => Type.Literal(severity))), { uniqueItems: true, default: [] }),
		/** Values of the label `service`. */
		services: Texts(500),
		/** Levels of a declared fault; such a policy takes over when the fault is given that level. */
		fault_levels: Texts(20),
		/** As in a route. */
		matchers: Texts(50),
		steps: Type.Array(StepSchema, { minItems: 1, maxItems: 50 }),
		/** How often the whole chain is gone through while nobody takes it. */
		rounds: Type.Integer({ minimum: 1, maximum: 100, default: 2 }),
		/** An incident that was taken and is still not over is nobody's again after this long; 0 for never. */
		unacknowledge_after: Duration('1h'),
	},
	{ additionalProperties: false },
);
export type PolicyConfig = Static<typeof PolicySchema>;
