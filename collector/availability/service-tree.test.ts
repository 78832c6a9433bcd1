import { expect, test } from 'vitest';
import { inventoryOf } from './ledger.fixture.ts';
import { serviceTree, treeKey } from './service-tree.ts';

const YAML = `  hosts: [{ id: a, zone: z, check: ping }]
  vantages: [{ host: a, reference: ping }]
  checks: [{ id: web }, { id: app }, { id: ping }, { id: other }]
  services:
    - { id: part, name: P, checks: [app], combine: { quorum: 1 } }
    - { id: queue, name: Q, combine: { promql: 'vector(1)' } }
    - { id: top, name: T, checks: [web], children: [part, queue] }
    - { id: beside, name: B, checks: [other] }`;

function keyOf(yaml: string): string {
	const inventory = inventoryOf(yaml);
	const top = inventory.services.find(({ id }) => id === 'top');
	if (top === undefined) throw new Error('no service');
	return treeKey(inventory, serviceTree(inventory, top));
}

test.each([
	{ name: 'the interval of a check', from: '{ id: web }', to: '{ id: web, interval: 30s }' },
	{ name: 'the confirmation of a check below', from: '{ id: app }', to: '{ id: app, confirm: { failed: 2 } }' },
	{ name: 'how a part combines', from: 'combine: { quorum: 1 }', to: 'combine: any' },
	{ name: 'what it stands on', from: 'children: [part, queue]', to: 'children: [part]' },
	{ name: 'a condition', from: 'vector(1)', to: 'vector(0)' },
	{ name: 'the life of a part', from: 'name: P,', to: 'name: P, created: 2026-11-10,' },
	{ name: 'a reference', from: 'reference: ping', to: 'reference: other' },
	{ name: 'the zone of a host', from: 'zone: z', to: 'zone: y' },
	{ name: 'the check of a host', from: ', check: ping }', to: ', check: other }' },
])('$name belongs to the definition that days are kept by', ({ from, to }) => {
	expect(YAML).toContain(from);
	expect(keyOf(YAML.replace(from, to))).not.toBe(keyOf(YAML));
});

test.each([
	{ name: 'a name', from: 'name: T', to: 'name: Top' },
	{ name: 'a target', from: 'name: T', to: "name: T, target: '99.9'" },
	{ name: 'another service', from: 'id: beside, name: B, checks: [other]', to: 'id: beside, name: B, checks: [other, web]' },
	{ name: 'a check that it does not stand on', from: '{ id: other }', to: '{ id: other, interval: 1m }' },
])('$name does not', ({ from, to }) => {
	expect(YAML).toContain(from);
	expect(keyOf(YAML.replace(from, to))).toBe(keyOf(YAML));
});
