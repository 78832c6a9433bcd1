import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { AppError } from '../../core/errors.ts';
import { formatRfc3339 } from '../../core/zone-time.ts';
import type { LogRecord } from '../../protocol/log-record.ts';
import { canonicalJson } from './canonical.ts';
import { readCheckpoint } from './checkpoint.ts';
import { type AuditKeys, type AuditPublicKeys, type AuditSignatures, keyFingerprint, verifySignatures } from './keys.ts';
import { leafHash } from './merkle.ts';
import { archivePaths, readSegment } from './segment-file.ts';
import { trustedLeaves } from './verify.ts';

export interface ExportRequest {
	readonly dataDir: string;
	/** By event time, half-open. */
	readonly fromMs: number;
	readonly toMs: number;
	/** A folder that does not exist yet. */
	readonly outDir: string;
	readonly actor: string;
	readonly purpose: string;
	readonly nowMs: number;
	readonly keys: AuditKeys;
	readonly zone: string;
}

/** `manifest.json`: what the bundle holds. Its canonical bytes are signed in `manifest.sig`. */
export interface ExportManifest {
	readonly format: 'fournines-audit-export/1';
	readonly actor: string;
	readonly purpose: string;
	readonly createdAt: string;
	readonly from: string;
	readonly to: string;
	readonly records: number;
	/** Of these, in segments that have a signed checkpoint. */
	readonly sealedRecords: number;
	readonly rows: readonly { readonly segment: number; readonly positions: readonly number[] }[];
	readonly files: Readonly<Record<string, { readonly sha256: string; readonly sm3: string }>>;
	readonly keyFingerprint: string;
}

/** A row of `data.jsonl`. */
interface ExportRow {
	readonly segment: number;
	/** 0-based position in the segment: the leaf with this number vouches for the record. */
	readonly index: number;
	readonly sealed: boolean;
	readonly record: LogRecord;
}

