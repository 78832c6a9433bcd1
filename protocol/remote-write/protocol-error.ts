/** Input that is not what the format allows. `offset` is the byte where the reader stood; the message never quotes the input. */
export class ProtocolError extends Error {
	readonly offset: number;

	constructor(message: string, offset: number) {
		super(`${message} (at byte ${offset})`);
		this.name = 'ProtocolError';
		this.offset = offset;
	}
}
