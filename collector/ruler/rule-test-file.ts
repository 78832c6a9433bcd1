import { type Static, Type } from 'typebox';
import { type ConfigProblem, parseConfig } from '../../core/config-file.ts';
import { DURATION_PATTERN } from '../../core/duration.ts';
import { errorText } from '../../core/errors.ts';
import { parseQuery } from '../promql/parser.ts';
import { seriesLine } from '../promql/series-notation.ts';

const Duration = Type.String({ pattern: DURATION_PATTERN });
const Texts = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]));
const closed = { additionalProperties: false };

const RuleTestSchema = Type.Object(
	{
		rule_files: Type.Array(Type.String(), { minItems: 1 }),
		evaluation_interval: Type.Optional(Duration),
		/** Rules are evaluated in order of files and groups; named groups come first, in this order. */
		group_eval_order: Type.Optional(Type.Array(Type.String())),
		/** Values may differ by rounding. */
		fuzzy_compare: Type.Optional(Type.Boolean()),
		tests: Type.Array(
			Type.Object(
				{
					name: Type.Optional(Type.String()),
					interval: Type.Optional(Duration),
					input_series: Type.Optional(
						Type.Array(Type.Object({ series: Type.String(), values: Type.Union([Type.String(), Type.Number()]) }, closed)),
					),
					alert_rule_test: Type.Optional(
						Type.Array(
							Type.Object(
								{
									eval_time: Duration,
									alertname: Type.String({ minLength: 1 }),
									exp_alerts: Type.Optional(
										Type.Array(Type.Object({ exp_labels: Type.Optional(Texts), exp_annotations: Type.Optional(Texts) }, closed)),
									),
								},
								closed,
							),
						),
					),
					promql_expr_test: Type.Optional(
						Type.Array(
							Type.Object(
								{
									expr: Type.String(),
									eval_time: Duration,
									exp_samples: Type.Optional(
										Type.Array(Type.Object({ labels: Type.String(), value: Type.Union([Type.Number(), Type.String()]) }, closed)),
									),
								},
								closed,
							),
						),
					),
					external_labels: Type.Optional(Texts),
					external_url: Type.Optional(Type.String()),
				},
				closed,
			),
		),
	},
	closed,
);

export type RuleTestFile = Static<typeof RuleTestSchema>;
export type RuleTest = RuleTestFile['tests'][number];

export type RuleTestFileResult =
	| { readonly kind: 'ok'; readonly content: RuleTestFile }
	| { readonly kind: 'bad'; readonly problems: readonly ConfigProblem[] };

/** Reads a file in the format of `promtool test rules`; series and expressions are checked too. */
export function parseRuleTestFile(text: string, file: string): RuleTestFileResult {
	const result = parseConfig(text, {
		file,
		schema: RuleTestSchema,
		check: (config, report) => {
			config.tests.forEach((one, t) => {
				const attempt = (path: readonly (string | number)[], parse: () => unknown) => {
					try {
						parse();
					} catch (error) {
						report(['tests', t, ...path], errorText(error));
					}
				};
				(one.input_series ?? []).forEach(({ series, values }, i) => {
					attempt(['input_series', i], () => seriesLine(`${series} ${values}`));
				});
				(one.promql_expr_test ?? []).forEach(({ expr, exp_samples: samples }, i) => {
					attempt(['promql_expr_test', i, 'expr'], () => parseQuery(expr));
					(samples ?? []).forEach(({ labels }, s) => {
						attempt(['promql_expr_test', i, 'exp_samples', s, 'labels'], () => seriesLine(labels));
					});
				});
			});
		},
	});
	return result.kind === 'ok' ? { kind: 'ok', content: result.config } : result;
}
