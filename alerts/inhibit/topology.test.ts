import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Alert, fingerprintOf } from '../alert.ts';
import { parseMatchers } from '../route/matcher.ts';
import { createDependence, type Topology } from './topology.ts';

const NOW = 1_000_000;
const RULES = { hostDown: parseMatchers('alertname=~"HostDown|CheckFailed"'), serviceDown: parseMatchers('alertname="CheckFailed"') };
const TOPOLOGY: Topology = {
	hosts: [
		{ id: 'rack-1', check: 'ping-rack-1', addresses: [] },
		{ id: 'app-1', on: 'rack-1', check: 'ping-app-1', addresses: ['10.0.0.1', 'fd00::1'] },
		{ id: 'db-1', on: 'rack-1', addresses: ['10.0.0.2'] },
		{ id: 'alone', addresses: [] },
	],
	services: [
		{ id: 'portal', checks: ['portal-http'], children: ['intake', 'search'] },
		{ id: 'intake', checks: ['intake-http'], children: ['database'] },
		{ id: 'search', checks: ['search-http'], children: [] },
		{ id: 'database', checks: ['db-sql'], children: [] },
	],
};

function alert(labels: Readonly<Record<string, string>>): Alert {
	return {
		fingerprint: fingerprintOf(labels),
		labels,
		annotations: {},
		startsAtMs: 0,
		expiresAtMs: NOW * 2,
		resolvedAtMs: null,
		receivedAtMs: 0,
		updatedAtMs: 0,
		generatorUrl: '',
		mutedBy: '',
	};
}

const failed = (check: string, instance = 'http://portal.example') => ({
	alertname: 'CheckFailed',
	check,
	instance,
	host: 'vantage',
	severity: 'critical',
});
const rack = failed('ping-rack-1', 'rack-1');
const app = failed('ping-app-1', '10.0.0.1');
const named = { alertname: 'HostDown', host: 'alone' };
const cpu = { alertname: 'HostCpuBusy', host: 'app-1', instance: 'app-1' };
const mysql = { alertname: 'MysqlDown', instance: '10.0.0.2:3306' };

describe('what explains an alert', () => {
	test.each([
		{ name: 'a machine hides what runs on it', of: cpu, among: [app], wanted: app },
		{
			name: 'a machine hides the check of a service that it carries',
			of: failed('x', 'https://10.0.0.1:8443/login'),
			among: [app],
			wanted: app,
		},
		{ name: 'an address of version 6 as well', of: failed('x', 'http://[fd00::1]:80/'), among: [app], wanted: app },
		{ name: 'a machine below hides what runs on the machine above', of: mysql, among: [rack], wanted: rack },
		{ name: 'the lowest machine explains all', of: cpu, among: [app, rack], wanted: rack },
		{ name: 'the machine above is a consequence of the one below', of: app, among: [rack], wanted: rack },
		{ name: 'a machine does not explain itself', of: app, among: [], wanted: null },
		{ name: 'a machine that is told by name', of: { alertname: 'HostDiskFull', host: 'alone' }, among: [named], wanted: named },
		{
			name: 'the host that probes is not the one that is probed',
			of: failed('x'),
			among: [{ alertname: 'HostDown', host: 'vantage' }],
			wanted: null,
		},
		{ name: 'another machine explains nothing', of: { alertname: 'A', host: 'alone' }, among: [rack], wanted: null },
		{ name: 'a service hides what needs it', of: failed('portal-http'), among: [failed('search-http')], wanted: failed('search-http') },
		{
			name: 'the deepest one is the root',
			of: failed('portal-http'),
			among: [failed('intake-http'), failed('db-sql')],
			wanted: failed('db-sql'),
		},
		{ name: 'and explains the one between', of: failed('intake-http'), among: [failed('db-sql')], wanted: failed('db-sql') },
		{
			name: 'by its label alone',
			of: { alertname: 'BudgetBurningFast', service: 'portal' },
			among: [failed('db-sql')],
			wanted: failed('db-sql'),
		},
		{ name: 'what needs it explains nothing below', of: failed('db-sql'), among: [failed('portal-http')], wanted: null },
		{ name: 'from service to machine', of: failed('portal-http'), among: [failed('db-sql', '10.0.0.2:3306'), rack], wanted: rack },
		{
			name: 'a slow check is no failed one',
			of: failed('portal-http'),
			among: [{ ...failed('db-sql'), alertname: 'CheckDegraded' }],
			wanted: null,
		},
	])('$name', ({ of, among, wanted }) => {
		const alerts = [of, ...among].map(alert);
		const dependence = createDependence(TOPOLOGY, RULES, { alerts, nowMs: NOW });
		expect(dependence.rootOf(alert(of))).toBe(wanted === null ? null : fingerprintOf(wanted));
	});

	test('a root that is over explains nothing', () => {
		const over = { ...alert(app), resolvedAtMs: NOW - 1 };
		expect(createDependence(TOPOLOGY, RULES, { alerts: [alert(cpu), over], nowMs: NOW }).rootOf(alert(cpu))).toBeNull();
	});

	test('machines and services in a circle end', () => {
		const circle: Topology = {
			hosts: [
				{ id: 'a', on: 'b', check: 'ping-a', addresses: [] },
				{ id: 'b', on: 'a', check: 'ping-b', addresses: [] },
			],
			services: [
				{ id: 's', checks: ['cs'], children: ['t'] },
				{ id: 't', checks: ['ct'], children: ['s'] },
			],
		};
		const alerts = [failed('ping-a', 'a'), failed('ping-b', 'b'), failed('cs'), failed('ct')].map(alert);
		const dependence = createDependence(circle, RULES, { alerts, nowMs: NOW });
		for (const one of alerts) expect(dependence.rootOf(one)).not.toBe(one.fingerprint);
	});
});

test('nothing hidden is lost: whatever has a root is listed under it, and roots have none', () => {
	const labels = fc.oneof(
		fc.record({
			alertname: fc.constantFrom('HostDown', 'HostCpuBusy', 'AgentSilent'),
			host: fc.constantFrom('rack-1', 'app-1', 'db-1', 'alone', 'unknown'),
		}),
		fc.record({
			alertname: fc.constantFrom('CheckFailed', 'CheckDegraded'),
			check: fc.constantFrom('ping-rack-1', 'ping-app-1', 'portal-http', 'intake-http', 'db-sql', 'other'),
			instance: fc.constantFrom('10.0.0.1:80', 'http://10.0.0.2/', 'rack-1', 'elsewhere'),
		}),
	);
	fc.assert(
		fc.property(fc.array(labels, { maxLength: 12 }), (sets) => {
			const alerts = [...new Map(sets.map((set) => [fingerprintOf(set), alert(set)])).values()];
			const dependence = createDependence(TOPOLOGY, RULES, { alerts, nowMs: NOW });
			for (const one of alerts) {
				const root = dependence.rootOf(one);
				if (root === null) continue;
				expect(dependence.consequencesOf(root).map(({ fingerprint }) => fingerprint)).toContain(one.fingerprint);
				const cause = alerts.find(({ fingerprint }) => fingerprint === root);
				expect(cause === undefined ? 'gone' : dependence.rootOf(cause)).toBeNull();
			}
		}),
		{ numRuns: 300 },
	);
});
