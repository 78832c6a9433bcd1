/** Text that is not what the exposition format allows. `line` counts from 1; the message never quotes the input. */
export class ExpositionError extends Error {
	readonly line: number;

	constructor(message: string, line: number) {
		super(`line ${line}: ${message}`);
		this.name = 'ExpositionError';
		this.line = line;
	}
}
