import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { exportAudit, verifyBundle } from '../collector/audit/export.ts';
import { type AuditPublicKeys, keyFingerprint, loadAuditKeys } from '../collector/audit/keys.ts';
import { verifyArchive } from '../collector/audit/verify.ts';
import { AppError } from '../core/errors.ts';
import { zonedTimeMs } from '../core/zone-time.ts';
import { type Command, usageError } from './command.ts';

export const auditCommand: Command = {
	help: `fournines audit export --from TIME --to TIME --out DIR [--data DIR] [--actor NAME] [--purpose TEXT] [--zone ZONE]
fournines audit verify [DIR] [--data DIR] [--keys FILE]

export   Writes the records of a time range (by event time, the end not included) as JSON lines and CSV, with a signed
         manifest and the proofs that each record is the one that was sealed. A TIME is a date (2026-11-01, midnight in
         the zone, default Asia/Shanghai) or RFC 3339. DIR must not exist. It reads the archive in the data folder, also
         while the collector runs.
verify   With a DIR: checks an export; without: checks the archive in the data folder. Names every record that was
         modified, removed or added. --keys FILE gives public keys that you trust (keys.json from a safe place);
         an export is otherwise checked with the keys it brings, so compare the printed fingerprint.

  fournines audit export --from 2026-11-01 --to 2026-12-01 --out november
  fournines audit verify november

Exit code of verify: 0 intact, 1 not.`,
	run: async (args) => {
		const [action, ...rest] = args;
		if (action === 'export') return runExport(rest);
		if (action === 'verify') return runVerify(rest);
		throw usageError(`say "audit export" or "audit verify"${action === undefined ? '' : `, not "audit ${action}"`}`);
	},
};

function runExport(args: readonly string[]): number {
	const { values } = parseArgs({
		args: [...args],
		options: {
			from: { type: 'string' },
			to: { type: 'string' },
			out: { type: 'string' },
			data: { type: 'string', default: 'data' },
			actor: { type: 'string', default: process.env['USER'] ?? 'unknown' },
			purpose: { type: 'string', default: '' },
			zone: { type: 'string', default: 'Asia/Shanghai' },
		},
	});
	if (values.from === undefined || values.to === undefined || values.out === undefined)
		throw usageError('--from, --to and --out are needed');
	assertArchive(values.data);
	const manifest = exportAudit({
		dataDir: values.data,
		fromMs: parseMoment(values.from, values.zone),
		toMs: parseMoment(values.to, values.zone),
		outDir: values.out,
		actor: values.actor,
		purpose: values.purpose,
		nowMs: Date.now(),
		keys: loadAuditKeys(values.data),
		zone: values.zone,
	});
	process.stdout.write(
		`${manifest.records} records (${manifest.sealedRecords} sealed, ${manifest.records - manifest.sealedRecords} chained but not yet sealed) written to ${values.out}\n`,
	);
	process.stdout.write(`key fingerprint: ${manifest.keyFingerprint}\n`);
	return 0;
}

function runVerify(args: readonly string[]): number {
	const { values, positionals } = parseArgs({
		args: [...args],
		allowPositionals: true,
		options: { data: { type: 'string', default: 'data' }, keys: { type: 'string' } },
	});
	const trusted = values.keys === undefined ? undefined : readKeys(values.keys);
	const [folder] = positionals;
	if (folder !== undefined) {
		if (!existsSync(folder)) throw usageError(`there is no folder ${folder}`);
		const report = verifyBundle(folder, trusted);
		for (const finding of report.findings) process.stdout.write(`${finding.kind}: ${finding.message}\n`);
		process.stdout.write(
			`${report.verdict}: ${report.records} records, ${report.sealedRecords} proven by sealed checkpoints\nkey fingerprint: ${report.keyFingerprint}${trusted === undefined ? ' (of the keys in the export: compare it with the published one)' : ''}\n`,
		);
		return report.verdict === 'intact' ? 0 : 1;
	}
	assertArchive(values.data);
	const keys = trusted ?? loadAuditKeys(values.data).publicKeys;
	const report = verifyArchive(values.data, keys);
	for (const finding of report.findings) process.stdout.write(`${finding.kind}: segment ${finding.segment}: ${finding.message}\n`);
	process.stdout.write(
		`${report.verdict}: ${report.segments} segments, ${report.sealedRecords} sealed records, ${report.openRecords} not yet sealed\nkey fingerprint: ${keyFingerprint(keys)}\nunanchored: no checkpoint has been published outside yet, so whoever holds the keys could rewrite all of it\n`,
	);
	return report.verdict === 'intact' ? 0 : 1;
}

function assertArchive(dataDir: string): void {
	if (!existsSync(join(dataDir, 'audit')))
		throw new AppError('FN_CLI_NO_ARCHIVE', `there is no log archive in ${dataDir}; name the collector's data folder with --data`);
}

function readKeys(file: string): AuditPublicKeys {
	try {
		return JSON.parse(readFileSync(file, 'utf8')) as AuditPublicKeys;
	} catch (error) {
		throw new AppError('FN_CLI_KEYS', `${file} does not hold public keys (a keys.json of an export)`, { cause: error });
	}
}

/** A date means its midnight in the zone. */
export function parseMoment(text: string, zone: string): number {
	const date = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
	const ms = date === null ? Date.parse(text) : zonedTimeMs({ year: Number(date[1]), month: Number(date[2]), day: Number(date[3]) }, zone);
	if (!Number.isFinite(ms)) throw usageError(`"${text}" is not a time; write 2026-11-01 or 2026-11-01T08:00:00+08:00`);
	return ms;
}
