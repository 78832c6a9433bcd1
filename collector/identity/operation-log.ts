import type { Clock } from '../../core/clock.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { StateDatabase } from '../state/database.ts';

/** Who did what in the product itself. */
export interface Operation {
	readonly actor: string;
	/** Dotted verb: `login`, `logout`, `account.create`, `silence.create`, `audit.export`, … */
	readonly action: string;
	readonly object: string;
	readonly result: 'success' | 'failure';
	readonly srcAddr: string;
	readonly detail: string;
}

export interface OperationLog {
	record(operation: Operation): Promise<void>;
}

/** Takes a copy of every operation, so that the sealed archive holds them as well. */
export type OperationSink = (operation: Operation & { readonly atMs: number }) => void;

export function createOperationLog(state: StateDatabase, clock: Clock, sink: OperationSink): OperationLog {
	return {
		record: async (operation) => {
			const atMs = clock.now();
			await state
				.insertInto('operation_log')
				.values({
					id: uuidv7(atMs),
					at_ms: atMs,
					actor: operation.actor.slice(0, 64),
					action: operation.action.slice(0, 64),
					object: operation.object.slice(0, 255),
					result: operation.result,
					src_addr: operation.srcAddr.slice(0, 64),
					detail: operation.detail,
				})
				.execute();
			sink({ ...operation, atMs });
		},
	};
}
