import { type Static, Type } from 'typebox';
import { SecretRefSchema } from '../../../core/secret.ts';
import { durationSchema } from '../entry-schema.ts';
import { expectProperties, reachProperties } from '../probe/config.ts';

const Text = Type.String({ minLength: 1 });
const closed = { additionalProperties: false };
const Name = Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' });

const StepSchema = Type.Object(
	{
		/** Label `step`. */
		name: Type.String({ minLength: 1, maxLength: 60 }),
		/** Address, whole or relative to `base`. `{{name}}` stands for a variable. */
		url: Text,
		method: Type.String({ pattern: '^[A-Z]{3,10}$', default: 'GET' }),
		headers: Type.Record(Type.String({ pattern: '^[A-Za-z0-9-]+$' }), Type.String(), { default: {} }),
		/** Fields of a form; sent url-encoded, as a browser does. */
		form: Type.Optional(Type.Record(Type.String(), Type.String())),
		body: Type.Optional(Type.String()),
		redirects: Type.Integer({ default: 5, minimum: 0, maximum: 20 }),
		expect: Type.Object(expectProperties(), { ...closed, default: {} }),
		/** Variables taken from the answer for later steps: the first group of an RE2 pattern, a JSON path, or a header. */
		extract: Type.Array(
			Type.Object({ name: Name, matches: Type.Optional(Text), json: Type.Optional(Text), header: Type.Optional(Text) }, closed),
			{ default: [], maxItems: 20 },
		),
		/** Runs at the end whatever happened before, once a step of the journey has been answered: logging out. */
		always: Type.Boolean({ default: false }),
	},
	closed,
);

export const JourneyConfigSchema = Type.Object(
	{
		/** Labels `journey` and `check`; unique among all checks. */
		id: Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]*$' }),
		/** Address that relative ones are meant from; label `instance`. */
		base: Type.String({ pattern: '^https?://' }),
		interval: durationSchema('1m'),
		/** Of all steps together; logging out has as much again, at most 10 s. */
		timeout: durationSchema('20s'),
		degraded_after: Type.Optional(durationSchema()),
		/** Values that steps use as `{{name}}`. */
		variables: Type.Record(Name, Type.String(), { default: {} }),
		/** The same for what must not be in the file: account and password. */
		secrets: Type.Record(Name, SecretRefSchema, { default: {} }),
		...reachProperties(),
		max_body: Type.Integer({ default: 1024 * 1024, minimum: 1, maximum: 16 * 1024 * 1024 }),
		steps: Type.Array(StepSchema, { minItems: 1, maxItems: 50 }),
		labels: Type.Record(Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' }), Type.String(), { default: {} }),
	},
	closed,
);
export type JourneyConfig = Static<typeof JourneyConfigSchema>;
export type JourneyStep = JourneyConfig['steps'][number];
