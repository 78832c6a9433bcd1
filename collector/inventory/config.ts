import { type Static, Type } from 'typebox';
import { DURATION_PATTERN } from '../../core/duration.ts';
import { assetProperties, Id } from './asset-config.ts';
import { RequestsSchema } from './requests-config.ts';

const Duration = (byDefault: string) => Type.String({ pattern: DURATION_PATTERN, default: byDefault });
const ClockRange = Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d-(([01]\\d|2[0-3]):[0-5]\\d|24:00)$' });
const MonthDay = Type.String({ pattern: '^(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$' });
/** A day by the inventory's zone, or an instant. */
const Moment = Type.String({
	pattern: '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])(T([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d)?(Z|[+-]\\d{2}:\\d{2}))?$',
});

/** Part of the year with its own hours. Seasons may wrap over New Year (`11-01` to `04-30`). */
const SeasonSchema = Type.Object({ from: MonthDay, to: MonthDay, hours: ClockRange }, { additionalProperties: false });

const CalendarSchema = Type.Object(
	{
		/** Several entries of one id are versions; each holds from its `valid_from` on. */
		id: Id,
		/** Midnight of this day, or this instant. The version without one holds before all others. */
		valid_from: Type.Optional(Moment),
		/** 1 is Monday, 7 is Sunday. Default: every day. */
		weekdays: Type.Array(Type.Integer({ minimum: 1, maximum: 7 }), { minItems: 1, uniqueItems: true, default: [1, 2, 3, 4, 5, 6, 7] }),
		/** `statutory`: closed on China's statutory days off, open on 调休 working days whatever their weekday. */
		holidays: Type.Optional(Type.Union([Type.Literal('none'), Type.Literal('statutory')])),
		seasons: Type.Array(SeasonSchema, { minItems: 1 }),
	},
	{ additionalProperties: false },
);

/** The statutory days of one year, for years that the product does not know yet, or instead of what it knows. */
const HolidayYearSchema = Type.Object(
	{
		year: Type.Integer({ minimum: 2000, maximum: 2100 }),
		off: Type.Array(MonthDay, { minItems: 1, uniqueItems: true }),
		/** 调休: days that would be off by their weekday and are worked. */
		work: Type.Array(MonthDay, { uniqueItems: true, default: [] }),
	},
	{ additionalProperties: false },
);

/** What a contract asks before maintenance may be taken out of the count. A contract that is not listed lets nothing be excluded. */
const MaintenanceRuleSchema = Type.Object(
	{
		contract: Id,
		/** Between the request and the beginning. */
		notice: Duration('72h'),
		client_consent: Type.Boolean({ default: true }),
		/** Whether a window that was asked for after it began can be excluded; two people must then approve it. */
		retroactive: Type.Boolean({ default: false }),
	},
	{ additionalProperties: false },
);

const CheckSchema = Type.Object(
	{
		/** The `check` label of `probe_success`. */
		id: Id,
		interval: Duration('10s'),
		confirm: Type.Object(
			{
				failed: Type.Integer({ minimum: 1, maximum: 20, default: 3 }),
				of: Type.Integer({ minimum: 1, maximum: 20, default: 5 }),
				recovered: Type.Integer({ minimum: 1, maximum: 20, default: 3 }),
			},
			{ additionalProperties: false, default: {} },
		),
	},
	{ additionalProperties: false },
);

const CombineSchema = Type.Union([
	Type.Literal('all'),
	Type.Literal('any'),
	Type.Object(
		{
			quorum: Type.Integer({ minimum: 1 }),
			/** Good parts below which redundancy is lost, though the service is up. Default: all of them. */
			redundancy: Type.Optional(Type.Integer({ minimum: 1 })),
		},
		{ additionalProperties: false },
	),
	Type.Object(
		{
			/** Up where the expression has a value other than 0, down where all are 0, unknown where it has none. */
			promql: Type.String({ minLength: 1, maxLength: 5000 }),
			interval: Type.Optional(Type.String({ pattern: DURATION_PATTERN })),
		},
		{ additionalProperties: false },
	),
]);

const ServiceSchema = Type.Object(
	{
		id: Id,
		name: Type.String({ minLength: 1, maxLength: 100 }),
		core: Type.Boolean({ default: false }),
		/** Percent as text, so that 99.99 means exactly that. */
		target: Type.String({ pattern: '^(100(\\.0{1,4})?|\\d{1,2}(\\.\\d{1,4})?)$', default: '99.99' }),
		owner: Type.String({ default: '' }),
		/** Id of a calendar, or `always`. */
		calendar: Type.String({ default: 'always' }),
		checks: Type.Array(Id, { default: [] }),
		children: Type.Array(Id, { default: [] }),
		combine: Type.Unsafe<Static<typeof CombineSchema>>({ ...CombineSchema, default: 'all' }),
		subsystem: Type.Optional(Id),
		/** Id of the contract profile that prices it. */
		contract: Type.Optional(Id),
		contact: Type.Optional(Id),
		/** Time before and after is excluded with the reason `not in service`. */
		created: Type.Optional(Moment),
		removed: Type.Optional(Moment),
		/** Good and all requests, whose figures stand beside those of time. */
		requests: Type.Optional(RequestsSchema),
	},
	{ additionalProperties: false },
);

/** Key `inventory` of collector.yml: what is watched and what it is worth. */
export const InventoryConfigSchema = Type.Object(
	{
		zone: Type.String({ default: 'Asia/Shanghai' }),
		...assetProperties,
		calendars: Type.Array(CalendarSchema, { default: [] }),
		holidays: Type.Array(HolidayYearSchema, { default: [] }),
		maintenance: Type.Array(MaintenanceRuleSchema, { default: [] }),
		checks: Type.Array(CheckSchema, { default: [] }),
		services: Type.Array(ServiceSchema, { default: [] }),
	},
	{ additionalProperties: false, default: {} },
);
export type InventoryConfig = Static<typeof InventoryConfigSchema>;
export type ServiceConfig = InventoryConfig['services'][number];
export type CheckConfig = InventoryConfig['checks'][number];
export type CalendarConfig = InventoryConfig['calendars'][number];
export type HolidayYear = InventoryConfig['holidays'][number];

/** An inventory that names nothing. */
export function emptyInventory(zone = 'Asia/Shanghai'): InventoryConfig {
	return {
		zone,
		systems: [],
		subsystems: [],
		hosts: [],
		components: [],
		interfaces: [],
		contacts: [],
		vantages: [],
		calendars: [],
		holidays: [],
		maintenance: [],
		checks: [],
		services: [],
	};
}
