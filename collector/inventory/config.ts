import { type Static, Type } from 'typebox';
import type { ConfigCheck } from '../../core/config-file.ts';
import { DURATION_PATTERN, parseDuration } from '../../core/duration.ts';

const Id = Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$' });
const Duration = (byDefault: string) => Type.String({ pattern: DURATION_PATTERN, default: byDefault });
const ClockRange = Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d-(([01]\\d|2[0-3]):[0-5]\\d|24:00)$' });
const MonthDay = Type.String({ pattern: '^(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$' });

/** Part of the year with its own hours. Seasons may wrap over New Year (`11-01` to `04-30`). */
const SeasonSchema = Type.Object({ from: MonthDay, to: MonthDay, hours: ClockRange }, { additionalProperties: false });

const CalendarSchema = Type.Object(
	{
		id: Id,
		/** 1 is Monday, 7 is Sunday. Default: every day. */
		weekdays: Type.Array(Type.Integer({ minimum: 1, maximum: 7 }), { minItems: 1, uniqueItems: true, default: [1, 2, 3, 4, 5, 6, 7] }),
		seasons: Type.Array(SeasonSchema, { minItems: 1 }),
	},
	{ additionalProperties: false },
);

const CheckSchema = Type.Object(
	{
		/** The `check` label of `probe_success`. */
		id: Id,
		interval: Duration('10s'),
		confirm: Type.Object(
			{
				failed: Type.Integer({ minimum: 1, maximum: 20, default: 3 }),
				of: Type.Integer({ minimum: 1, maximum: 20, default: 5 }),
				recovered: Type.Integer({ minimum: 1, maximum: 20, default: 3 }),
			},
			{ additionalProperties: false, default: {} },
		),
	},
	{ additionalProperties: false },
);

const CombineSchema = Type.Union([
	Type.Literal('all'),
	Type.Literal('any'),
	Type.Object({ quorum: Type.Integer({ minimum: 1 }) }, { additionalProperties: false }),
]);

const ServiceSchema = Type.Object(
	{
		id: Id,
		name: Type.String({ minLength: 1, maxLength: 100 }),
		core: Type.Boolean({ default: false }),
		/** Percent as text, so that 99.99 means exactly that. */
		target: Type.String({ pattern: '^(100(\\.0{1,4})?|\\d{1,2}(\\.\\d{1,4})?)$', default: '99.99' }),
		owner: Type.String({ default: '' }),
		/** Id of a calendar, or `always`. */
		calendar: Type.String({ default: 'always' }),
		checks: Type.Array(Id, { default: [] }),
		children: Type.Array(Id, { default: [] }),
		combine: Type.Unsafe<Static<typeof CombineSchema>>({ ...CombineSchema, default: 'all' }),
	},
	{ additionalProperties: false },
);

/** A machine. Its agent learns system and zone from here when it is enrolled. */
const HostSchema = Type.Object(
	{
		/** The name that its agent gives itself: the machine's own unless `host.name` is set. */
		id: Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,199}$' }),
		name: Type.String({ maxLength: 100, default: '' }),
		system: Type.String({ maxLength: 100, pattern: '^[^\\s:]*$', default: '' }),
		zone: Type.String({ maxLength: 100, default: '' }),
		addresses: Type.Array(Type.String({ minLength: 2, maxLength: 100 }), { uniqueItems: true, default: [] }),
	},
	{ additionalProperties: false },
);

/** Key `inventory` of collector.yml: what is watched and what it is worth. */
export const InventoryConfigSchema = Type.Object(
	{
		zone: Type.String({ default: 'Asia/Shanghai' }),
		hosts: Type.Array(HostSchema, { default: [] }),
		calendars: Type.Array(CalendarSchema, { default: [] }),
		checks: Type.Array(CheckSchema, { default: [] }),
		services: Type.Array(ServiceSchema, { default: [] }),
	},
	{ additionalProperties: false, default: {} },
);
export type InventoryConfig = Static<typeof InventoryConfigSchema>;
export type ServiceConfig = InventoryConfig['services'][number];
export type CheckConfig = InventoryConfig['checks'][number];
export type CalendarConfig = InventoryConfig['calendars'][number];

/** References that must exist, ids that must be unique, trees that must end. Paths are relative to the `inventory` key. */
export const checkInventory: ConfigCheck<InventoryConfig> = (config, report) => {
	if (!knownZone(config.zone)) report(['zone'], `unknown time zone "${config.zone}"; write for example Asia/Shanghai`);
	unique(config.hosts, (index, id) => report(['hosts', index, 'id'], `the id "${id}" is used twice`));
	const addresses = new Map<string, string>();
	config.hosts.forEach((host, i) => {
		host.addresses.forEach((address, j) => {
			const other = addresses.get(address);
			if (other === undefined) addresses.set(address, host.id);
			else report(['hosts', i, 'addresses', j], `the address ${address} belongs to the host "${other}" already`);
		});
	});
	unique(config.calendars, (index, id) => report(['calendars', index, 'id'], `the id "${id}" is used twice`));
	unique(config.checks, (index, id) => report(['checks', index, 'id'], `the id "${id}" is used twice`));
	unique(config.services, (index, id) => report(['services', index, 'id'], `the id "${id}" is used twice`));
	config.checks.forEach((check, i) => {
		if (parseDuration(check.interval) < 1000)
			report(['checks', i, 'interval'], 'a check needs an interval of at least 1s, because the ledger counts whole seconds');
		if (check.confirm.failed > check.confirm.of)
			report(['checks', i, 'confirm'], `${check.confirm.failed} failures cannot happen in ${check.confirm.of} checks`);
	});
	const services = new Map(config.services.map((service) => [service.id, service]));
	const checks = new Set(config.checks.map((check) => check.id));
	const calendars = new Set(['always', ...config.calendars.map((calendar) => calendar.id)]);
	config.services.forEach((service, i) => {
		const at = ['services', i] as const;
		if (!calendars.has(service.calendar)) report([...at, 'calendar'], `there is no calendar "${service.calendar}"`);
		service.checks.forEach((id, j) => {
			if (!checks.has(id)) report([...at, 'checks', j], `there is no check "${id}" in inventory.checks`);
		});
		service.children.forEach((id, j) => {
			if (!services.has(id)) report([...at, 'children', j], `there is no service "${id}"`);
		});
		if (service.checks.length + service.children.length === 0)
			report([...at], `the service "${service.id}" has neither checks nor children, so nothing could be said about it`);
		if (typeof service.combine === 'object' && service.combine.quorum > service.checks.length + service.children.length) {
			report(
				[...at, 'combine'],
				`a quorum of ${service.combine.quorum} cannot be reached by ${service.checks.length + service.children.length} parts`,
			);
		}
		if (reaches(service.id, service.id, services)) report([...at, 'children'], `the service "${service.id}" is its own descendant`);
	});
};

function unique(list: readonly { readonly id: string }[], twice: (index: number, id: string) => void): void {
	const seen = new Set<string>();
	list.forEach(({ id }, index) => {
		if (seen.has(id)) twice(index, id);
		seen.add(id);
	});
}

function reaches(from: string, target: string, services: ReadonlyMap<string, ServiceConfig>): boolean {
	const seen = new Set<string>();
	const queue = [...(services.get(from)?.children ?? [])];
	for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
		if (next === target) return true;
		if (seen.has(next)) continue;
		seen.add(next);
		queue.push(...(services.get(next)?.children ?? []));
	}
	return false;
}

function knownZone(zone: string): boolean {
	try {
		new Intl.DateTimeFormat('en', { timeZone: zone });
		return true;
	} catch {
		return false;
	}
}
