import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyLedger } from '../../collector/availability/ledger-export.ts';
import { parseInventoryFile } from '../../collector/inventory/inventory-yaml.ts';
import type { OverviewAnswer } from '../../protocol/api.ts';
import type { BudgetListAnswer, WhatIfAnswer } from '../../protocol/availability-api.ts';
import type { MaintenanceDetailAnswer, MaintenanceListAnswer, MaintenanceWindowAnswer } from '../../protocol/maintenance-api.ts';
import { waitFor } from '../harness/process.ts';
import { startTrialCollector, type TrialCollector } from '../harness/trial-collector.ts';

const HOUR = 3_600_000;
let collector: TrialCollector;

beforeAll(async () => {
	collector = await startTrialCollector('maintenance-api', {
		config:
			'inventory:\n  maintenance: [{ contract: chengdu-2021, notice: 72h }]\n  checks: [{ id: k }]\n  services: [{ id: portal, name: 门户, checks: [k], contract: chengdu-2021 }]\n',
		people: { 'the-system': 'system', 'the-operator': 'operator', 'the-viewer': 'viewer' },
	});
});
afterAll(() => collector.remove());

const call = (role: string, path: string, body?: unknown) =>
	collector.call(body === undefined ? 'GET' : 'POST', `/api/fournines/v1${path}`, {
		as: `the-${role}`,
		...(body === undefined ? {} : { body }),
	});

test('an operator asks, another person approves, a viewer only looks, and what it takes out is in the budget', async () => {
	const fromMs = Math.ceil(Date.now() / HOUR) * HOUR + 100 * HOUR;
	const request = { title: '升级', services: ['portal'], fromMs, toMs: fromMs + HOUR, recurrence: null, reason: '', rollback: '' };
	expect((await call('viewer', '/maintenance', request)).status).toBe(403);
	expect((await call('operator', '/maintenance', { ...request, surprise: 1 })).status).toBe(400);
	const asked = await call('operator', '/maintenance', request);
	expect(asked.status).toBe(201);
	const { id } = JSON.parse(asked.text) as MaintenanceWindowAnswer;
	expect((await call('operator', `/maintenance/${id}/approve`, { note: '' })).status).toBe(403);
	const whatIf = async () =>
		JSON.parse((await call('viewer', `/services/portal/what-if?from=${fromMs / 1000}&to=${fromMs / 1000 + 7200}`)).text) as WhatIfAnswer;
	expect(await whatIf()).toMatchObject({ costSeconds: 7200, freeSeconds: 0 });
	expect((await call('system', `/maintenance/${id}/approve`, { note: '同意' })).status).toBe(200);
	expect(await whatIf()).toMatchObject({ costSeconds: 7200 });
	expect((await call('operator', `/maintenance/${id}/consent`, { by: '采购人', atMs: Date.now() - 1000, evidence: '函 7' })).status).toBe(
		200,
	);
	expect(await whatIf()).toMatchObject({ costSeconds: 3600, freeSeconds: 3600 });
	const { windows } = JSON.parse(
		(await call('viewer', `/maintenance?from=${fromMs / 1000}&to=${fromMs / 1000 + 1}`)).text,
	) as MaintenanceListAnswer;
	expect(windows.map(({ history }) => history.map(({ kind, actor }) => `${kind} ${actor}`))).toEqual([
		['requested the-operator', 'approved the-system', 'consented the-operator'],
	]);
});

test('what an open window covers is held back, with the window as the reason and its price; another service is told', async () => {
	const fromMs = Date.now() - HOUR;
	const request = { title: '补丁', services: ['portal'], fromMs, toMs: fromMs + 2 * HOUR, recurrence: null, reason: '', rollback: '' };
	const { id } = JSON.parse((await call('operator', '/maintenance', request)).text) as MaintenanceWindowAnswer;
	await overrun();
	const alerts = async () => {
		const { alerts: shown } = JSON.parse((await call('viewer', '/overview')).text) as OverviewAnswer;
		return Object.fromEntries(
			shown.filter(({ labels }) => labels['alertname'] === 'Broken').map(({ labels, suppressed }) => [labels['service'], suppressed]),
		);
	};
	const body = ['portal', 'other'].map((service) => ({ labels: { alertname: 'Broken', service, severity: 'critical' }, annotations: {} }));
	expect((await collector.call('POST', '/api/v2/alerts', { token: 'local-alert', body })).status).toBe(200);
	expect(await alerts()).toEqual({ portal: false, other: false });
	expect((await call('system', `/maintenance/${id}/approve`, { note: '' })).status).toBe(200);
	expect(await alerts()).toEqual({ portal: true, other: false });
	const held = async () => (JSON.parse((await call('viewer', `/maintenance/${id}`)).text) as MaintenanceDetailAnswer).held;
	await waitFor('the hold to be on record', async () => (await held()).messages === 1, { timeoutMs: 150_000, intervalMs: 500 });
	await call('operator', `/maintenance/${id}/start`, { occurrenceMs: fromMs, actualMs: fromMs + 1000 });
	await call('operator', `/maintenance/${id}/end`, { occurrenceMs: fromMs, actualMs: Date.now() });
	expect(await alerts()).toEqual({ portal: false, other: false });
	const overview = async () => JSON.parse((await call('viewer', '/overview')).text) as OverviewAnswer;
	const told = async () => (await overview()).alerts.find(({ labels }) => labels['alertname'] === 'MaintenanceOverrun');
	await waitFor('the owner to be told', async () => (await told()) !== undefined, { timeoutMs: 150_000, intervalMs: 500 });
	expect(await told()).toMatchObject({ labels: { owner: 'the-operator', severity: 'warning' }, suppressed: false });
});

/** Work that was begun two hours ago, should have ended an hour ago, and has no end on record. */
async function overrun(): Promise<void> {
	const fromMs = Date.now() - 2 * HOUR;
	const request = { title: '超时', services: ['portal'], fromMs, toMs: fromMs + HOUR, recurrence: null, reason: '', rollback: '' };
	const { id } = JSON.parse((await call('operator', '/maintenance', request)).text) as MaintenanceWindowAnswer;
	await call('system', `/maintenance/${id}/approve`, { note: '' });
	expect((await call('operator', `/maintenance/${id}/start`, { occurrenceMs: fromMs, actualMs: fromMs + 1000 })).status).toBe(200);
}

test('budgets, inventory and the ledger export are answered', async () => {
	const { budgets } = JSON.parse((await call('viewer', '/budgets')).text) as BudgetListAnswer;
	expect(budgets.map(({ serviceId, usedSeconds }) => [serviceId, usedSeconds])).toEqual([['portal', 0]]);
	expect(parseInventoryFile((await call('viewer', '/inventory')).text, 'x.yml').kind).toBe('ok');
	const now = Math.floor(Date.now() / 1000);
	const { findings, services } = verifyLedger((await call('viewer', `/ledger-export?from=${now - 3600}&to=${now}`)).text);
	expect(findings).toEqual([]);
	expect(services[0]?.figures).toMatchObject({ totalSeconds: 3600, unknownSeconds: 3600 });
});
