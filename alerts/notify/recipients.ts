import type { TSchema } from 'typebox';
import { Check } from 'typebox/value';
import type { ChannelKind } from './channel-line.ts';

/** Whether an entry that uses such a channel must say whom it sends to. */
export function needsRecipients(kind: ChannelKind): boolean {
	return kind.to !== null && (kind.schema.required as readonly string[]).includes(kind.to);
}

/** What is wrong with an address for channels of this kind; `null` when nothing is. */
export function recipientProblem(kind: ChannelKind, to: string): string | null {
	if (kind.to === null) return null;
	const schema = kind.schema.properties[kind.to] as TSchema & { readonly items?: TSchema };
	const one: TSchema & { readonly description?: string } = schema.items ?? schema;
	return Check(one, to) ? null : `must be ${one.description ?? `a recipient of ${kind.type}`}, but it is "${to}"`;
}
