import { parseArgs } from 'node:util';
import { formatZoned } from '../core/zone-time.ts';
import type { OnCallAnswer } from '../protocol/on-call-api.ts';
import { callCollector, collectorAccess } from './client.ts';
import { type Command, usageError } from './command.ts';

export const onCallCommand: Command = {
	help: `fournines oncall [gaps] [options]

Asks a running collector who has duty now and who is next; "gaps" lists where duty ahead is thinner than the rules ask.

  fournines oncall
  fournines oncall gaps --url http://monitor.example:9999 --token-file read.token

Options
  --json             the collector's answer as it is
  --url URL          default http://127.0.0.1:9999
  --token-file FILE  a token with the scope "read" (default: <data>/keys/local-read.token)
  --data DIR         the collector's data folder (default ./data)

Exit code 0; with "gaps" 1 when there is one.`,
	run: async (args) => {
		const { values, positionals } = parseArgs({
			args: [...args],
			allowPositionals: true,
			options: {
				json: { type: 'boolean' },
				url: { type: 'string' },
				'token-file': { type: 'string' },
				data: { type: 'string' },
			},
		});
		const [what = 'now', ...more] = positionals;
		if (!['now', 'gaps'].includes(what) || more.length > 0) throw usageError('say nothing for who has duty, or "gaps"');
		const access = collectorAccess({ url: values.url, tokenFile: values['token-file'], data: values.data });
		const response = await callCollector(access, '/api/fournines/v1/oncall');
		const answer = JSON.parse(response.body.toString('utf8')) as OnCallAnswer;
		const lines = values.json === true ? [JSON.stringify(answer)] : what === 'gaps' ? gapLines(answer) : nowLines(answer);
		process.stdout.write(`${lines.join('\n')}\n`);
		return what === 'gaps' && answer.outlook.gaps.length > 0 ? 1 : 0;
	},
};

const NO_ROSTER = ['there is no roster: name people and rosters under alerts.oncall'] as const;

function nowLines({ rosters }: OnCallAnswer): readonly string[] {
	if (rosters.length === 0) return NO_ROSTER;
	return rosters.map(({ id, name, now, next, zone }) => {
		const people = now.length === 0 ? 'nobody' : now.join(', ');
		const after = next === null ? '' : `; from ${formatZoned(next.atMs, zone).slice(0, 16)}: ${next.people.join(', ')}`;
		return `${id} (${name}): ${people}${after}`;
	});
}

function gapLines({ outlook, rosters }: OnCallAnswer): readonly string[] {
	const zone = rosters[0]?.zone;
	if (zone === undefined) return NO_ROSTER;
	const time = (timeMs: number) => formatZoned(timeMs, zone).slice(0, 16);
	if (outlook.gaps.length === 0) return [`no gap until ${time(outlook.toMs)}`];
	return outlook.gaps.map(
		({ rule, fromMs, toMs, wanted, people }) =>
			`${time(fromMs)} to ${time(toMs)}  ${rule}: ${wanted} wanted, ${people.length === 0 ? 'nobody there' : people.join(', ')}`,
	);
}
