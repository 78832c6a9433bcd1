import type { FastifyInstance } from 'fastify';
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
		return sendData(reply, { groups: groups.map(({ group, rules }) => groupJson(group, rules)) });
	});

	app.get('/api/v1/alerts', async (_request, reply) =>
		sendData(reply, { alerts: ruler.groups().flatMap((group) => group.rules.flatMap((rule) => liveAlerts(rule).map(alertJson))) }),
	);
}
