import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configOrThrow } from '../../core/config-file.ts';
import { formatZoned } from '../../core/zone-time.ts';
import { closedSpans } from './calendar.ts';
import type { InventoryConfig } from './config.ts';
import { inventoryYaml, parseInventoryFile } from './inventory-yaml.ts';

const CITY = resolve(import.meta.dirname, '../../examples/chengdu/collector.yml');
const city = () => configOrThrow(parseInventoryFile(readFileSync(CITY, 'utf8'), 'collector.yml'));

interface Bad {
	readonly name: string;
	readonly yaml: string;
	readonly want?: string;
	readonly wants?: readonly string[];
}

/** What is wrong with the inventory, as `path: message`. */
function problems(yaml: string): readonly string[] {
	const result = parseInventoryFile(`inventory:\n${yaml}`, 'x.yml');
	return result.kind === 'ok' ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('a bad inventory', () => {
	test.each<Bad>([
		{
			name: 'a subsystem without its system',
			yaml: '  subsystems: [{ id: a, name: A, system: nowhere }]',
			want: 'inventory.subsystems[0].system: there is no system "nowhere" in inventory.systems',
		},
		{
			name: 'a missing parent',
			yaml: '  systems: [{ id: s, name: S }]\n  subsystems: [{ id: a, name: A, system: s, parent: b }]',
			want: 'inventory.subsystems[0].parent: there is no subsystem "b"',
		},
		{
			name: 'subsystems in a circle',
			yaml: '  systems: [{ id: s, name: S }]\n  subsystems: [{ id: a, name: A, system: s, parent: a }]',
			want: 'inventory.subsystems[0].parent: the subsystem "a" is its own ancestor',
		},
		{
			name: 'two hosts with one address',
			yaml: '  hosts: [{ id: a, addresses: [10.0.0.1] }, { id: b, addresses: [10.0.0.1] }]',
			want: 'inventory.hosts[1].addresses[0]: the address 10.0.0.1 belongs to the host "a" already',
		},
		{
			name: 'a component on a host that is not there',
			yaml: '  components: [{ id: c, name: C, host: h, kind: nginx }]',
			want: 'inventory.components[0].host: there is no host "h"',
		},
		{
			name: 'a replica of itself',
			yaml: '  hosts: [{ id: h }]\n  components: [{ id: c, name: C, host: h, kind: mysql, replicates: c }]',
			want: 'inventory.components[0].replicates: the component "c" replicates itself',
		},
		{
			name: 'two kinds of server on one port',
			yaml: '  hosts: [{ id: h }]\n  components: [{ id: c, name: C, host: h, kind: mysql, port: 80 }, { id: d, name: D, host: h, kind: nginx, port: 80 }]',
			want: 'inventory.components[1].port: h:80 is taken by a component of the kind mysql already',
		},
		{
			name: 'a schedule that never fires',
			yaml: "  interfaces: [{ id: i, name: I, peer: P, schedule: { cron: '0 0 30 2 *' } }]",
			want: 'inventory.interfaces[0].schedule.cron: "0 0 30 2 *" never comes',
		},
		{
			name: 'a calendar twice from one day',
			yaml: "  calendars: [{ id: c, valid_from: 2026-07-01, seasons: [{ from: 01-01, to: 12-31, hours: '08:00-20:00' }] }, { id: c, valid_from: 2026-07-01, seasons: [{ from: 01-01, to: 12-31, hours: '08:00-20:00' }] }]",
			want: 'inventory.calendars[1].valid_from: the calendar "c" has two versions from 2026-07-01 on',
		},
		{
			name: 'a holiday that does not exist',
			yaml: '  holidays: [{ year: 2027, off: [02-29] }]',
			want: 'inventory.holidays[0].off[0]: 2027-02-29 does not exist',
		},
		{
			name: 'a service that ends before it begins',
			yaml: '  checks: [{ id: c }]\n  services: [{ id: s, name: S, checks: [c], created: 2026-02-01, removed: 2026-01-01 }]',
			want: 'inventory.services[0].removed: the service cannot end (2026-01-01) before it begins (2026-02-01)',
		},
		{
			name: 'redundancy below the quorum',
			yaml: '  checks: [{ id: c }, { id: d }]\n  services: [{ id: s, name: S, checks: [c, d], combine: { quorum: 2, redundancy: 1 } }]',
			want: 'inventory.services[0].combine.redundancy: redundancy lies between the quorum, 2, and the number of parts, 2',
		},
		{
			name: 'a contact that nobody is',
			yaml: '  systems: [{ id: s, name: S, contacts: [nobody] }]',
			want: 'inventory.systems[0].contacts[0]: there is no contact "nobody"',
		},
		{
			name: 'a pace that never comes between its hours',
			yaml: "  interfaces: [{ id: i, name: I, peer: P, schedule: { every: 6h, from: '07:30', until: '08:30' } }]",
			want: 'inventory.interfaces[0].schedule.until: no run lies between "from" and "until"',
		},
		{
			name: 'services in a circle',
			yaml: '  services: [{ id: s, name: S, children: [s] }]',
			want: 'inventory.services[0].children: the service "s" is its own descendant',
		},
		{
			name: 'a child service that is not there',
			yaml: '  services: [{ id: s, name: S, children: [t] }]',
			want: 'inventory.services[0].children[0]: there is no service "t"',
		},
		{
			name: 'subsystems in a longer circle',
			yaml: '  systems: [{ id: s, name: S }]\n  subsystems: [{ id: a, name: A, system: s, parent: b }, { id: b, name: B, system: s, parent: c }, { id: c, name: C, system: s, parent: b }]',
			wants: [
				'inventory.subsystems[1].parent: the subsystem "b" is its own ancestor',
				'inventory.subsystems[2].parent: the subsystem "c" is its own ancestor',
			],
		},
		{
			name: 'hosts that run on each other',
			yaml: '  hosts: [{ id: a, on: b }, { id: b, on: a }]',
			wants: ['inventory.hosts[0].on: the host "a" runs on itself', 'inventory.hosts[1].on: the host "b" runs on itself'],
		},
		{ name: 'a host on one that is not there', yaml: '  hosts: [{ id: a, on: b }]', want: 'inventory.hosts[0].on: there is no host "b"' },
		{
			name: 'a host of a system that is not there',
			yaml: '  systems: [{ id: s, name: S }]\n  hosts: [{ id: a, system: t }]',
			want: 'inventory.hosts[0].system: there is no system "t" in inventory.systems',
		},
		{
			name: 'a host with a check that is not there',
			yaml: '  hosts: [{ id: a, check: c }]',
			want: 'inventory.hosts[0].check: there is no check "c" in inventory.checks',
		},
		{
			name: 'one host with the address of another and one of its own',
			yaml: '  hosts: [{ id: a, addresses: [10.0.0.1] }, { id: b, addresses: [10.0.0.2, 10.0.0.1] }]',
			want: 'inventory.hosts[1].addresses[1]: the address 10.0.0.1 belongs to the host "a" already',
		},
		{
			name: 'a replica of nothing',
			yaml: '  hosts: [{ id: h }]\n  components: [{ id: c, name: C, host: h, kind: mysql, replicates: d }]',
			want: 'inventory.components[0].replicates: there is no component "d"',
		},
		{
			name: 'a component of a subsystem that is not there',
			yaml: '  hosts: [{ id: h }]\n  components: [{ id: c, name: C, host: h, kind: mysql, subsystem: x }]',
			want: 'inventory.components[0].subsystem: there is no subsystem "x"',
		},
		{
			name: 'a vantage point twice',
			yaml: '  checks: [{ id: c }]\n  vantages: [{ host: a, reference: c }, { host: a, reference: c }]',
			want: 'inventory.vantages[1].host: the host "a" is listed twice',
		},
		{
			name: 'a reference that is not there',
			yaml: '  vantages: [{ host: a, reference: c }]',
			want: 'inventory.vantages[0].reference: there is no check "c" in inventory.checks',
		},
		{
			name: 'an interface of nobody',
			yaml: '  interfaces: [{ id: i, name: I, peer: P, system: s, contact: c }]',
			wants: [
				'inventory.interfaces[0].system: there is no system "s" in inventory.systems',
				'inventory.interfaces[0].contact: there is no contact "c"',
			],
		},
		{
			name: 'conditions of one contract twice',
			yaml: '  maintenance: [{ contract: c }, { contract: c }]',
			want: 'inventory.maintenance[1].contract: the contract "c" is listed twice',
		},
		{
			name: 'the holidays of a year twice',
			yaml: '  holidays: [{ year: 2031, off: [10-01] }, { year: 2031, off: [10-02] }]',
			want: 'inventory.holidays[1].year: the year 2031 is listed twice',
		},
		{
			name: 'a day both off and worked',
			yaml: '  holidays: [{ year: 2031, off: [10-01], work: [10-01] }]',
			want: 'inventory.holidays[0].work[0]: 2031-10-01 cannot be both off and worked',
		},
		{
			name: 'hours called always',
			yaml: "  calendars: [{ id: always, seasons: [{ from: 01-01, to: 12-31, hours: '08:00-20:00' }] }]",
			want: 'inventory.calendars[0].id: the id "always" means no calendar; choose another one',
		},
		{
			name: 'a calendar twice without a day',
			yaml: "  calendars: [{ id: c, seasons: [{ from: 01-01, to: 12-31, hours: '08:00-20:00' }] }, { id: c, seasons: [{ from: 01-01, to: 12-31, hours: '08:00-20:00' }] }]",
			want: 'inventory.calendars[1].id: the id "c" is used twice; a later version needs "valid_from"',
		},
		{
			name: 'more failures than checks',
			yaml: '  checks: [{ id: c, confirm: { failed: 4, of: 3 } }]',
			want: 'inventory.checks[0].confirm: 4 failures cannot happen in 3 checks',
		},
		{
			name: 'a condition beside checks',
			yaml: "  checks: [{ id: c }]\n  services: [{ id: s, name: S, checks: [c], combine: { promql: 'up' } }]",
			want: 'inventory.services[0].combine: a service with a PromQL condition has neither checks nor children of its own',
		},
		{
			name: 'a condition faster than a second',
			yaml: "  services: [{ id: s, name: S, combine: { promql: 'up', interval: 500ms } }]",
			want: 'inventory.services[0].combine.interval: the interval must be at least 1s',
		},
		{
			name: 'a quorum that nobody reaches',
			yaml: '  checks: [{ id: c }]\n  services: [{ id: s, name: S, checks: [c], combine: { quorum: 2 } }]',
			want: 'inventory.services[0].combine: a quorum of 2 cannot be reached by 1 parts',
		},
		{
			name: 'redundancy above the number of parts',
			yaml: '  checks: [{ id: c }, { id: d }]\n  services: [{ id: s, name: S, checks: [c, d], combine: { quorum: 1, redundancy: 3 } }]',
			want: 'inventory.services[0].combine.redundancy: redundancy lies between the quorum, 1, and the number of parts, 2',
		},
		{
			name: 'a service of nobody',
			yaml: '  checks: [{ id: c }]\n  services: [{ id: s, name: S, checks: [c], subsystem: x, contact: y }]',
			wants: ['inventory.services[0].subsystem: there is no subsystem "x"', 'inventory.services[0].contact: there is no contact "y"'],
		},
		{
			name: 'an id twice',
			yaml: '  hosts: [{ id: h }, { id: h }]\n  contacts: [{ id: c, name: C }, { id: c, name: D }]',
			wants: ['inventory.hosts[1].id: the id "h" is used twice', 'inventory.contacts[1].id: the id "c" is used twice'],
		},
		{
			name: 'requests that would be guessed',
			yaml: "  checks: [{ id: c }]\n  services: [{ id: s, name: S, checks: [c], requests: { good: 'a', total: 'increase(a[5m])' } }]",
			want: 'inventory.services[0].requests.total: "increase(a[5m])" cannot be counted; write counters as selectors, joined by + or -, for example http_requests_total{code!~"5.."}, without increase() or a range',
		},
		{
			name: 'requests of another time',
			yaml: "  checks: [{ id: c }]\n  services: [{ id: s, name: S, checks: [c], requests: { good: 'a offset 1h', total: 'a' } }]",
			want: 'inventory.services[0].requests.good: "a offset 1h" cannot be counted; write counters as selectors, joined by + or -, for example http_requests_total{code!~"5.."}, without increase() or a range',
		},
	])('$name', ({ yaml, want = '', wants = [want] }) => {
		expect(problems(yaml)).toEqual(wants);
	});

	test('everything that is wrong is told at once', () => {
		const yaml = `  hosts: [{ id: a, addresses: [10.0.0.1] }, { id: b, addresses: [10.0.0.1] }]
  subsystems: [{ id: x, name: X, system: none, parent: y }, { id: y, name: Y, system: none, parent: x }]
  interfaces: [{ id: i, name: I, peer: P, schedule: { cron: '0 0 31 4 *' } }]
  services: [{ id: s, name: S, children: [s] }]`;
		const found = problems(yaml);
		expect(found.length).toBe(7);
		for (const words of [
			'belongs to the host "a" already',
			'is its own ancestor',
			'there is no system "none"',
			'never comes',
			'is its own descendant',
		])
			expect(found.join('\n')).toContain(words);
	});
});

describe('calendars', () => {
	const span = (from: string, to: string) => ({ from: Date.parse(from) / 1000, to: Date.parse(to) / 1000 });
	const shown = (inventory: InventoryConfig, id: string, from: string, to: string) =>
		closedSpans(inventory, id, span(from, to)).map(
			(part) => `${formatZoned(part.from * 1000, inventory.zone).slice(5, 16)} ${formatZoned(part.to * 1000, inventory.zone).slice(5, 16)}`,
		);
	const inventory = (yaml: string) => configOrThrow(parseInventoryFile(`inventory:\n${yaml}`, 'x.yml'));
	const WORKING =
		"{ id: work, weekdays: [1, 2, 3, 4, 5], holidays: statutory, seasons: [{ from: 01-01, to: 12-31, hours: '09:00-17:00' }] }";

	test('statutory days off are closed, and a Saturday that makes up for one is open', () => {
		// National Day 2026: off from Thursday 1 to Wednesday 7 October; Sunday 20 September and Saturday 10 October are worked.
		expect(shown(inventory(`  calendars: [${WORKING}]`), 'work', '2026-09-30T12:00:00+08:00', '2026-10-12T12:00:00+08:00')).toEqual([
			'09-30 17:00 10-08 09:00',
			'10-08 17:00 10-09 09:00',
			'10-09 17:00 10-10 09:00',
			'10-10 17:00 10-12 09:00',
		]);
	});

	test('a year without data is an error, and a file fills it', () => {
		const ask = (yaml: string) => shown(inventory(yaml), 'work', '2031-10-01T00:00:00+08:00', '2031-10-03T00:00:00+08:00');
		expect(() => ask(`  calendars: [${WORKING}]`)).toThrow(expect.objectContaining({ code: 'FN_CALENDAR_YEAR' }));
		expect(ask(`  calendars: [${WORKING}]\n  holidays: [{ year: 2031, off: [10-01] }]`)).toEqual([
			'10-01 00:00 10-02 09:00',
			'10-02 17:00 10-03 00:00',
		]);
	});

	test('a calendar that changes holds from its day on', () => {
		const both = inventory(`  calendars:
    - { id: c, seasons: [{ from: 01-01, to: 12-31, hours: '08:00-20:00' }] }
    - { id: c, valid_from: 2026-07-02, seasons: [{ from: 01-01, to: 12-31, hours: '10:00-18:00' }] }`);
		expect(shown(both, 'c', '2026-07-01T00:00:00+08:00', '2026-07-03T00:00:00+08:00')).toEqual([
			'07-01 00:00 07-01 08:00',
			'07-01 20:00 07-02 10:00',
			'07-02 18:00 07-03 00:00',
		]);
	});

	test('before the first version of a calendar nothing else is known, so it holds', () => {
		const both = inventory(`  calendars:
    - { id: c, valid_from: 2026-07-02, seasons: [{ from: 01-01, to: 12-31, hours: '08:00-20:00' }] }
    - { id: c, valid_from: 2026-07-03, seasons: [{ from: 01-01, to: 12-31, hours: '10:00-18:00' }] }`);
		expect(shown(both, 'c', '2026-07-01T12:00:00+08:00', '2026-07-03T12:00:00+08:00')).toEqual([
			'07-01 20:00 07-02 08:00',
			'07-02 20:00 07-03 10:00',
		]);
	});

	test('a leap day is a day', () => {
		expect(shown(inventory(`  calendars: [${WORKING}]`), 'work', '2024-02-29T00:00:00+08:00', '2024-03-01T00:00:00+08:00')).toEqual([
			'02-29 00:00 02-29 09:00',
			'02-29 17:00 03-01 00:00',
		]);
	});
});

describe('the reference city', () => {
	test('has what its contract lists', () => {
		const inventory = city();
		expect(inventory.hosts).toHaveLength(25);
		expect(inventory.hosts.every(({ origin }) => origin !== undefined)).toBe(true);
		expect(inventory.hosts.flatMap(({ addresses }) => addresses)).toHaveLength(16);
		expect(inventory.subsystems.filter(({ kind }) => kind === 'basic')).toHaveLength(9);
		expect(inventory.subsystems.filter(({ kind }) => kind === 'extended')).toHaveLength(13);
		const replicas = (master: string) => inventory.components.filter(({ replicates }) => replicates === master).length;
		expect([replicas('mysql-business-master'), replicas('mysql-statistics-master')]).toEqual([4, 1]);
		expect(inventory.interfaces.filter(({ schedule }) => schedule === undefined)).toHaveLength(20);
		expect(inventory.interfaces.filter(({ schedule }) => schedule !== undefined)).toHaveLength(35);
		expect(new Set(inventory.interfaces.map(({ peer }) => peer)).size).toBe(7);
		expect(inventory.services.filter(({ subsystem }) => subsystem !== undefined)).toHaveLength(22);
	});

	test('comes back from its export as it was', () => {
		const inventory = city();
		expect(configOrThrow(parseInventoryFile(inventoryYaml(inventory), 'export.yml'))).toEqual(inventory);
	});
});
