import type { Kysely } from 'kysely';
import type { StateSchema } from './schema.ts';

export interface Migration {
	/** Sorts by age; never changed once it has landed. */
	readonly id: string;
	readonly up: (state: Kysely<StateSchema>) => Promise<void>;
}
