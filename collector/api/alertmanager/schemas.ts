import { Type } from 'typebox';
import { TimeSpecSchema } from '../../../alerts/time/time-interval.ts';

/** Bounds of what a stranger may post; far above what rules produce. */
const MAX_ALERTS_PER_POST = 10_000;
const MAX_LABELS = 100;

const DateTime = Type.String({
	maxLength: 40,
	pattern: '^\\d{4}-\\d{2}-\\d{2}[Tt]\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?([Zz]|[+-]\\d{2}:\\d{2})$',
});
const Labels = Type.Record(Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' }), Type.String({ maxLength: 4096 }), {
	additionalProperties: false,
	maxProperties: MAX_LABELS,
});
const Annotations = Type.Record(Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' }), Type.String({ maxLength: 16_384 }), {
	additionalProperties: false,
	maxProperties: MAX_LABELS,
});

/** `postableAlerts` of Alertmanager's OpenAPI 2. */
export const PostableAlertsSchema = Type.Array(
	Type.Object(
		{
			labels: Labels,
			annotations: Type.Optional(Annotations),
			startsAt: Type.Optional(DateTime),
			endsAt: Type.Optional(DateTime),
			generatorURL: Type.Optional(Type.String({ maxLength: 8192 })),
		},
		{ additionalProperties: false },
	),
	{ maxItems: MAX_ALERTS_PER_POST },
);

/** `postableSilence`. */
export const PostableSilenceSchema = Type.Object(
	{
		id: Type.Optional(Type.String({ maxLength: 64 })),
		matchers: Type.Array(
			Type.Object(
				{
					name: Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$', maxLength: 256 }),
					value: Type.String({ maxLength: 4096 }),
					isRegex: Type.Boolean(),
					isEqual: Type.Optional(Type.Boolean()),
				},
				{ additionalProperties: false },
			),
			{ minItems: 1, maxItems: 100 },
		),
		startsAt: DateTime,
		endsAt: DateTime,
		createdBy: Type.String({ maxLength: 255 }),
		comment: Type.String({ maxLength: 4096 }),
		/** Beyond Alertmanager: hide only inside of these times; what a time leaves out is not asked about. */
		recurrence: Type.Optional(Type.Array(Type.Partial(TimeSpecSchema), { maxItems: 50 })),
	},
	{ additionalProperties: false },
);

const Filter = Type.Optional(
	Type.Union([Type.String({ maxLength: 4096 }), Type.Array(Type.String({ maxLength: 4096 }), { maxItems: 100 })]),
);
const Flag = Type.Optional(Type.Union([Type.Literal('true'), Type.Literal('false')]));

export const AlertsQuerySchema = Type.Object(
	{
		active: Flag,
		silenced: Flag,
		inhibited: Flag,
		unprocessed: Flag,
		filter: Filter,
		receiver: Type.Optional(Type.String({ maxLength: 1024 })),
	},
	{ additionalProperties: false },
);

export const SilencesQuerySchema = Type.Object({ filter: Filter, creator: Filter }, { additionalProperties: false });

export const SilenceParamsSchema = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) }, { additionalProperties: false });