/** Writes the bundle; throws `FN_AUDIT_EXPORT_TARGET` when the folder exists and `FN_RANGE_INVALID` when the range is empty. */
export function exportAudit(request: ExportRequest): ExportManifest {
	const { outDir, zone } = request;
	if (!(request.fromMs < request.toMs))
		throw new AppError('FN_RANGE_INVALID', 'the export needs a beginning before its end', { status: 400 });
	if (existsSync(outDir))
		throw new AppError('FN_AUDIT_EXPORT_TARGET', `${outDir} exists already; an export never writes over anything, name a new folder`, {
			status: 409,
		});
	const paths = archivePaths(request.dataDir);
	mkdirSync(join(outDir, 'proofs'), { recursive: true, mode: 0o700 });
	mkdirSync(join(outDir, 'checkpoints'), { mode: 0o700 });
	const rows: ExportRow[] = [];
	for (const file of existsSync(paths.root) ? readdirSync(paths.root).sort() : []) {
		const match = /^(\d{8})\.log$/.exec(file);
		if (match === null) continue;
		const segment = Number(match[1]);
		const sealed = existsSync(paths.checkpoint(segment));
		const chosen = readSegment(paths.log(segment)).lines.filter(
			({ record }) => record !== null && record.eventTimeMs >= request.fromMs && record.eventTimeMs < request.toMs,
		);
		for (const { index, record } of chosen) if (record !== null) rows.push({ segment, index, sealed, record });
		if (chosen.length === 0 || !sealed) continue;
		copyFileSync(paths.checkpoint(segment), join(outDir, 'checkpoints', `${segment}.checkpoint`));
		copyFileSync(paths.leaves(segment), join(outDir, 'proofs', `${segment}.leaves`));
	}
	writeFileSync(join(outDir, 'data.jsonl'), rows.map((row) => `${canonicalJson(row)}\n`).join(''), { mode: 0o600 });
	writeFileSync(join(outDir, 'data.csv'), toCsv(rows, zone), { mode: 0o600 });
	writeFileSync(join(outDir, 'keys.json'), JSON.stringify(request.keys.publicKeys, null, 2), { mode: 0o600 });
	writeFileSync(join(outDir, 'VERIFY.txt'), VERIFY_TEXT, { mode: 0o600 });
	const manifest: ExportManifest = {
		format: 'fournines-audit-export/1',
		actor: request.actor,
		purpose: request.purpose,
		createdAt: formatRfc3339(request.nowMs, zone),
		from: formatRfc3339(request.fromMs, zone),
		to: formatRfc3339(request.toMs, zone),
		records: rows.length,
		sealedRecords: rows.filter((row) => row.sealed).length,
		rows: positions(rows),
		files: Object.fromEntries(bundleFiles(outDir).map((name) => [name, digests(join(outDir, name))])),
		keyFingerprint: keyFingerprint(request.keys.publicKeys),
	};
	writeFileSync(join(outDir, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
	writeFileSync(join(outDir, 'manifest.sig'), `${JSON.stringify(request.keys.sign(canonicalJson(manifest)), null, 2)}\n`, { mode: 0o600 });
	return manifest;
}

export interface BundleFinding {
	readonly kind: 'modified' | 'missing' | 'added' | 'bad-signature' | 'damaged';
	readonly message: string;
}

export interface BundleReport {
	readonly verdict: 'intact' | 'not-intact';
	readonly findings: readonly BundleFinding[];
	readonly records: number;
	readonly sealedRecords: number;
	/** Compare it with the one that was published elsewhere: a forger brings his own key. */
	readonly keyFingerprint: string;
}

/** Checks a bundle without the archive it came from. `keys` are the bundle's own unless trusted ones are given. */
export function verifyBundle(folder: string, trustedKeys?: AuditPublicKeys): BundleReport {
	const findings: BundleFinding[] = [];
	const read = (name: string): string | null => {
		try {
			return readFileSync(join(folder, name), 'utf8');
		} catch {
			findings.push({ kind: 'missing', message: `the file ${name} is missing` });
			return null;
		}
	};
	const manifest = parse<ExportManifest>(read('manifest.json'), 'manifest.json', findings);
	const signatures = parse<AuditSignatures>(read('manifest.sig'), 'manifest.sig', findings);
	const keys = trustedKeys ?? parse<AuditPublicKeys>(read('keys.json'), 'keys.json', findings);
	const report = (records: number, sealedRecords: number): BundleReport => ({
		verdict: findings.length === 0 ? 'intact' : 'not-intact',
		findings,
		records,
		sealedRecords,
		keyFingerprint: keys === null ? '' : keyFingerprint(keys),
	});
	if (manifest === null || signatures === null || keys === null) return report(0, 0);
	if (!verifySignatures(canonicalJson(manifest), signatures, keys))
		findings.push({ kind: 'bad-signature', message: 'the manifest does not carry valid signatures of these keys' });
	for (const [name, expected] of Object.entries(manifest.files)) {
		if (!existsSync(join(folder, name))) findings.push({ kind: 'missing', message: `the file ${name} is missing` });
		else if (digests(join(folder, name)).sm3 !== expected.sm3)
			findings.push({ kind: 'modified', message: `the file ${name} was modified` });
	}
	for (const name of bundleFiles(folder))
		if (manifest.files[name] === undefined) findings.push({ kind: 'added', message: `the file ${name} does not belong to the export` });
	const sealedRecords = checkRows({ folder, manifest, keys, text: read('data.jsonl') ?? '', findings });
	return report(manifest.records, sealedRecords);
}

function checkRows(options: {
	readonly folder: string;
	readonly manifest: ExportManifest;
	readonly keys: AuditPublicKeys;
	readonly text: string;
	readonly findings: BundleFinding[];
}): number {
	const { folder, manifest, keys, text, findings } = options;
	const expected = new Set(manifest.rows.flatMap(({ segment, positions: list }) => list.map((index) => `${segment}:${index}`)));
	const proofs = new Map<number, readonly Buffer[] | null>();
	const proofOf = (segment: number): readonly Buffer[] | null => {
		const known = proofs.get(segment);
		if (known !== undefined) return known;
		const file = join(folder, 'checkpoints', `${segment}.checkpoint`);
		let leaves: readonly Buffer[] | null = null;
		if (existsSync(file)) {
			const verdict = readCheckpoint(readFileSync(file, 'utf8'), keys);
			if (verdict.kind !== 'good')
				findings.push({
					kind: 'bad-signature',
					message: `the checkpoint of segment ${segment} does not carry valid signatures of these keys`,
				});
			leaves = trustedLeaves(join(folder, 'proofs', `${segment}.leaves`), verdict.checkpoint);
		}
		proofs.set(segment, leaves);
		return leaves;
	};
	let proven = 0;
	text.split('\n').forEach((line, i) => {
		if (line === '') return;
		const row = parse<ExportRow>(line, `line ${i + 1} of data.jsonl`, findings);
		if (row === null) return;
		const place = `stream "${row.record?.stream}" seq ${row.record?.seq} (segment ${row.segment}, record ${row.index + 1})`;
		if (!expected.delete(`${row.segment}:${row.index}`)) {
			findings.push({ kind: 'added', message: `${place} does not belong to the export` });
			return;
		}
		if (!row.sealed) return;
		const leaf = proofOf(row.segment)?.[row.index];
		if (leaf === undefined) findings.push({ kind: 'damaged', message: `there is no proof for ${place}` });
		else if (!leaf.equals(leafHash('sm3', Buffer.from(canonicalJson(row.record)))))
			findings.push({ kind: 'modified', message: `${place} was modified` });
		else proven++;
	});
	for (const missing of expected) {
		const [segment = '', index = ''] = missing.split(':');
		findings.push({ kind: 'missing', message: `record ${Number(index) + 1} of segment ${segment} is missing` });
	}
	return proven;
}

function parse<T>(text: string | null, name: string, findings: BundleFinding[]): T | null {
	if (text === null) return null;
	try {
		return JSON.parse(text) as T;
	} catch {
		findings.push({ kind: 'damaged', message: `${name} is not JSON` });
		return null;
	}
}

function positions(rows: readonly ExportRow[]): ExportManifest['rows'] {
	const bySegment = new Map<number, number[]>();
	for (const { segment, index } of rows) bySegment.set(segment, [...(bySegment.get(segment) ?? []), index]);
	return [...bySegment].map(([segment, list]) => ({ segment, positions: list }));
}

function digests(file: string): { readonly sha256: string; readonly sm3: string } {
	const bytes = readFileSync(file);
	return { sha256: createHash('sha256').update(bytes).digest('hex'), sm3: createHash('sm3').update(bytes).digest('hex') };
}

function bundleFiles(folder: string): readonly string[] {
	const inside = (name: string) => (existsSync(join(folder, name)) ? readdirSync(join(folder, name)).map((file) => `${name}/${file}`) : []);
	const own = readdirSync(folder).filter((name) => /\.(jsonl|csv|txt|json)$/.test(name) && name !== 'manifest.json');
	return [...own, ...inside('checkpoints'), ...inside('proofs')].sort();
}

const COLUMNS = [
	'eventTime',
	'receiveTime',
	'host',
	'system',
	'source',
	'kind',
	'actor',
	'action',
	'object',
	'result',
	'srcAddr',
	'srcMac',
	'module',
	'severity',
	'stream',
	'seq',
	'raw',
] as const;

/** UTF-8 with a byte-order mark, because spreadsheets guess otherwise; every text cell is guarded against being read as a formula. */
function toCsv(rows: readonly ExportRow[], zone: string): string {
	const body = rows.map(({ record }) =>
		COLUMNS.map((column) => {
			if (column === 'eventTime') return formatRfc3339(record.eventTimeMs, zone);
			if (column === 'receiveTime') return formatRfc3339(record.receiveTimeMs, zone);
			const value = record[column];
			return typeof value === 'number' ? value : guardCell(value);
		}),
	);
	return `\ufeff${stringify([[...COLUMNS], ...body])}`;
}

/** A cell that begins (after spaces or line breaks) with = + - @, a tab, or their full-width forms would be run by a spreadsheet. */
export function guardCell(text: string): string {
	return /^\s*[=+\-@\t\r＝＋－＠]/u.test(text) ? `'${text}` : text;
}

const VERIFY_TEXT = `How to check this bundle
========================

With the product:        fournines audit verify FOLDER
With OpenSSL 3 alone:    keys.json holds the public keys. manifest.sig holds the signatures, base64, over the
                         canonical form (RFC 8785) of manifest.json:
                         openssl pkeyutl -verify -pubin -inkey ed25519.pem -rawin -in manifest.canonical -sigfile ed25519.sig
                         The SM3 digests of all files are in manifest.json: openssl dgst -sm3 FILE

Compare the key fingerprint with the one that was published elsewhere. Who forges a bundle brings a key of his own.
`;
