import { AppError, errorText } from '../../core/errors.ts';
import { engineOver } from './differential.ts';
import { DATA_START_MS, generatedSeries, QueryGenerator, seededRandom } from './query-generator.ts';

const NOISE = [
	...['(', ')', '{', '}', '[', ']', '"', "'", '`', '\\', '@', '#', '=~', '!', '-', '+', '^', '%', '/', '==', '!=', '>bool', ',', ':', '.'],
	...[' offset ', ' by ', ' without ', ' on ', ' ignoring ', ' group_left ', ' and ', ' unless ', ' or ', ' atan2 ', ' start()', ' end()'],
	...[
		'5m',
		'1e',
		'0x',
		'1e308',
		'NaN',
		'-Inf',
		'1w2d',
		'9999999y',
		'[5m:]',
		'[1m:1s]',
		'@ 1e15',
		'offset -5m',
		'{__name__=~".+"}',
		'{a=~"(("}',
	],
	...[
		'中',
		'\u0000',
		'\ud800',
		'\n',
		'\t',
		'𝒳',
		'sum',
		'rate(',
		'topk(',
		'absent(',
		'label_replace(',
		'histogram_quantile(',
		'holt_winters(',
	],
];
/** In place of numbers and durations: most of these parse, and go through the evaluator. */
const NUMBERS = ['0', '-1', '1e308', '-1e308', 'NaN', 'Inf', '1e-320', '0x7fffffff', '9007199254740993', '.5'];
const DURATIONS = ['1ms', '1s', '0s', '1y', '290y', '5m1s1ms', '100w', '1d'];
const MUTATIONS = 3;
/** A query over a few dozen series takes milliseconds; one that needs so long hangs. */
const HANG_MS = 20_000;

export interface MutationRounds {
	readonly parsed: number;
	readonly refused: number;
	/** Queries after which something happened that must not, with what. */
	readonly faults: readonly string[];
}

/**
 * Random queries, damaged in up to three places, are parsed and evaluated. Each must be answered or refused with an error of the query engine, one of the
 * parser with a position; nothing may crash or take forever.
 */
export async function queryMutationRounds(count: number, seed: number): Promise<MutationRounds> {
	const random = seededRandom(seed);
	const generator = new QueryGenerator(random);
	const engine = engineOver(generatedSeries(seededRandom(seed)));
	const any = (below: number) => Math.floor(random() * below);
	const faults: string[] = [];
	let parsed = 0;
	let refused = 0;
	let other = generator.query();
	for (let i = 0; i < count; i++) {
		const query = generator.query();
		let text = query
			.replace(/\b\d+[smhd]\b/g, (same) => (random() < 0.2 ? (DURATIONS[any(DURATIONS.length)] ?? '') : same))
			.replace(/\b\d+(\.\d+)?\b(?![\w"])/g, (same) => (random() < 0.3 ? (NUMBERS[any(NUMBERS.length)] ?? '') : same));
		for (let k = random() < 0.5 ? 0 : any(MUTATIONS) + 1; k > 0; k--) {
			const from = any(text.length + 1);
			const piece = random() < 0.8 ? (NOISE[any(NOISE.length)] ?? '') : other.slice(any(other.length), any(other.length + 1));
			text = text.slice(0, from) + piece + text.slice(from + any(5));
		}
		other = query;
		const startMs = DATA_START_MS + 1_800_000;
		try {
			engine.parse(text);
			parsed += 1;
			if (i % 2 === 0) await engine.instant(text, startMs, { timeoutMs: HANG_MS });
			else await engine.range(text, startMs, startMs + 120_000, 30_000, { timeoutMs: HANG_MS });
		} catch (error) {
			refused += 1;
			const fault = faultOf(error);
			if (fault !== null) faults.push(`${JSON.stringify(text)}: ${fault}`);
		}
	}
	return { parsed, refused, faults };
}

function faultOf(error: unknown): string | null {
	if (!(error instanceof AppError)) return `threw ${errorText(error)}`;
	if (!error.code.startsWith('FN_QUERY_')) return `failed with ${error.code}`;
	if (error.code === 'FN_QUERY_TIMEOUT') return 'hangs';
	if (error.code === 'FN_QUERY_PARSE' && !/^(\d+:\d+: parse error: .|invalid expression type )/s.test(error.message))
		return `has no position: ${error.message}`;
	return null;
}
