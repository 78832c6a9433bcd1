import { describe, expect, test } from 'vitest';
import { available as mariaDbAvailable } from '../harness/mariadb.ts';
import { available as nginxAvailable } from '../harness/nginx.ts';
import { available as tomcatAvailable } from '../harness/tomcat.ts';
import { runTruth, truthReport } from '../harness/truth.ts';
import { expectTruth } from '../harness/truth-limits.ts';

describe.skipIf(!(nginxAvailable() && tomcatAvailable() && mariaDbAvailable()))('the ledger and the truth', () => {
	test('agree within one interval at each change, for a minute', async () => {
		const run = await runTruth({
			seconds: 40,
			outages: [
				{ server: 'nginx', at: 5, lasts: 8 },
				{ server: 'nginx', at: 30, lasts: 1.4 },
				{ server: 'mariadb', at: 10, lasts: 10 },
				{ server: 'tomcat', at: 8, lasts: 12 },
			],
		});
		expectTruth(run);
		if (process.env['FOURNINES_SHOW_TRUTH'] === '1') process.stderr.write(`${truthReport(run)}\n`);
		expect(truthReport(run)).toContain('avg_over_time');
	}, 180_000);
});
