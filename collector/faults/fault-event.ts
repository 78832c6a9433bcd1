import { type Static, Type } from 'typebox';
import { CAUSES, type Cause, PARTIES, type Party } from '../contracts/profile.ts';
import type { AttachBody } from '../state/attachments.ts';

const closed = { additionalProperties: false } as const;
const Text = Type.String({ minLength: 1, maxLength: 4000 });
const Short = Type.String({ minLength: 1, maxLength: 200 });
const Id = Type.String({ minLength: 1, maxLength: 64 });
const TimeMs = Type.Integer({ minimum: 0, maximum: 8.64e15 });
const CauseName = Type.Unsafe<Cause>(Type.Union(CAUSES.map((name) => Type.Literal(name))));
const PartyName = Type.Unsafe<Party>(Type.Union(PARTIES.map((name) => Type.Literal(name))));

/** How a fault becomes known. */
export const SOURCES = ['outage', 'alert', 'manual', 'split'] as const;
export type FaultSource = (typeof SOURCES)[number];

/** What people do with a fault, as the API takes it. Moments may lie in the past (a telephone call is written down after it), never in the future. */
export const FaultActionSchema = Type.Union([
	Type.Object({ kind: Type.Literal('take') }, closed),
	/** 申报 */
	Type.Object({ kind: Type.Literal('declare'), channel: Short, momentMs: Type.Optional(TimeMs) }, closed),
	Type.Object({ kind: Type.Literal('dismiss'), reason: Text }, closed),
	Type.Object({ kind: Type.Literal('reopen'), reason: Text }, closed),
	/** 通报 */
	Type.Object(
		{
			kind: Type.Literal('notify'),
			told: Type.Array(Short, { minItems: 1, maxItems: 50 }),
			channel: Short,
			momentMs: Type.Optional(TimeMs),
		},
		closed,
	),
	Type.Object({ kind: Type.Literal('acknowledge'), incident: Type.Optional(Id), momentMs: Type.Optional(TimeMs) }, closed),
	Type.Object({ kind: Type.Literal('assign'), owner: Id }, closed),
	Type.Object({ kind: Type.Literal('judge'), level: Id, reason: Text }, closed),
	Type.Object({ kind: Type.Literal('confirm'), level: Id, reason: Type.Optional(Text) }, closed),
	Type.Object({ kind: Type.Literal('set-point'), point: Short }, closed),
	Type.Object({ kind: Type.Literal('progress'), text: Text, told: Type.Array(Short, { maxItems: 50 }) }, closed),
	Type.Object({ kind: Type.Literal('restore'), momentMs: Type.Optional(TimeMs) }, closed),
	Type.Object({ kind: Type.Literal('resolve'), text: Text, momentMs: Type.Optional(TimeMs) }, closed),
	Type.Object({ kind: Type.Literal('set-cause'), cause: CauseName, text: Text, evidence: Type.Array(Id, { maxItems: 50 }) }, closed),
	Type.Object({ kind: Type.Literal('countersign'), as: PartyName }, closed),
	Type.Object({ kind: Type.Literal('file-report'), report: Id, text: Text, attachment: Type.Optional(Id) }, closed),
	/** 质量事故: what the fault is, by the contract's grades; telling it is a step of its own. */
	Type.Object({ kind: Type.Literal('accident'), grade: Id, reason: Text }, closed),
	Type.Object(
		{
			kind: Type.Literal('tell-accident'),
			told: Type.Array(Short, { minItems: 1, maxItems: 50 }),
			channel: Short,
			momentMs: Type.Optional(TimeMs),
		},
		closed,
	),
	/** The client gives up a deduction for this fault. */
	Type.Object({ kind: Type.Literal('waive'), rule: Id, reason: Text }, closed),
	/** 工单 */
	Type.Object({ kind: Type.Literal('open-order'), assignee: Id, text: Text, steps: Type.Array(Short, { maxItems: 50 }) }, closed),
	Type.Object(
		{
			kind: Type.Literal('finish-step'),
			order: Type.Integer({ minimum: 1 }),
			step: Type.Integer({ minimum: 1 }),
			note: Type.Optional(Text),
		},
		closed,
	),
	Type.Object({ kind: Type.Literal('finish-order'), order: Type.Integer({ minimum: 1 }), note: Type.Optional(Text) }, closed),
	Type.Object(
		{ kind: Type.Literal('link'), fault: Id, relation: Type.Union([Type.Literal('caused-by'), Type.Literal('related')]) },
		closed,
	),
	Type.Object({ kind: Type.Literal('merge-into'), fault: Id, reason: Text }, closed),
	Type.Object({ kind: Type.Literal('close'), text: Text }, closed),
]);
export type FaultAction = Static<typeof FaultActionSchema>;

/** What the product itself writes into a fault's history. */
export type FaultNote =
	| {
			readonly kind: 'open';
			readonly source: FaultSource;
			/** What it was opened for; the same key is not opened twice while it is open. */
			readonly sourceKey: string;
			readonly profile: string;
			readonly service: string | null;
			readonly title: string;
			readonly point: string;
			readonly level: string;
			readonly onsetMs: number;
			readonly detectedMs: number;
	  }
	| { readonly kind: 'propose'; readonly level: string; readonly reason: string }
	/** Where the contract grades by minutes: the level rose by itself. */
	| { readonly kind: 'rise'; readonly level: string; readonly downSeconds: number }
	| { readonly kind: 'escalate'; readonly to: string; readonly step: string }
	| { readonly kind: 'remind'; readonly what: string; readonly dueMs: number }
	| { readonly kind: 'repeat'; readonly of: string }
	| AttachBody
	| { readonly kind: 'received'; readonly fault: string }
	| { readonly kind: 'split-off'; readonly fault: string }
	/** The outages of these services are explained by the fault: they open none of their own. */
	| { readonly kind: 'affect'; readonly services: readonly string[] }
	/** An alert about what the fault is about already: it opens none of its own. */
	| { readonly kind: 'alert'; readonly alertname: string; readonly fingerprint: string; readonly startsAtMs: number };

/** One line of a fault's history. Never changed, never removed. */
export interface FaultEvent {
	/** From 1, without gaps. */
	readonly seq: number;
	readonly atMs: number;
	/** Account, or `fournines` for what the product did by itself. */
	readonly actor: string;
	readonly body: FaultAction | FaultNote;
}
