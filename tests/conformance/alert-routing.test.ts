import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { buildRoute, matchRoutes } from '../../alerts/route/route.ts';
import { renderAlertmanagerConfig } from '../../collector/api/alertmanager/render-config.ts';
import { alertsConfig } from '../harness/alerting.ts';
import { findCommand, runCommand, temporaryFolder } from '../harness/process.ts';

const amtool = findCommand('amtool');

const NAMES = ['team', 'severity', 'host'] as const;
const VALUES = ['a', 'b', 'ab', 'x y', '"q"', '中文', 'a,b'];
const EXPRESSIONS = ['a', 'a|b', '.*', 'a.*', '.+', '', '[^a]', '中.', '(?i)A'];

const matcher = fc
	.tuple(fc.constantFrom(...NAMES), fc.constantFrom('=', '!=', '=~', '!~'), fc.nat({ max: 50 }))
	.map(([name, operator, pick]) => {
		const values = operator.endsWith('~') ? EXPRESSIONS : [...VALUES, ''];
		return `${name}${operator}${JSON.stringify(values[pick % values.length])}`;
	});

interface GeneratedRoute {
	readonly receiver?: string;
	readonly matchers: readonly string[];
	readonly continue: boolean;
	readonly routes: readonly GeneratedRoute[];
}

const { child } = fc.letrec<{ child: GeneratedRoute }>((tie) => ({
	child: fc.record(
		{
			receiver: fc.constantFrom('r0', 'r1', 'r2', 'r3'),
			matchers: fc.array(matcher, { maxLength: 2 }),
			continue: fc.boolean(),
			routes: fc.oneof(
				{ maxDepth: 3, depthIdentifier: 'routes' },
				fc.constant([]),
				fc.array(tie('child'), { maxLength: 3, depthIdentifier: 'routes' }),
			),
		},
		{ requiredKeys: ['matchers', 'continue', 'routes'] },
	) as fc.Arbitrary<GeneratedRoute>,
}));

const labelSet = fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom(...VALUES), { minKeys: 1, maxKeys: 3 });

describe.skipIf(amtool === null)('routing equals Alertmanager’s, with amtool as the judge', () => {
	test('on generated trees', () => {
		const folder = temporaryFolder('routing');
		const file = join(folder.path, 'alertmanager.yml');
		try {
			fc.assert(
				fc.property(fc.array(child, { maxLength: 4 }), fc.array(labelSet, { minLength: 3, maxLength: 3 }), (routes, labelSets) => {
					const receivers = ['root', 'r0', 'r1', 'r2', 'r3'].map((name) => ({ name }));
					const config = alertsConfig(stringify({ route: { receiver: 'root', routes }, receivers }));
					const root = buildRoute(config.route);
					writeFileSync(file, renderAlertmanagerConfig(config));
					for (const labels of labelSets) {
						const theirs = runCommand(amtool ?? '', [
							'config',
							'routes',
							'test',
							`--config.file=${file}`,
							...Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`),
						]).trim();
						const ours = matchRoutes(root, labels).map((route) => route.receiver);
						expect(ours.join(',')).toBe(theirs);
					}
				}),
				{ numRuns: 60 },
			);
		} finally {
			folder.remove();
		}
	});
});
