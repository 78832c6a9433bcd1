import type { OnCallStore, StreamEvent } from '../../alerts/roster/on-call-store.ts';
import type { StateDatabase } from './database.ts';

export function createOnCallStore(state: StateDatabase): OnCallStore {
	return {
		append: async ({ stream, seq, atMs, actor, body }) => {
			// The primary key refuses a second writer that saw the same history.
			await state
				.insertInto('on_call_event')
				.values({ stream, seq, at_ms: atMs, actor: actor.slice(0, 64), kind: body.kind, body: JSON.stringify(body) })
				.execute();
		},
		read: async <Body extends { readonly kind: string }>(prefix: string) => {
			const rows = await state
				.selectFrom('on_call_event')
				.selectAll()
				.where('stream', 'like', `${prefix}%`)
				.orderBy('stream')
				.orderBy('seq')
				.execute();
			return rows.map(
				({ stream, seq, at_ms, actor, body }): StreamEvent<Body> => ({ stream, seq, atMs: at_ms, actor, body: JSON.parse(body) as Body }),
			);
		},
	};
}
