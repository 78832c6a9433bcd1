import { type Static, Type } from 'typebox';
import { DURATION_PATTERN } from '../../core/duration.ts';

export const Id = Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$' });
const Name = Type.String({ minLength: 1, maxLength: 100 });
const MonthDay = Type.String({ pattern: '^(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$' });
const Day = Type.String({ pattern: '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$' });

/** Times that come back: hours of certain days. All that is given must hold of the day on which the hours begin. */
const windowProperties = {
	/** `09:00-17:00`; hours that end before they begin go on after midnight. */
	hours: Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d-(([01]\\d|2[0-3]):[0-5]\\d|24:00)$', default: '00:00-24:00' }),
	/** 1 is Monday. */
	weekdays: Type.Array(Type.Integer({ minimum: 1, maximum: 7 }), { minItems: 1, uniqueItems: true, default: [1, 2, 3, 4, 5, 6, 7] }),
	/** By China's statutory calendar: `working` has the 调休 days that are worked, `off` weekends and statutory days off. */
	days: Type.Union([Type.Literal('any'), Type.Literal('working'), Type.Literal('off')], { default: 'any' }),
	/** Part of the year, both ends included; may wrap over New Year. */
	season: Type.Optional(Type.Object({ from: MonthDay, to: MonthDay }, { additionalProperties: false })),
	/** First day, and the first day that does not count any more. */
	from: Type.Optional(Day),
	until: Type.Optional(Day),
};

const LayerSchema = Type.Object(
	{
		name: Name,
		...windowProperties,
		/** Who has duty one after the other; a list inside has it together. */
		people: Type.Array(Type.Union([Id, Type.Array(Id, { minItems: 1, maxItems: 20, uniqueItems: true })]), { minItems: 1, maxItems: 200 }),
		/** When the first one begins, by the roster's clocks: `2026-11-02` (at the beginning of `hours`) or `2026-11-02T09:00`. */
		start: Type.String({ pattern: '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])(T([01]\\d|2[0-3]):[0-5]\\d)?$' }),
		turn: Type.Object(
			{
				every: Type.Integer({ minimum: 1, maximum: 1000, default: 1 }),
				unit: Type.Union([Type.Literal('hour'), Type.Literal('day'), Type.Literal('week')], { default: 'week' }),
				/** `active`: only days that this layer covers count, so that a weekend does not eat somebody's turn. Not for hours. */
				counts: Type.Union([Type.Literal('all'), Type.Literal('active')], { default: 'all' }),
			},
			{ additionalProperties: false, default: {} },
		),
		/** `add`: on duty beside earlier layers; `replace`: instead of them while it covers the time. */
		mode: Type.Union([Type.Literal('add'), Type.Literal('replace')], { default: 'add' }),
	},
	{ additionalProperties: false },
);
export type LayerConfig = Static<typeof LayerSchema>;
export type WindowConfig = Pick<LayerConfig, 'hours' | 'weekdays' | 'days' | 'season' | 'from' | 'until'>;

export const RosterSchema = Type.Object(
	{
		id: Id,
		name: Name,
		/** Default: that of `oncall`. */
		zone: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
		layers: Type.Array(LayerSchema, { minItems: 1, maxItems: 50 }),
		/** 交接班: every change of duty makes a record that both sides sign. */
		handover: Type.Boolean({ default: false }),
	},
	{ additionalProperties: false },
);
export type RosterConfig = Static<typeof RosterSchema>;

/** So many different people at such times, over the rosters that are named. */
export const StaffingSchema = Type.Object(
	{
		name: Name,
		...windowProperties,
		zone: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
		/** Empty: all of them together. */
		rosters: Type.Array(Id, { default: [] }),
		minimum: Type.Integer({ minimum: 1, maximum: 1000, default: 1 }),
	},
	{ additionalProperties: false },
);
export type StaffingConfig = Static<typeof StaffingSchema>;

export const OverloadSchema = Type.Object(
	{
		/** Duty without a break. */
		max_in_row: Type.String({ pattern: DURATION_PATTERN, default: '14d' }),
		/** From Monday to Sunday. */
		max_hours_per_week: Type.Integer({ minimum: 1, maximum: 168, default: 168 }),
	},
	{ additionalProperties: false, default: {} },
);
export type OverloadConfig = Static<typeof OverloadSchema>;
