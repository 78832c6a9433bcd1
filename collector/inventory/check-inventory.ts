import type { ConfigCheck } from '../../core/config-file.ts';
import { parseDuration, tryParseDuration } from '../../core/duration.ts';
import { errorText } from '../../core/errors.ts';
import { isZone, parseSchedule } from '../../core/schedule.ts';
import { momentMs } from './calendar.ts';
import type { InventoryConfig } from './config.ts';
import { requestExpressions, requestTerms } from './request-terms.ts';

type Report = (path: readonly (string | number)[], message: string) => void;

/** References that must exist, ids that must be unique, trees that must end, schedules that must fire. Paths are relative to the `inventory` key. */
export const checkInventory: ConfigCheck<InventoryConfig> = (config, report) => {
	if (!isZone(config.zone)) {
		report(['zone'], `unknown time zone "${config.zone}"; write for example Asia/Shanghai`);
		return;
	}
	for (const key of ['systems', 'subsystems', 'hosts', 'components', 'interfaces', 'contacts', 'checks', 'services'] as const)
		repeated(
			config[key].map(({ id }) => id),
			(index, id) => report([key, index, 'id'], `the id "${id}" is used twice`),
		);
	checkAssets(config, report);
	checkInterfaces(config, report);
	checkCalendars(config, report);
	checkServices(config, report);
};

function checkAssets(config: InventoryConfig, report: Report): void {
	const systems = new Set(config.systems.map(({ id }) => id));
	const hosts = new Map(config.hosts.map((host) => [host.id, host]));
	const contacts = new Set(config.contacts.map(({ id }) => id));
	const subsystems = new Map(config.subsystems.map((subsystem) => [subsystem.id, subsystem]));
	const checks = new Set(config.checks.map(({ id }) => id));
	config.systems.forEach((system, i) => {
		system.contacts?.forEach((id, j) => {
			if (!contacts.has(id)) report(['systems', i, 'contacts', j], `there is no contact "${id}"`);
		});
	});
	config.subsystems.forEach((subsystem, i) => {
		if (!systems.has(subsystem.system))
			report(['subsystems', i, 'system'], `there is no system "${subsystem.system}" in inventory.systems`);
		if (subsystem.parent !== undefined && !subsystems.has(subsystem.parent))
			report(['subsystems', i, 'parent'], `there is no subsystem "${subsystem.parent}"`);
		if (inCycle(subsystem.id, (id) => [subsystems.get(id)?.parent ?? '']))
			report(['subsystems', i, 'parent'], `the subsystem "${subsystem.id}" is its own ancestor`);
	});
	const addresses = new Map<string, string>();
	config.hosts.forEach((host, i) => {
		host.addresses.forEach((address, j) => {
			const other = addresses.get(address);
			if (other === undefined) addresses.set(address, host.id);
			else report(['hosts', i, 'addresses', j], `the address ${address} belongs to the host "${other}" already`);
		});
		// Without a list of systems a host's system is just a label.
		if (systems.size > 0 && host.system !== '' && !systems.has(host.system))
			report(['hosts', i, 'system'], `there is no system "${host.system}" in inventory.systems`);
		if (host.on !== undefined && !hosts.has(host.on)) report(['hosts', i, 'on'], `there is no host "${host.on}"`);
		if (inCycle(host.id, (id) => [hosts.get(id)?.on ?? ''])) report(['hosts', i, 'on'], `the host "${host.id}" runs on itself`);
		if (host.check !== undefined && !checks.has(host.check))
			report(['hosts', i, 'check'], `there is no check "${host.check}" in inventory.checks`);
	});
	const components = new Map(config.components.map((component) => [component.id, component]));
	const ports = new Map<string, string>();
	config.components.forEach((component, i) => {
		const at = ['components', i] as const;
		if (!hosts.has(component.host)) report([...at, 'host'], `there is no host "${component.host}"`);
		if (component.subsystem !== undefined && !subsystems.has(component.subsystem))
			report([...at, 'subsystem'], `there is no subsystem "${component.subsystem}"`);
		if (component.replicates !== undefined && !components.has(component.replicates))
			report([...at, 'replicates'], `there is no component "${component.replicates}"`);
		if (inCycle(component.id, (id) => [components.get(id)?.replicates ?? '']))
			report([...at, 'replicates'], `the component "${component.id}" replicates itself`);
		if (component.port === undefined) return;
		const place = `${component.host}:${component.port}`;
		const other = ports.get(place);
		// One server can hold several applications; two servers cannot hold one port.
		if (other === undefined) ports.set(place, component.kind);
		else if (other !== component.kind) report([...at, 'port'], `${place} is taken by a component of the kind ${other} already`);
	});
	repeated(
		config.vantages.map(({ host }) => host),
		(index, host) => report(['vantages', index, 'host'], `the host "${host}" is listed twice`),
	);
	config.vantages.forEach(({ reference }, i) => {
		if (!checks.has(reference)) report(['vantages', i, 'reference'], `there is no check "${reference}" in inventory.checks`);
	});
}

function checkInterfaces(config: InventoryConfig, report: Report): void {
	const systems = new Set(config.systems.map(({ id }) => id));
	const contacts = new Set(config.contacts.map(({ id }) => id));
	config.interfaces.forEach((entry, i) => {
		const at = ['interfaces', i] as const;
		if (entry.system !== undefined && !systems.has(entry.system))
			report([...at, 'system'], `there is no system "${entry.system}" in inventory.systems`);
		if (entry.contact !== undefined && !contacts.has(entry.contact)) report([...at, 'contact'], `there is no contact "${entry.contact}"`);
		if (entry.schedule === undefined) return;
		const schedule = parseSchedule({ zone: config.zone, ...entry.schedule });
		if (schedule.kind === 'bad') report([...at, 'schedule', ...(schedule.key === '' ? [] : [schedule.key])], schedule.message);
	});
}

