import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import type { ContractTermAnswer } from '../../protocol/contract-api.ts';
import { loadProfiles } from './profile-files.ts';
import { CONTRACTS } from './scenario.fixture.ts';
import { terminationStandings, yearStandings } from './standing.ts';
import { standingWatch, yearMargin } from './standing-watch.ts';

const profiles = loadProfiles(CONTRACTS);
const profileOf = (id: string) =>
	(profiles.find((one) => one.id === id) ?? profiles[0])?.with({}) as ReturnType<(typeof profiles)[number]['with']>;
const period = (final: number, fen: number) => ({
	period: { id: 'p', fromMs: 0, toMs: 0 },
	over: true,
	self: final * 100,
	client: final * 100,
	final: final * 100,
	fen,
	recorded: {},
	services: [],
});

/** What stands on /metrics after a look at contracts with these periods. */
async function metricsOf(
	periods: Readonly<Record<string, ReturnType<typeof period>[]>>,
	over: readonly string[] = [],
): Promise<readonly string[]> {
	const metrics = new Registry();
	const watch = standingWatch({
		contracts: {
			profile: profileOf,
			term: (id) => ({ state: over.includes(id) ? 'over' : 'running' }) as ContractTermAnswer,
			standing: async (id) => {
				const profile = profileOf(id);
				const list = periods[id] ?? [];
				return {
					term: {} as ContractTermAnswer,
					periods: [],
					years: yearStandings(profile, list),
					termination: terminationStandings(profile, list),
				};
			},
		},
		inUse: () => Object.keys(periods),
		manager: () => 'lead',
		metrics,
		clock: systemClock,
		log: silentLogger,
	});
	await watch.turn();
	await watch.turn();
	return (await metrics.metrics()).split('\n').filter((line) => line.startsWith('fournines_'));
}

test('how near the end of each running contract is, and its yearly mean to the next line, stand in metrics for the manager', async () => {
	const lines = await metricsOf({
		// 74,025 of 148,050 yuan: half of what lets the client end it. A mean of 61 lies a point above the line of 60.
		'chengdu-2021': [period(61, 7_402_500)],
		'shaanxi-2023': [period(59, 0), period(59, 0), period(59, 0)],
		'zhaoqing-2025': [period(90, 0)],
	});
	expect(lines).toEqual([
		'fournines_contract_termination_state{contract="chengdu-2021",condition="money-share",owner="lead"} 1',
		'fournines_contract_termination_state{contract="chengdu-2021",condition="outage",owner="lead"} 0',
		'fournines_contract_termination_state{contract="shaanxi-2023",condition="low-scores",owner="lead"} 2',
		'fournines_contract_termination_state{contract="zhaoqing-2025",condition="records",owner="lead"} 0',
		'fournines_contract_termination_ratio{contract="chengdu-2021",condition="money-share",owner="lead"} 0.5',
		'fournines_contract_termination_ratio{contract="chengdu-2021",condition="outage",owner="lead"} 0',
		'fournines_contract_termination_ratio{contract="shaanxi-2023",condition="low-scores",owner="lead"} 1',
		'fournines_contract_termination_ratio{contract="zhaoqing-2025",condition="records",owner="lead"} 0',
		'fournines_contract_year_margin_points{contract="chengdu-2021",owner="lead"} 1',
		'fournines_contract_year_margin_points{contract="zhaoqing-2025",owner="lead"} 4',
	]);
});

test('a contract that is over warns nobody', async () => {
	expect(await metricsOf({ 'chengdu-2021': [period(1, 99_999_999)] }, ['chengdu-2021'])).toEqual([]);
});

test.each([
	{ final: 8600, want: 0 },
	{ final: 8599, want: 14.99 },
	{ final: 5499, want: null },
	{ final: null, want: null },
])('a mean of $final hundredths lies $want points above the next line', ({ final, want }) => {
	const year = { id: 'y1', clause: 'c', periods: [], over: 1, self: final, client: final, final, fen: null };
	expect(yearMargin(profileOf('zhaoqing-2025'), { years: [year] })).toBe(want);
});
