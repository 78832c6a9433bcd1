import { type Static, Type } from 'typebox';
import { UNKNOWN_AS, type UnknownAs } from '../availability/unknown-time.ts';

/** What a clock can run from and to; `reported` is the first report of a fault. */
export const MOMENTS = ['onset', 'detected', 'notified', 'declared', 'acknowledged', 'reported', 'restored', 'resolved', 'closed'] as const;
export type Moment = (typeof MOMENTS)[number];

/** Who a contract gives a say: 项目经理, 采购人, 监理. Accounts are named per party in the configuration. */
export const PARTIES = ['manager', 'client', 'supervision'] as const;
export type Party = (typeof PARTIES)[number];

export const CAUSES = ['own', 'cloud', 'carrier', 'client', 'force-majeure', 'unknown'] as const;
export type Cause = (typeof CAUSES)[number];

const closed = { additionalProperties: false } as const;
const Id = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9+._-]{0,63}$' });
const Text = Type.String({ minLength: 1, maxLength: 500 });
/** Where the contract says so. Every number stands beside its clause. */
const Clause = Text;
/** `0s`, `5m`, `2h`, `7d`, `1w`, or working days: `5wd`. */
const Limit = Type.String({ pattern: '^\\d{1,5}(s|m|h|d|w|wd)$' });
/** Hundredths are the smallest unit; what is finer is refused. */
const Points = Type.Number({ minimum: 0, maximum: 1000, multipleOf: 0.01 });
const Percent = Type.String({ pattern: '^(100(\\.0{1,4})?|\\d{1,2}(\\.\\d{1,4})?)$' });
const Yuan = Type.Number({ minimum: 0, maximum: 1e10, multipleOf: 0.01 });
/** A calendar day in the profile's zone. */
export const Day = Type.String({ pattern: '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$' });
/** What was agreed after the signature: the contract runs until the end of this day. */
export const ExtensionSchema = Type.Object({ until: Day, clause: Text }, closed);
const MomentName = Type.Unsafe<Moment>(Type.Union(MOMENTS.map((name) => Type.Literal(name))));
const PartyName = Type.Unsafe<Party>(Type.Union(PARTIES.map((name) => Type.Literal(name))));
const CauseName = Type.Unsafe<Cause>(Type.Union(CAUSES.map((name) => Type.Literal(name))));
/** Who bears unknown time: as `up` the client, as `down` the contractor; `left-out` nobody. */
const Unknown = Type.Unsafe<UnknownAs>(Type.Union(UNKNOWN_AS.map((name) => Type.Literal(name))));
const ByLevel = Type.Record(Type.String(), Points);

const rule = { id: Id, name: Text, clause: Clause, group: Type.Optional(Id) };

