import { parseArgs } from 'node:util';
import { parseDuration } from '../core/duration.ts';
import { formatZoned } from '../core/zone-time.ts';
import type { EnrolmentTokenAnswer } from '../protocol/agent-api.ts';
import { callCollector, collectorAccess } from './client.ts';
import { usageError } from './command.ts';

const ZONE = 'Asia/Shanghai';

/** `fournines agent token`: prints a one-time token, alone on standard output so that a script can pass it on. */
export async function printEnrolmentToken(args: readonly string[]): Promise<number> {
	const { values } = parseArgs({
		args: [...args],
		options: {
			host: { type: 'string', default: '' },
			valid: { type: 'string', default: '24h' },
			url: { type: 'string' },
			'token-file': { type: 'string' },
			data: { type: 'string' },
		},
	});
	const validSeconds = Math.floor(parseDuration(values.valid) / 1000);
	if (validSeconds < 60 || validSeconds > 30 * 86_400) throw usageError(`--valid ${values.valid}: write a duration between 1m and 30d`);
	const access = collectorAccess({ url: values.url, tokenFile: values['token-file'], data: values.data, scope: 'enrol' });
	const response = await callCollector(access, '/api/fournines/v1/agents/enrolment-tokens', { host: values.host, validSeconds });
	const { token, expiresAtMs } = JSON.parse(response.body.toString('utf8')) as EnrolmentTokenAnswer;
	const whose = values.host === '' ? 'one agent of any host' : `the agent of ${values.host}`;
	process.stderr.write(`For ${whose}, once, until ${formatZoned(expiresAtMs, ZONE)}:\n`);
	process.stdout.write(`${token}\n`);
	return 0;
}
