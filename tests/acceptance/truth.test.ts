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
		const report = truthReport(run);
		process.stdout.write(`${report}\n`);
		// Real, measured and gauge for each server, and a line that explains each outage.
		const lines = report.split('\n');
		expect(lines.filter((line) => /really away .* measured down .* unconfirmed .* avg_over_time [\d.]+ %/.test(line))).toHaveLength(3);
		expect(lines.filter((line) => line.startsWith('  away '))).toHaveLength(run.real.length);
		expect(lines.filter((line) => line.includes('fewer than three of five'))).toHaveLength(1);
	});
});
