import { type Static, Type } from 'typebox';

const strict = { additionalProperties: false };
const Names = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { minItems: 1, maxItems: 100, uniqueItems: true });
const Expression = Type.String({ minLength: 1, maxLength: 5000 });

/** `500`, or `5xx` for all of a class. */
const Status = Type.String({ pattern: '^[1-5](\\d\\d|xx)$' });

/** Counted by the agent's input `access_logs`. Lists that are left out stand for everything. */
const AccessLogRequests = Type.Object(
	{
		kind: Type.Union([Type.Literal('nginx'), Type.Literal('tomcat')], { default: 'nginx' }),
		hosts: Type.Optional(Names),
		instances: Type.Optional(Names),
		servers: Type.Optional(Names),
		routes: Type.Optional(Names),
		methods: Type.Optional(Names),
		/** Answers that were not good. */
		bad: Type.Array(Status, { minItems: 1, uniqueItems: true, default: ['5xx'] }),
	},
	strict,
);

/** Counted by Tomcat itself, whose errors are all answers of 400 and above. */
const TomcatRequests = Type.Object(
	{ hosts: Type.Optional(Names), instances: Type.Optional(Names), connectors: Type.Optional(Names) },
	strict,
);

/** Records that an interface sent; those that the peer rejected are not good. */
const InterfaceRequests = Type.Object({ id: Type.String({ minLength: 1, maxLength: 200 }) }, strict);

/** Where the requests of a service are counted: one of the simple forms, or sums of counters as PromQL selectors. */
export const RequestsSchema = Type.Union([
	Type.Object({ access_log: AccessLogRequests }, strict),
	Type.Object({ tomcat: TomcatRequests }, strict),
	Type.Object({ interface: InterfaceRequests }, strict),
	Type.Object({ good: Expression, total: Expression }, strict),
]);
export type RequestsConfig = Static<typeof RequestsSchema>;
