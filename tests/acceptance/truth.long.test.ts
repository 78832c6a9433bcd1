import { describe, test } from 'vitest';
import { available as mariaDbAvailable } from '../harness/mariadb.ts';
import { available as nginxAvailable } from '../harness/nginx.ts';
import { available as tomcatAvailable } from '../harness/tomcat.ts';
import { runTruth, truthReport } from '../harness/truth.ts';
import { expectTruth } from '../harness/truth-limits.ts';

describe.skipIf(!(nginxAvailable() && tomcatAvailable() && mariaDbAvailable()))('the ledger and the truth', () => {
	test('agree within one interval at each change, for ten minutes', async () => {
		const outages = (['nginx', 'tomcat', 'mariadb'] as const).flatMap((server, i) =>
			Array.from({ length: 7 }, (_, k) => ({
				server,
				at: 15 + i * 9 + k * 80,
				lasts: k % 3 === 2 && server === 'nginx' ? 1.4 : 8 + ((k * 11 + i * 5) % 25),
			})),
		);
		const run = await runTruth({ seconds: 600, outages });
		process.stdout.write(`${truthReport(run)}\n`);
		expectTruth(run);
	}, 900_000);
});
