import { type Static, Type } from 'typebox';
import { DURATION_PATTERN } from '../../core/duration.ts';

const Duration = (byDefault: string) => Type.String({ pattern: DURATION_PATTERN, default: byDefault });

/** Key `identity` of collector.yml. The defaults are what protection level 3 (等保三级) asks for. */
export const IdentityConfigSchema = Type.Object(
	{
		session_idle: Duration('30m'),
		lockout_failures: Type.Integer({ minimum: 1, maximum: 100, default: 5 }),
		lockout: Duration('30m'),
	},
	{ additionalProperties: false, default: {} },
);
export type IdentityConfig = Static<typeof IdentityConfigSchema>;
