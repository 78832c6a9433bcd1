import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { verifyLedger } from '../collector/availability/ledger-export.ts';
import type { UnknownAs } from '../collector/availability/unknown-time.ts';
import { parseMoment } from './audit-command.ts';
import { callCollector, collectorAccess } from './client.ts';
import { type Command, usageError } from './command.ts';

export const ledgerCommand: Command = {
	help: `fournines ledger export --from TIME --to TIME --out FILE [options]
fournines ledger verify FILE

export   Asks a running collector for the ledger of every service over the time, with the inventory, the exclusions and the
         hashes that its figures follow from. A TIME is a date (2026-11-01, midnight in the zone) or RFC 3339.
verify   Recomputes every figure from such a file, without a collector or a network. It names what differs; a changed byte is found.
         Compare the printed SHA-256 with the one that was handed over by another way.

  fournines ledger export --from 2026-11-01 --to 2026-12-01 --out november.jsonl
  fournines ledger verify november.jsonl

Options of export
  --zone ZONE         of dates; default Asia/Shanghai
  --url URL           default http://127.0.0.1:9999
  --token-file FILE   a token with the scope "read" (default: <data>/keys/local-read.token)
  --data DIR          the collector's data folder (default ./data)

Exit code of verify: 0 the same digits, 1 not.`,
	run: async (args) => {
		const [action, ...rest] = args;
		if (action === 'export') return runExport(rest);
		if (action === 'verify') return runVerify(rest);
		throw usageError(`say "ledger export" or "ledger verify"${action === undefined ? '' : `, not "ledger ${action}"`}`);
	},
};

async function runExport(args: readonly string[]): Promise<number> {
	const { values } = parseArgs({
		args: [...args],
		options: {
			from: { type: 'string' },
			to: { type: 'string' },
			out: { type: 'string' },
			zone: { type: 'string', default: 'Asia/Shanghai' },
			url: { type: 'string' },
			'token-file': { type: 'string' },
			data: { type: 'string' },
		},
	});
	if (values.from === undefined || values.to === undefined || values.out === undefined)
		throw usageError('--from, --to and --out are needed');
	const query = new URLSearchParams({
		from: String(parseMoment(values.from, values.zone) / 1000),
		to: String(parseMoment(values.to, values.zone) / 1000),
	});
	const access = collectorAccess({ url: values.url, tokenFile: values['token-file'], data: values.data });
	const { body } = await callCollector(access, `/api/fournines/v1/ledger-export?${query}`);
	writeFileSync(values.out, body);
	process.stdout.write(`written to ${values.out}\nSHA-256: ${verifyLedger(body.toString('utf8')).sha256}\n`);
	return 0;
}

function runVerify(args: readonly string[]): number {
	const [file] = args;
	if (file === undefined) throw usageError('name the file');
	const { findings, sha256, services, ledgerDigest } = verifyLedger(readFileSync(file, 'utf8'));
	for (const { service, figures, readings, requests } of services) {
		process.stdout.write(
			`${service}: ${figures.sliBest ?? '-'} % (worst case ${figures.sliWorst ?? '-'} %), coverage ${figures.coverage ?? '-'} %, down ${figures.downSeconds} s\n`,
		);
		const said = (unknown: UnknownAs) => `${readings[unknown].outages}, the longest ${readings[unknown].longestSeconds} s`;
		process.stdout.write(
			`  outages: ${said('left-out')}${figures.unknownSeconds === 0 ? '' : `; with unknown time as up ${said('up')}; as down ${said('down')}`}\n`,
		);
		if (requests !== null)
			process.stdout.write(
				`  requests: ${requests.good} good of ${requests.total}, ${requests.sli ?? '-'} %, coverage ${requests.coverage ?? '-'} %\n`,
			);
	}
	for (const finding of findings) process.stdout.write(`differs: ${finding}\n`);
	process.stdout.write(
		`${findings.length === 0 ? 'recomputed to the same digits' : 'NOT the same'}\nledger digest, as in a report of the same time: ${ledgerDigest}\nSHA-256 of the file: ${sha256}\n`,
	);
	return findings.length === 0 ? 0 : 1;
}
