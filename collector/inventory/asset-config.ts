import { type Static, Type } from 'typebox';
import { DURATION_PATTERN } from '../../core/duration.ts';
import { ScheduleSchema } from '../../core/schedule.ts';

export const Id = Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$' });
const HostId = Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,199}$' });
const Name = Type.String({ minLength: 1, maxLength: 100 });
const Note = Type.String({ maxLength: 500 });
/** Where an entry comes from: a document that both sides have, or somebody's assumption that still has to be confirmed. */
const Origin = Type.Union([Type.Literal('source'), Type.Literal('assumed')]);

/** What is run for one client: the thing that a contract is about. */
const SystemSchema = Type.Object(
	{
		id: Id,
		name: Name,
		client: Type.Optional(Name),
		contacts: Type.Optional(Type.Array(Id, { uniqueItems: true })),
		note: Type.Optional(Note),
	},
	{ additionalProperties: false },
);

const SubsystemSchema = Type.Object(
	{
		id: Id,
		name: Name,
		system: Id,
		/** A larger subsystem that it is part of. */
		parent: Type.Optional(Id),
		/** As contracts speak of them: 基础 and 拓展. */
		kind: Type.Optional(Type.Union([Type.Literal('basic'), Type.Literal('extended')])),
		/** 巡检: how often somebody looks at it. */
		inspection: Type.Optional(
			Type.Union([Type.Literal('twice-daily'), Type.Literal('daily'), Type.Literal('twice-weekly'), Type.Literal('weekly')]),
		),
		origin: Type.Optional(Origin),
		note: Type.Optional(Note),
	},
	{ additionalProperties: false },
);

/** A machine. Its agent learns system and zone from here when it is enrolled. */
const HostSchema = Type.Object(
	{
		/** The name that its agent gives itself: the machine's own unless `host.name` is set. */
		id: HostId,
		name: Type.String({ maxLength: 100, default: '' }),
		system: Type.String({ maxLength: 100, pattern: '^[^\\s:]*$', default: '' }),
		zone: Type.String({ maxLength: 100, default: '' }),
		addresses: Type.Array(Type.String({ minLength: 2, maxLength: 100 }), { uniqueItems: true, default: [] }),
		/** The check that probes this machine from another one: it tells a dead machine from a dead agent. */
		check: Type.Optional(Id),
		/** The machine that this one runs on, where several share one. */
		on: Type.Optional(HostId),
		os: Type.Optional(Name),
		cores: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
		memory_gb: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
		disk_gb: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000_000 })),
		origin: Type.Optional(Origin),
		note: Type.Optional(Note),
	},
	{ additionalProperties: false },
);

/** A program on a host. */
const ComponentSchema = Type.Object(
	{
		id: Id,
		name: Name,
		host: HostId,
		kind: Type.Union(['tomcat', 'nginx', 'mysql', 'redis', 'program', 'other'].map((kind) => Type.Literal(kind))),
		port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
		version: Type.Optional(Type.String({ maxLength: 50 })),
		subsystem: Type.Optional(Id),
		/** Of a database replica: the component that it copies. */
		replicates: Type.Optional(Id),
		origin: Type.Optional(Origin),
		note: Type.Optional(Note),
	},
	{ additionalProperties: false },
);

/** An interface to somebody else's system, and until when its data must have been delivered. */
const InterfaceSchema = Type.Object(
	{
		/** Of a push: the id of the agent's `inputs.push`, so that what is measured and what is owed are one thing. */
		id: Id,
		name: Name,
		peer: Name,
		system: Type.Optional(Id),
		direction: Type.Union([Type.Literal('out'), Type.Literal('in')], { default: 'out' }),
		/** Absent for an interface that was delivered once and is kept ready. */
		schedule: Type.Optional(ScheduleSchema),
		/** How long after the scheduled time the data may arrive: scheduled time plus grace is the deadline. */
		grace: Type.String({ pattern: DURATION_PATTERN, default: '0' }),
		contact: Type.Optional(Id),
		origin: Type.Optional(Origin),
		note: Type.Optional(Note),
	},
	{ additionalProperties: false },
);

const ContactSchema = Type.Object(
	{
		id: Id,
		name: Name,
		organisation: Type.Optional(Name),
		duty: Type.Optional(Name),
		phone: Type.Optional(Type.String({ pattern: '^[0-9+][0-9 +()-]{2,30}$' })),
		mail: Type.Optional(Type.String({ pattern: '^[^@\\s]+@[^@\\s]+$', maxLength: 200 })),
		wechat: Type.Optional(Name),
		qq: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{4,11}$' })),
	},
	{ additionalProperties: false },
);

/** A host that checks are run from, with a target that is always up: when that fails too, it is the host's own network. */
const VantageSchema = Type.Object({ host: HostId, reference: Id }, { additionalProperties: false });

/** Keys of `inventory` that say what exists, without what it is worth. */
export const assetProperties = {
	systems: Type.Array(SystemSchema, { default: [] }),
	subsystems: Type.Array(SubsystemSchema, { default: [] }),
	hosts: Type.Array(HostSchema, { default: [] }),
	components: Type.Array(ComponentSchema, { default: [] }),
	interfaces: Type.Array(InterfaceSchema, { default: [] }),
	contacts: Type.Array(ContactSchema, { default: [] }),
	vantages: Type.Array(VantageSchema, { default: [] }),
};

export type SystemConfig = Static<typeof SystemSchema>;
export type SubsystemConfig = Static<typeof SubsystemSchema>;
export type HostConfig = Static<typeof HostSchema>;
export type ComponentConfig = Static<typeof ComponentSchema>;
export type InterfaceConfig = Static<typeof InterfaceSchema>;
export type ContactConfig = Static<typeof ContactSchema>;
export type VantageConfig = Static<typeof VantageSchema>;