const RuleSchema = Type.Union([
	/** Once per fault when any of the clocks ran out. */
	Type.Object({ ...rule, kind: Type.Literal('late'), clocks: Type.Array(Id, { minItems: 1 }), points: ByLevel }, closed),
	/** A share of the period's fee for every `per` begun after a deadline, capped per fault. */
	Type.Object(
		{ ...rule, kind: Type.Literal('late-money'), clock: Id, per: Limit, percent_of_fee: Percent, max_percent_of_fee: Percent },
		closed,
	),
	/** For the fault itself, by its level. */
	Type.Object({ ...rule, kind: Type.Literal('level'), points: ByLevel }, closed),
	/** A fault at the point of an earlier one, declared at most `within` after it. */
	Type.Object({ ...rule, kind: Type.Literal('repeat'), points: Points, within: Limit }, closed),
	/** A report filed after its time (once, or for every `per` begun), or not at all. */
	Type.Object(
		{ ...rule, kind: Type.Literal('report'), report: Id, points: Points, per: Type.Optional(Limit), missing: Type.Optional(Points) },
		closed,
	),
	/** Each outage that the contractor answers for, by its length: over `over`, up to and including `up_to`. */
	Type.Object(
		{
			...rule,
			kind: Type.Literal('outage'),
			services: Type.Union([Type.Literal('core'), Type.Literal('all')]),
			/** Whether one failure that stops several services counts once, by its longest outage, or for each of them. */
			count: Type.Union([Type.Literal('failure'), Type.Literal('service')]),
			/** Default: `left-out`. */
			unknown: Type.Optional(Unknown),
			bands: Type.Array(Type.Object({ over: Limit, up_to: Type.Union([Limit, Type.Null()]), points: Points, clause: Clause }, closed), {
				minItems: 1,
			}),
		},
		closed,
	),
	/** For every step of percent below the target. */
	Type.Object(
		{
			...rule,
			kind: Type.Literal('availability'),
			services: Type.Union([Type.Literal('core'), Type.Literal('all')]),
			target: Percent,
			step: Percent,
			points_per_step: Points,
			/** What a part of a step costs. */
			partial: Type.Union([Type.Literal('none'), Type.Literal('whole'), Type.Literal('share')]),
			/** How several services combine. `pooled`: all downtime over all agreed time. */
			combine: Type.Union([Type.Literal('worst'), Type.Literal('pooled'), Type.Literal('each')]),
			unknown: Unknown,
			max: Points,
		},
		closed,
	),
	/** A lapse when a figure of the period is outside of its bound. */
	Type.Object(
		{
			...rule,
			kind: Type.Literal('threshold'),
			measure: Type.Union([Type.Literal('availability'), Type.Literal('mtbf'), Type.Literal('stopped')]),
			/** Percent for `availability`, a limit for the others. */
			least: Type.Optional(Type.String({ maxLength: 20 })),
			most: Type.Optional(Limit),
			/** Default: `up`. */
			unknown: Type.Optional(Unknown),
			points: Points,
		},
		closed,
	),
	/** A user's problem that was handed over or answered late: for every `per` begun after a deadline of the desk. */
	Type.Object({ ...rule, kind: Type.Literal('desk'), clocks: Type.Array(Id, { minItems: 1 }), per: Limit, points: Points }, closed),
	/** A quality accident that was not told in time: for every `per` begun after the time that `accidents` gives. */
	Type.Object({ ...rule, kind: Type.Literal('accident'), per: Limit, points: Points, yuan: Yuan }, closed),
	/** What a person enters: a lapse or a bonus, `quantity` times. */
	Type.Object(
		{
			...rule,
			kind: Type.Literal('record'),
			unit: Text,
			points: Points,
			/** Money for each unit, beside the points. */
			yuan: Type.Optional(Yuan),
			/** So many units of a period cost nothing. */
			free: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
			/** For the first unit, where it differs from the next ones. */
			first: Type.Optional(Points),
			max: Type.Optional(Points),
			bonus: Type.Optional(Type.Boolean()),
		},
		closed,
	),
]);

const LevelSchema = Type.Object(
	{
		id: Id,
		name: Text,
		when: Text,
		clause: Clause,
		/** Where the contract grades by minutes: unavailable for longer than `over`, up to and including `up_to`. */
		over: Type.Optional(Limit),
		up_to: Type.Optional(Limit),
		/** By clock. A clock that is not named has no limit at this level. */
		limits: Type.Record(Type.String(), Limit),
		/** 通报: whom to tell when. */
		tell: Type.Object({ start: Type.Array(Text), end: Type.Array(Text), progress: Type.Optional(Limit), clause: Clause }, closed),
	},
	closed,
);

