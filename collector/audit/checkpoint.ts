import { createHash } from 'node:crypto';
import { AppError } from '../../core/errors.ts';
import type { AuditKeys, AuditPublicKeys, AuditSignatures } from './keys.ts';
import { verifySignatures } from './keys.ts';

/**
 * The signed statement that closes a segment, in the form of a C2SP tlog-checkpoint: origin, size, SHA-256 root, then
 * extension lines; an empty line; one signature per line. docs/formats/audit.md has every line.
 */
export interface Checkpoint {
	readonly origin: string;
	readonly segment: number;
	/** Records in this segment. */
	readonly size: number;
	/** Hex, over the records' leaves. */
	readonly sha256Root: string;
	readonly sm3Root: string;
	/** Last value of the hash chain, hex: the next segment begins with it. */
	readonly chain: string;
	readonly fromMs: number;
	readonly toMs: number;
	/** SHA-256 of the previous checkpoint's whole text, hex; zeros for the first. */
	readonly previous: string;
	readonly epoch: number;
}

export const NO_PREVIOUS = '0'.repeat(64);

function bodyOf(checkpoint: Checkpoint): string {
	return `${[
		checkpoint.origin,
		checkpoint.size,
		Buffer.from(checkpoint.sha256Root, 'hex').toString('base64'),
		`sm3-root ${checkpoint.sm3Root}`,
		`segment ${checkpoint.segment}`,
		`chain ${checkpoint.chain}`,
		`from ${checkpoint.fromMs}`,
		`to ${checkpoint.toMs}`,
		`previous ${checkpoint.previous}`,
		`epoch ${checkpoint.epoch}`,
	].join('\n')}\n`;
}

export function signCheckpoint(checkpoint: Checkpoint, keys: AuditKeys): string {
	const body = bodyOf(checkpoint);
	const signatures = keys.sign(body);
	return `${body}\n— ed25519 ${signatures.ed25519}\n— sm2 ${signatures.sm2}\n`;
}

export function checkpointHash(text: string): string {
	return createHash('sha256').update(text).digest('hex');
}

/** In which key epoch a checkpoint says that it was signed; 0 where it says nothing. */
export function epochOf(text: string): number {
	return Number(/^epoch (\d{1,15})$/m.exec(text)?.[1] ?? 0);
}

export type CheckpointVerdict = { readonly kind: 'good' | 'wrong-epoch' | 'bad-signature'; readonly checkpoint: Checkpoint };

/** Parses and checks the signatures. Throws `FN_AUDIT_CHECKPOINT` when the text is not a checkpoint at all. */
export function readCheckpoint(text: string, keys: AuditPublicKeys): CheckpointVerdict {
	const split = text.indexOf('\n\n');
	const lines = text.slice(0, Math.max(split, 0)).split('\n');
	const signed = new Map(
		text
			.slice(split + 2)
			.split('\n')
			.flatMap((line) => {
				const match = /^— (ed25519|sm2) ([A-Za-z0-9+/=]+)$/.exec(line);
				return match === null ? [] : [[match[1] as string, match[2] as string] as const];
			}),
	);
	const field = (index: number, name: string): string => {
		const line = lines[index] ?? '';
		if (!line.startsWith(`${name} `)) throw malformed(`line ${index + 1} should begin with "${name}"`);
		return line.slice(name.length + 1);
	};
	const checkpoint: Checkpoint = {
		origin: lines[0] ?? '',
		size: wholeNumber(lines[1] ?? ''),
		sha256Root: Buffer.from(lines[2] ?? '', 'base64').toString('hex'),
		sm3Root: field(3, 'sm3-root'),
		segment: wholeNumber(field(4, 'segment')),
		chain: field(5, 'chain'),
		fromMs: wholeNumber(field(6, 'from')),
		toMs: wholeNumber(field(7, 'to')),
		previous: field(8, 'previous'),
		epoch: wholeNumber(field(9, 'epoch')),
	};
	// What is verified is the text made from what was understood, so nothing can hide between the lines.
	const body = bodyOf(checkpoint);
	const signatures: AuditSignatures = { ed25519: signed.get('ed25519') ?? '', sm2: signed.get('sm2') ?? '' };
	if (body !== text.slice(0, split + 1) || !verifySignatures(body, signatures, keys)) {
		return { kind: checkpoint.epoch === keys.epoch ? 'bad-signature' : 'wrong-epoch', checkpoint };
	}
	return { kind: 'good', checkpoint };
}

function wholeNumber(text: string): number {
	if (!/^\d{1,15}$/.test(text)) throw malformed(`"${text.slice(0, 40)}" is not a whole number`);
	return Number(text);
}

function malformed(reason: string): AppError {
	return new AppError('FN_AUDIT_CHECKPOINT', `this is not a checkpoint: ${reason}`, { status: 400 });
}
