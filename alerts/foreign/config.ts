import { type Static, Type } from 'typebox';
import { DURATION_PATTERN } from '../../core/duration.ts';
import { SecretRefSchema } from '../../core/secret.ts';

const Texts = Type.Record(Type.String(), Type.String());

/** Alerts of another system, posted to `/api/fournines/v1/intake/NAME`. Texts hold `{path}`, or `{path|other.path}` for the first that has a value. */
export const IntakeConfigSchema = Type.Object(
	{
		name: Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,63}$' }),
		/** Sent as `Authorization: Bearer …` or, by what can set an address only, as `?token=…`. */
		token: SecretRefSchema,
		/** What the values below begin with. `custom` begins with nothing. */
		format: Type.Union([Type.Literal('custom'), Type.Literal('zabbix'), Type.Literal('aliyun'), Type.Literal('tencent')], {
			default: 'custom',
		}),
		/** Dotted path to a list of alerts inside of the body. */
		items: Type.Optional(Type.String()),
		labels: Type.Optional(Texts),
		annotations: Type.Optional(Texts),
		/** What says that it is over, and the values that mean so. */
		status: Type.Optional(Type.String()),
		resolved: Type.Optional(Type.Array(Type.String())),
		severity: Type.Optional(Type.String()),
		/** The other system's words → critical, warning or info; what is missing is `default_severity`. */
		severities: Type.Optional(Texts),
		default_severity: Type.Optional(Type.Union([Type.Literal('critical'), Type.Literal('warning'), Type.Literal('info')])),
		starts_at: Type.Optional(Type.String()),
		/** They say a thing once: without a word that it is over, it ends after this long. */
		hold: Type.String({ pattern: DURATION_PATTERN, default: '7d' }),
	},
	{ additionalProperties: false },
);
export type IntakeConfig = Static<typeof IntakeConfigSchema>;