/** One contract as data, after its settings were put in. See docs/contracts.md. */
export const ProfileSchema = Type.Object(
	{
		id: Id,
		name: Text,
		version: Type.Integer({ minimum: 1 }),
		source: Text,
		zone: Type.String({ default: 'Asia/Shanghai' }),
		contract: Type.Object(
			{
				/** First day; contract quarters start here. */
				start: Day,
				/** How long it runs from then on; 0 for one without an end. */
				months: Type.Integer({ minimum: 0, maximum: 600 }),
				/** Last day, instead of `months`. */
				end: Type.Optional(Day),
				extensions: Type.Optional(Type.Array(ExtensionSchema)),
				term_clause: Clause,
				total_yuan: Yuan,
				/** Fee of one period. */
				fee_yuan: Yuan,
				/** Fee of a period that the first or the last day of the contract cuts: all of it, or by its share of the days. Default: `whole`. */
				fee_of_cut_period: Type.Optional(Type.Union([Type.Literal('whole'), Type.Literal('by-days')])),
				clause: Clause,
			},
			closed,
		),
		period: Type.Object({ kind: Type.Union([Type.Literal('month'), Type.Literal('contract-quarter')]), clause: Clause }, closed),
		base: Type.Object({ points: Points, clause: Clause }, closed),
		grading: Type.Object(
			{
				by: Type.Union([Type.Literal('impact'), Type.Literal('minutes')]),
				/** For minutes. Default: `left-out`. */
				unknown: Type.Optional(Unknown),
				judge: PartyName,
				confirm: Type.Union([PartyName, Type.Null()]),
				clause: Clause,
			},
			closed,
		),
		clocks: Type.Array(
			Type.Object(
				{
					id: Id,
					name: Text,
					from: MomentName,
					until: MomentName,
					hours: Type.Union([Type.Literal('always'), Type.Literal('service')]),
					clause: Clause,
				},
				closed,
			),
			{ minItems: 1 },
		),
		levels: Type.Array(LevelSchema, { minItems: 1 }),
		/** Which moment of a fault puts it into a period. */
		count_in: Type.Object({ moment: MomentName, clause: Clause }, closed),
		/** Causes that the contractor does not answer for, once the party has countersigned them. */
		excused: Type.Object({ causes: Type.Array(CauseName), countersign: PartyName, clause: Clause }, closed),
		/** 首报/续报/终报 and the like. */
		reports: Type.Array(
			Type.Object({ id: Id, name: Text, from: MomentName, within: Limit, levels: Type.Array(Id, { minItems: 1 }), clause: Clause }, closed),
		),
		closing: Type.Object({ countersign: Type.Union([PartyName, Type.Null()]), clause: Clause }, closed),
		/** The problem desk (受理 → 交办 → 回复 → 结案), where the contract has one. */
		desk: Type.Optional(
			Type.Object(
				{
					clocks: Type.Array(
						Type.Object(
							{
								id: Id,
								name: Text,
								/** `handed`: from the reception until it was handed over. `answered`: until the reporter was answered, anew after each refusal. */
								until: Type.Union([Type.Literal('handed'), Type.Literal('answered')]),
								within: Limit,
								/** Whether telling the reporter that it takes longer moves the deadline to the day that was named. */
								extendable: Type.Boolean(),
								clause: Clause,
							},
							closed,
						),
						{ minItems: 1 },
					),
					clause: Clause,
				},
				closed,
			),
		),
		/** 质量事故: until when one is told, and after which times it goes one rung higher while it is not resolved; both from its onset. */
		accidents: Type.Optional(
			Type.Object(
				{ grades: Type.Array(Id, { minItems: 1 }), tell_within: Limit, ladder: Type.Array(Limit, { minItems: 1 }), clause: Clause },
				closed,
			),
		),
		/** 自查: until when the contractor has checked itself, counted from the end of a period. */
		self_check: Type.Optional(Type.Object({ within: Limit, clause: Clause }, closed)),
		/** How long a candidate may wait for somebody before it escalates. */
		candidate: Type.Object({ escalate_after: Limit, clause: Clause }, closed),
		groups: Type.Array(Type.Object({ id: Id, name: Text, max: Points, clause: Clause }, closed)),
		rules: Type.Array(RuleSchema, { minItems: 1 }),
		bonus: Type.Object({ limit: Type.Union([Type.Literal('deductions'), Type.Literal('none')]), clause: Clause }, closed),
		payment: Type.Object(
			{
				per_point_yuan: Yuan,
				clause: Clause,
				/** Where a fine by the score can be given up by the client. */
				lapse: Type.Optional(Type.Object({ clause: Clause }, closed)),
				/** The first step whose bound the score is below applies. */
				steps: Type.Array(
					Type.Object(
						{
							below: Points,
							yuan: Type.Optional(Yuan),
							percent_of_fee: Type.Optional(Percent),
							percent_of_contract: Type.Optional(Percent),
							clause: Clause,
						},
						closed,
					),
				),
			},
			closed,
		),
		/** Where the year is the mean of its periods; `mean` where it is also paid by that. */
		year: Type.Optional(Type.Object({ clause: Clause, payment: Type.Union([Type.Literal('periods'), Type.Literal('mean')]) }, closed)),
		/** When the client may terminate, or reviews the contract. */
		termination: Type.Array(
			Type.Union([
				Type.Object({ kind: Type.Literal('money-share'), percent_of_contract: Percent, clause: Clause }, closed),
				/** So many units of what people enter within one period. */
				Type.Object({ kind: Type.Literal('records'), rule: Id, in_period: Type.Integer({ minimum: 1 }), clause: Clause }, closed),
				/** One outage of a core service. `unknown`: default `left-out`. */
				Type.Object({ kind: Type.Literal('outage'), longer_than: Limit, unknown: Type.Optional(Unknown), clause: Clause }, closed),
				Type.Object(
					{
						kind: Type.Literal('low-scores'),
						below: Points,
						in_a_row: Type.Integer({ minimum: 1 }),
						in_all: Type.Integer({ minimum: 1 }),
						clause: Clause,
					},
					closed,
				),
			]),
		),
	},
	closed,
);
export type Profile = Static<typeof ProfileSchema>;
export type Level = Profile['levels'][number];
export type Rule = Profile['rules'][number];
export type RuleOf<K extends Rule['kind']> = Extract<Rule, { kind: K }>;
export type ContractClock = Profile['clocks'][number];

/** A question that the contract's text leaves open, with its answers. Values stand wherever the profile says `$setting: id`. */
export const SettingSchema = Type.Object(
	{ question: Text, clause: Clause, default: Id, options: Type.Record(Type.String(), Type.Unknown(), { minProperties: 1 }) },
	closed,
);
export type Setting = Static<typeof SettingSchema>;
