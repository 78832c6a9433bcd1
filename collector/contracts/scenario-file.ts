import { type Static, Type } from 'typebox';
import { type ConfigCheck, type ConfigProblem, type ConfigResult, parseConfig } from '../../core/config-file.ts';
import { TermSchema } from './config.ts';
import { CAUSES, MOMENTS } from './profile.ts';

/** An absolute time, `2025-03-01T10:00:00+08:00`. */
const Time = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?(Z|[+-]\\d\\d:\\d\\d)$' });
const Span = Type.String({ pattern: '^\\d+(s|m|h|d|w)$' });
const Name = Type.String({ minLength: 1, maxLength: 128 });
const Seconds = Type.Number({ minimum: 0 });
const closed = { additionalProperties: false } as const;

const FaultSchema = Type.Object(
	{
		id: Name,
		level: Name,
		service: Name,
		point: Name,
		cause: Type.Optional(Type.Union(CAUSES.map((cause) => Type.Literal(cause)))),
		countersigned: Type.Optional(Type.Boolean()),
		start: Time,
		/** Moments are written as time after the start. */
		...(Object.fromEntries(MOMENTS.map((moment) => [moment, Type.Optional(Span)])) as Record<
			(typeof MOMENTS)[number],
			ReturnType<typeof Type.Optional<typeof Span>>
		>),
		/** By report: filed so long after the start. */
		report: Type.Record(Type.String(), Span, { default: {} }),
		accident: Type.Optional(Type.Object({ grade: Name, told: Type.Optional(Span) }, closed)),
	},
	closed,
);

const ServiceSchema = Type.Object(
	{
		service: Name,
		core: Type.Boolean(),
		/** Seconds of the period, in all. */
		agreed: Seconds,
		down: Seconds,
		unknown: Type.Optional(Seconds),
		/** Seen down. Without an id it is named by its first second. */
		outages: Type.Optional(
			Type.Array(
				Type.Object(
					{
						id: Type.Optional(Name),
						from: Time,
						seconds: Seconds,
						fault: Type.Optional(Name),
						failure: Type.Optional(Name),
						excused: Type.Optional(Type.Boolean()),
					},
					closed,
				),
			),
		),
		/** Stretches in which nothing was seen. */
		unseen: Type.Optional(Type.Array(Type.Object({ from: Time, seconds: Seconds }, closed))),
	},
	closed,
);

/** What is worked out by hand. Only the keys that a case names are compared, each of them whole. Points and yuan, not their hundredths. */
const ExpectSchema = Type.Object(
	{
		/** What counts, by `rule:fault:clock`. */
		items: Type.Optional(Type.Record(Type.String(), Type.Number())),
		score: Type.Optional(Type.Number()),
		deducted: Type.Optional(Type.Number()),
		bonus: Type.Optional(Type.Number()),
		yuan: Type.Optional(Type.Number()),
		next: Type.Optional(Type.Array(Type.Object({ rule: Name, seconds: Seconds, points: Type.Number(), yuan: Type.Number() }, closed))),
		/** When the self-check is due, in UTC; `''` for never. */
		self_check: Type.Optional(Type.String()),
		/** Yuan by score. */
		money_at: Type.Optional(Type.Record(Type.String(), Type.Number())),
		/** By level: limits of its clocks, of its reports and of progress. */
		deadlines: Type.Optional(Type.Record(Type.String(), Type.Record(Type.String(), Span))),
		candidate: Type.Optional(Span),
		/** By clock of the desk. */
		desk: Type.Optional(Type.Record(Type.String(), Span)),
		/** Until a quality accident must be told, and the rungs of its ladder. */
		accidents: Type.Optional(Type.Array(Span)),
		/** Level by seconds of unavailability. */
		grades: Type.Optional(Type.Record(Type.String(), Type.Union([Name, Type.Null()]))),
		/** First and last day. */
		term: Type.Optional(Type.Array(Type.Union([Name, Type.Null()]))),
		/** Final score and yuan of each year. */
		years: Type.Optional(Type.Array(Type.Array(Type.Union([Type.Number(), Type.Null()]), { minItems: 2, maxItems: 2 }))),
		/** Kind and state of each ground for termination. */
		termination: Type.Optional(Type.Array(Type.Array(Name, { minItems: 2, maxItems: 2 }))),
	},
	closed,
);
export type Expected = Static<typeof ExpectSchema>;

const ScenarioSchema = Type.Object(
	{
		/** Id of the profile. */
		profile: Name,
		/** Answers to its open questions. */
		settings: Type.Optional(Type.Record(Type.String(), Type.String())),
		/** Where the text names no fee, the one that this case takes. */
		fee_yuan: Type.Optional(Type.Number({ minimum: 0 })),
		/** As it was signed and extended. */
		term: Type.Optional(TermSchema),
		period: Name,
		/** The moment of the calculation; a period that runs then has a next deduction. */
		now: Time,
		faults: Type.Optional(Type.Array(FaultSchema)),
		services: Type.Optional(Type.Array(ServiceSchema)),
		records: Type.Optional(Type.Array(Type.Object({ id: Name, rule: Name, quantity: Type.Number(), at: Time }, closed))),
		problems: Type.Optional(
			Type.Array(
				Type.Object(
					{
						id: Name,
						received: Time,
						handed: Type.Optional(Time),
						answers: Type.Array(
							Type.Object({ from: Type.Optional(Time), answered: Type.Optional(Time), until: Type.Optional(Time) }, closed),
						),
					},
					closed,
				),
			),
		),
		/** Periods that are over, for years and termination. */
		periods: Type.Optional(
			Type.Array(
				Type.Object(
					{
						final: Type.Number(),
						yuan: Type.Optional(Type.Number()),
						longest: Type.Optional(Span),
						recorded: Type.Optional(Type.Record(Type.String(), Type.Number())),
					},
					closed,
				),
			),
		),
		expect: ExpectSchema,
	},
	closed,
);
export type ScenarioFile = Static<typeof ScenarioSchema>;

const checkScenario: ConfigCheck<ScenarioFile> = ({ expect }, report) => {
	if (Object.keys(expect).length === 0) report(['expect'], 'nothing is worked out; name at least a score or items');
};

/** The cases of a file, one YAML document each. Every problem of every case at once, with its line. */
export function parseScenarioFile(text: string, file: string): ConfigResult<readonly ScenarioFile[]> {
	const cases: ScenarioFile[] = [];
	const problems: ConfigProblem[] = [];
	let before = 0;
	for (const document of text.split(/^---[ \t]*$/m)) {
		// A first line of `---` begins the first case.
		if (document.trim() !== '' || before > 0) {
			const read = parseConfig('\n'.repeat(before) + document, { file, schema: ScenarioSchema, check: checkScenario });
			if (read.kind === 'ok') cases.push(read.config);
			else problems.push(...read.problems);
		}
		before += document.split('\n').length - 1;
	}
	return problems.length === 0 ? { kind: 'ok', config: cases } : { kind: 'bad', problems };
}