function checkCalendars(config: InventoryConfig, report: Report): void {
	repeated(
		config.calendars.map(({ id, valid_from: from }) => `${id} ${from === undefined ? '' : momentMs(from, config.zone)}`),
		(index) => {
			const { id, valid_from: from } = config.calendars[index] ?? { id: '' };
			if (from === undefined) report(['calendars', index, 'id'], `the id "${id}" is used twice; a later version needs "valid_from"`);
			else report(['calendars', index, 'valid_from'], `the calendar "${id}" has two versions from ${from} on`);
		},
	);
	repeated(
		config.maintenance.map(({ contract }) => contract),
		(index, contract) => report(['maintenance', index, 'contract'], `the contract "${contract}" is listed twice`),
	);
	config.calendars.forEach(({ id }, i) => {
		if (id === 'always') report(['calendars', i, 'id'], 'the id "always" means no calendar; choose another one');
	});
	repeated(
		config.holidays.map(({ year }) => String(year)),
		(index, year) => report(['holidays', index, 'year'], `the year ${year} is listed twice`),
	);
	config.holidays.forEach(({ year, off, work }, i) => {
		for (const [key, days] of Object.entries({ off, work }))
			days.forEach((day, j) => {
				const date = new Date(`${year}-${day}T00:00:00Z`);
				if (Number.isNaN(date.getTime()) || date.toISOString().slice(5, 10) !== day)
					report(['holidays', i, key, j], `${year}-${day} does not exist`);
			});
		work.forEach((day, j) => {
			if (off.includes(day)) report(['holidays', i, 'work', j], `${year}-${day} cannot be both off and worked`);
		});
	});
}

function checkServices(config: InventoryConfig, report: Report): void {
	config.checks.forEach((check, i) => {
		if (parseDuration(check.interval) < 1000)
			report(['checks', i, 'interval'], 'a check needs an interval of at least 1s, because the ledger counts whole seconds');
		if (check.confirm.failed > check.confirm.of)
			report(['checks', i, 'confirm'], `${check.confirm.failed} failures cannot happen in ${check.confirm.of} checks`);
	});
	const services = new Map(config.services.map((service) => [service.id, service]));
	const checks = new Set(config.checks.map((check) => check.id));
	const calendars = new Set(['always', ...config.calendars.map((calendar) => calendar.id)]);
	const known = {
		subsystem: new Set(config.subsystems.map(({ id }) => id)),
		contact: new Set(config.contacts.map(({ id }) => id)),
	};
	config.services.forEach((service, i) => {
		const at = ['services', i] as const;
		const { combine } = service;
		if (!calendars.has(service.calendar)) report([...at, 'calendar'], `there is no calendar "${service.calendar}"`);
		service.checks.forEach((id, j) => {
			if (!checks.has(id)) report([...at, 'checks', j], `there is no check "${id}" in inventory.checks`);
		});
		service.children.forEach((id, j) => {
			if (!services.has(id)) report([...at, 'children', j], `there is no service "${id}"`);
		});
		const parts = service.checks.length + service.children.length;
		if (typeof combine === 'object' && 'promql' in combine) {
			if (parts > 0) report([...at, 'combine'], 'a service with a PromQL condition has neither checks nor children of its own');
			if (combine.interval !== undefined && (tryParseDuration(combine.interval) ?? 0) < 1000)
				report([...at, 'combine', 'interval'], 'the interval must be at least 1s');
		} else if (parts === 0)
			report([...at], `the service "${service.id}" has neither checks nor children, so nothing could be said about it`);
		if (typeof combine === 'object' && 'quorum' in combine) {
			if (combine.quorum > parts) report([...at, 'combine'], `a quorum of ${combine.quorum} cannot be reached by ${parts} parts`);
			if (combine.redundancy !== undefined && (combine.redundancy > parts || combine.redundancy < combine.quorum))
				report(
					[...at, 'combine', 'redundancy'],
					`redundancy lies between the quorum, ${combine.quorum}, and the number of parts, ${parts}`,
				);
		}
		if (inCycle(service.id, (id) => services.get(id)?.children ?? []))
			report([...at, 'children'], `the service "${service.id}" is its own descendant`);
		for (const key of ['subsystem', 'contact'] as const) {
			const id = service[key];
			if (id !== undefined && !known[key].has(id)) report([...at, key], `there is no ${key} "${id}"`);
		}
		if (service.requests !== undefined) {
			const expressions = requestExpressions(service.requests);
			for (const key of ['good', 'total'] as const)
				try {
					requestTerms(expressions[key]);
				} catch (error) {
					report([...at, 'requests', key], errorText(error));
				}
		}
		const { created, removed } = service;
		if (created !== undefined && removed !== undefined && momentMs(created, config.zone) >= momentMs(removed, config.zone))
			report([...at, 'removed'], `the service cannot end (${removed}) before it begins (${created})`);
	});
}

function repeated(keys: readonly string[], twice: (index: number, key: string) => void): void {
	const seen = new Set<string>();
	keys.forEach((key, index) => {
		if (seen.has(key)) twice(index, key);
		seen.add(key);
	});
}

function inCycle(start: string, next: (id: string) => readonly string[]): boolean {
	const seen = new Set<string>();
	const queue = [...next(start)];
	for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
		if (id === start) return true;
		if (seen.has(id)) continue;
		seen.add(id);
		queue.push(...next(id));
	}
	return false;
}
