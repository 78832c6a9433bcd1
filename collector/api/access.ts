import type { Right } from '../identity/rights.ts';
import type { TokenScope } from '../identity/tokens.ts';

/** Who may call a route: `open` anybody, otherwise people with `right` and machines whose token has one of `scopes`. */
export type Access =
	| { readonly kind: 'open' }
	| { readonly kind: 'guarded'; readonly right: Right | null; readonly scopes: readonly TokenScope[] };

const OPEN: Access = { kind: 'open' };
const READ: Access = { kind: 'guarded', right: 'read', scopes: ['read'] };
const PUSH: Access = { kind: 'guarded', right: null, scopes: ['push'] };
/** People only: a token that leaks must not be able to delete. */
const DELETE_SAMPLES: Access = { kind: 'guarded', right: 'samples.delete', scopes: [] };
/** People only: an approval is somebody's word. */
const APPROVE_MAINTENANCE: Access = { kind: 'guarded', right: 'maintenance.approve', scopes: [] };
/** People only: a fault is declared and signed by somebody. */
const FAULT: Access = { kind: 'guarded', right: 'fault', scopes: [] };
/** People only: what users say, and what is changed, is written down by somebody. */
const DESK: Access = { kind: 'guarded', right: 'desk', scopes: [] };
/** People only: who has an incident or duty is somebody's word. */
const ON_CALL: Access = { kind: 'guarded', right: 'oncall', scopes: [] };
const SILENCE: Access = { kind: 'guarded', right: 'silence', scopes: ['alert'] };

interface AccessRule {
	readonly methods: readonly string[] | null;
	/** The route's own pattern, exact, or a prefix when it ends in `*`. */
	readonly route: string;
	readonly access: Access;
}

