/** `ExportMetricsServiceResponse`: empty when all was taken, otherwise how many points were not, and why. */
export interface OtlpPartialSuccess {
	readonly rejectedPoints: number;
	readonly message: string;
}

export function otlpSuccessJson(partial: OtlpPartialSuccess | null): string {
	if (partial === null) return '{}';
	return JSON.stringify({ partialSuccess: { rejectedDataPoints: String(partial.rejectedPoints), errorMessage: partial.message } });
}

export function otlpSuccessProtobuf(partial: OtlpPartialSuccess | null): Uint8Array {
	if (partial === null) return new Uint8Array(0);
	const text = encoder.encode(partial.message);
	const inner = [0x08, ...varint(partial.rejectedPoints), 0x12, ...varint(text.length), ...text];
	return Uint8Array.from([0x0a, ...varint(inner.length), ...inner]);
}

/** `google.rpc.Status` of a request that failed as a whole. The code is one of gRPC: 3 for a bad request, 14 for one to be repeated. */
export function otlpFailureJson(code: number, message: string): string {
	return JSON.stringify({ code, message });
}

export function otlpFailureProtobuf(code: number, message: string): Uint8Array {
	const text = encoder.encode(message);
	return Uint8Array.from([0x08, ...varint(code), 0x12, ...varint(text.length), ...text]);
}

const encoder = new TextEncoder();

function varint(value: number): number[] {
	const bytes: number[] = [];
	let rest = value;
	for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
	bytes.push(rest);
	return bytes;
}
