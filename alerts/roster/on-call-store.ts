/** One line of a stream: changes of one roster's duty, or one hand-over record. */
export interface StreamEvent<Body extends { readonly kind: string }> {
	readonly stream: string;
	/** From 1, without gaps. */
	readonly seq: number;
	readonly atMs: number;
	/** Account, or `fournines` for what the product did by itself. */
	readonly actor: string;
	readonly body: Body;
}

/** Append-only streams; implemented by `collector/state`. */
export interface OnCallStore {
	/** Durable. Refused when the stream has that number already: somebody else was faster. */
	append(event: StreamEvent<{ readonly kind: string }>): Promise<void>;
	/** All events of streams whose name begins so, by stream and number. What it answers was written by the same module. */
	read<Body extends { readonly kind: string }>(prefix: string): Promise<readonly StreamEvent<Body>[]>;
}
