import { type Static, Type } from 'typebox';
import { DURATION_PATTERN } from '../../core/duration.ts';

/** Key `store` of collector.yml. */
export const StoreConfigSchema = Type.Object(
	{
		retention: Type.String({ pattern: DURATION_PATTERN, default: '30d', description: 'How long samples are kept.' }),
		check_retention: Type.String({
			pattern: DURATION_PATTERN,
			default: '1096d',
			description: 'How long check series (probe_success, fournines_check_*) are kept, so that a ledger can be recomputed.',
		}),
		fsync: Type.Union([Type.Literal('interval'), Type.Literal('always')], {
			default: 'interval',
			description: 'interval: a power cut may cost the last second. always: every acknowledged sample is on the disk.',
		}),
		max_series: Type.Integer({ minimum: 1000, default: 2_000_000, description: 'Series that may exist; more are refused.' }),
	},
	{ additionalProperties: false, default: {} },
);
export type StoreConfig = Static<typeof StoreConfigSchema>;