/** First match wins. What no row names is guarded: a new route is closed until somebody decides. */
const RULES: readonly AccessRule[] = [
	{ methods: null, route: '/-/healthy', access: OPEN },
	{ methods: null, route: '/-/ready', access: OPEN },
	{ methods: ['POST'], route: '/-/reload', access: { kind: 'guarded', right: 'reload', scopes: [] } },
	{ methods: null, route: '/api/v1/write', access: PUSH },
	{ methods: null, route: '/api/v1/import/prometheus', access: PUSH },
	{ methods: null, route: '/v1/metrics', access: PUSH },
	{ methods: null, route: '/api/v1/admin/*', access: DELETE_SAMPLES },
	{ methods: null, route: '/api/v1/*', access: READ },
	{ methods: null, route: '/federate', access: READ },
	{ methods: ['POST'], route: '/api/v2/alerts', access: { kind: 'guarded', right: null, scopes: ['alert'] } },
	{ methods: ['GET', 'HEAD'], route: '/api/v2/*', access: { kind: 'guarded', right: 'read', scopes: ['read', 'alert'] } },
	{ methods: null, route: '/api/v2/*', access: SILENCE },
	{ methods: null, route: '/api/fournines/v1/logs', access: PUSH },
	{ methods: null, route: '/api/fournines/v1/enrol', access: OPEN },
	// Providers have no token of ours; each channel checks its own signature or secret.
	{ methods: ['GET', 'POST'], route: '/api/fournines/v1/callbacks/:name', access: OPEN },
	{ methods: ['POST'], route: '/api/fournines/v1/intake/:name', access: OPEN },
	{ methods: null, route: '/api/fournines/v1/agent/sync', access: PUSH },
	{
		methods: ['POST'],
		route: '/api/fournines/v1/agents/enrolment-tokens',
		access: { kind: 'guarded', right: 'agents', scopes: ['enrol'] },
	},
	{ methods: ['GET', 'HEAD'], route: '/api/fournines/v1/agents*', access: READ },
	{ methods: null, route: '/api/fournines/v1/agents*', access: { kind: 'guarded', right: 'agents', scopes: [] } },
	{ methods: null, route: '/api/fournines/v1/transfer', access: PUSH },
	{ methods: ['GET', 'HEAD'], route: '/api/fournines/v1/jobs', access: READ },
	{ methods: ['PUT', 'DELETE'], route: '/api/fournines/v1/jobs/:task', access: { kind: 'guarded', right: 'agents', scopes: [] } },
	{ methods: null, route: '/api/fournines/v1/jobs/*', access: { kind: 'guarded', right: null, scopes: ['job', 'push'] } },
	{ methods: ['GET', 'HEAD'], route: '/api/fournines/v1/maintenance*', access: READ },
	{ methods: ['POST'], route: '/api/fournines/v1/maintenance/:id/approve', access: APPROVE_MAINTENANCE },
	{ methods: ['POST'], route: '/api/fournines/v1/maintenance/:id/refuse', access: APPROVE_MAINTENANCE },
	{ methods: null, route: '/api/fournines/v1/maintenance*', access: { kind: 'guarded', right: 'maintenance.request', scopes: [] } },
	// The token in the address says who was called; it opens one incident and nothing else.
	{ methods: null, route: '/ack/:token', access: OPEN },
	{ methods: ['GET', 'HEAD'], route: '/api/fournines/v1/incidents*', access: READ },
	{ methods: null, route: '/api/fournines/v1/incidents*', access: ON_CALL },
	{ methods: ['GET', 'HEAD'], route: '/api/fournines/v1/oncall*', access: READ },
	{ methods: null, route: '/api/fournines/v1/oncall*', access: ON_CALL },
	{ methods: ['GET', 'HEAD'], route: '/api/fournines/v1/problems*', access: READ },
	{ methods: null, route: '/api/fournines/v1/problems*', access: DESK },
	{ methods: ['GET', 'HEAD'], route: '/api/fournines/v1/changes*', access: READ },
	// The client approves work on its data; for which steps is decided by role and by party.
	{ methods: null, route: '/api/fournines/v1/changes*', access: FAULT },
	{ methods: ['GET', 'HEAD'], route: '/api/fournines/v1/inventory*', access: READ },
	{ methods: null, route: '/api/fournines/v1/inventory*', access: DESK },
	{ methods: ['GET', 'HEAD'], route: '/api/fournines/v1/faults*', access: READ },
	{ methods: null, route: '/api/fournines/v1/faults*', access: FAULT },
	{ methods: ['GET', 'HEAD'], route: '/api/fournines/v1/contracts*', access: READ },
	{ methods: null, route: '/api/fournines/v1/contracts*', access: FAULT },
	{ methods: null, route: '/api/fournines/v1/session', access: OPEN },
	{ methods: null, route: '/api/fournines/v1/setup', access: OPEN },
	// People only: a report that is issued is somebody's word.
	{ methods: ['POST'], route: '/api/fournines/v1/reports/*', access: DESK },
	{ methods: null, route: '/api/fournines/v1/reports/*', access: { kind: 'guarded', right: 'report', scopes: ['read'] } },
	{ methods: null, route: '/api/fournines/v1/audit/export', access: { kind: 'guarded', right: 'audit.export', scopes: [] } },
	{ methods: null, route: '/api/fournines/v1/audit/*', access: { kind: 'guarded', right: 'audit.read', scopes: [] } },
	{ methods: null, route: '/api/fournines/*', access: READ },
	{ methods: null, route: '/metrics', access: READ },
	{ methods: ['GET', 'HEAD'], route: '/docs/runbooks/*', access: OPEN },
	// The console's own files: the page that asks for a password cannot ask for one first.
	{ methods: ['GET', 'HEAD'], route: '/', access: OPEN },
	{ methods: ['GET', 'HEAD'], route: '/*', access: OPEN },
];

export function accessOf(method: string, route: string): Access {
	for (const rule of RULES) {
		if (rule.methods !== null && !rule.methods.includes(method)) continue;
		// '/*' is the static files' own pattern, not a prefix of everything.
		const prefix = rule.route.endsWith('*') && rule.route !== '/*';
		if (prefix ? route.startsWith(rule.route.slice(0, -1)) : route === rule.route) return rule.access;
	}
	return { kind: 'guarded', right: null, scopes: [] };
}
