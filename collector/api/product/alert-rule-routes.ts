import type { FastifyInstance } from 'fastify';
import type { AlertRuleListAnswer } from '../../../protocol/rule-api.ts';

/** `/api/fournines/v1/alert-rules`: what is judged, and by which thresholds. */
export function registerAlertRuleRoutes(app: FastifyInstance, rules: () => Promise<AlertRuleListAnswer>): void {
	app.get('/api/fournines/v1/alert-rules', { schema: { tags: ['rules'], summary: 'Alerting rules with the thresholds in force' } }, rules);
}
