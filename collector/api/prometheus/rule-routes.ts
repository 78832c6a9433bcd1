import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { RuleGroup } from '../../ruler/group.ts';
import type { Ruler } from '../../ruler/ruler.ts';
import { sendData } from './answers.ts';
import { badParameter, Parameters } from './parameters.ts';
import { alertJson, groupJson, liveAlerts, ruleJson } from './rule-shapes.ts';

/** `/api/v1/rules` and `/api/v1/alerts`. */
export function registerRuleRoutes(app: FastifyInstance, ruler: Pick<Ruler, 'groups'>): void {
	app.get('/api/v1/rules', async (request, reply) => {
		const parameters = new Parameters(request);
		const type = parameters.one('type');
		if (type !== '' && type !== 'alert' && type !== 'record') throw badParameter('type', `not supported value "${type}"`);
		const names = parameters.all('rule_name[]');
		const groupNames = parameters.all('rule_group[]');
		const files = parameters.all('file[]');
		const withAlerts = parameters.one('exclude_alerts') !== 'true';
		const groups = ruler
			.groups()
			.filter(({ definition }) => groupNames.length === 0 || groupNames.includes(definition.name))
			.filter(({ definition }) => files.length === 0 || files.includes(definition.file))
			.map((group) => ({
				group,
				rules: group.rules
					.filter(({ definition }) => type === '' || (definition.kind === 'alerting') === (type === 'alert'))
					.filter(({ definition }) => names.length === 0 || names.includes(definition.name))
					.map((rule) => ruleJson(rule, withAlerts)),
			}))
			.filter(({ rules }) => rules.length > 0 || (type === '' && names.length === 0));
		const page = pageOf(groups, parameters.limit('group_limit'), parameters.one('group_next_token'));
		return sendData(reply, {
			groups: page.groups.map(({ group, rules }) => groupJson(group, rules)),
			...(page.nextToken === null ? {} : { groupNextToken: page.nextToken }),
		});
	});

	app.get('/api/v1/alerts', async (_request, reply) =>
		sendData(reply, { alerts: ruler.groups().flatMap((group) => group.rules.flatMap((rule) => liveAlerts(rule).map(alertJson))) }),
	);
}

/** At most `limit` groups (0: all) from the one on that `token` names, and the token of the group behind them. */
function pageOf<T extends { readonly group: RuleGroup }>(
	groups: readonly T[],
	limit: number,
	token: string,
): { readonly groups: readonly T[]; readonly nextToken: string | null } {
	if (token !== '' && limit === 0)
		throw badParameter('group_next_token', 'group_limit needs to be present in order to paginate over the groups');
	const from = token === '' ? 0 : groups.findIndex(({ group }) => tokenOf(group) === token);
	if (from < 0) throw badParameter('group_next_token', `invalid group_next_token '${token.slice(0, 100)}'. were rule groups changed?`);
	const next = limit === 0 ? undefined : groups[from + limit];
	return {
		groups: groups.slice(from, next === undefined ? undefined : from + limit),
		nextToken: next === undefined ? null : tokenOf(next.group),
	};
}

function tokenOf({ definition }: RuleGroup): string {
	return createHash('sha1').update(`${definition.file};${definition.name}`).digest('hex');
}
