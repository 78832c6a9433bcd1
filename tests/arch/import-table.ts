/**
 * The import table of docs/architecture.md. A row may import the rows it names and what those may import; nothing else.
 * Longest prefix wins. `*` stands for everything.
 */
const TABLE: Readonly<Record<string, readonly string[]>> = {
	'protocol/': [],
	'core/': ['protocol/'],
	'agent/': ['core/'],
	'alerts/': ['core/'],
	'collector/storage/': ['core/'],
	'collector/tsdb/': ['collector/storage/'],
	'collector/remote/': ['collector/storage/'],
	'collector/promql/': ['collector/storage/'],
	'collector/ruler/': ['collector/promql/', 'collector/storage/'],
	'collector/ingest/': ['collector/storage/'],
	'collector/scrape/': ['collector/storage/'],
	'collector/state/': ['core/', 'alerts/'],
	'collector/inventory/': ['collector/promql/', 'collector/state/'],
	'collector/maintenance/': ['collector/state/', 'collector/inventory/'],
	'collector/jobs/': ['collector/state/', 'collector/storage/'],
	'collector/agents/': ['collector/state/', 'collector/inventory/', 'collector/identity/'],
	'collector/inbox/': ['collector/state/'],
	'collector/availability/': ['collector/promql/', 'collector/inventory/', 'collector/state/'],
	'collector/faults/': ['collector/contracts/', 'collector/identity/'],
	'collector/contracts/': ['collector/availability/', 'collector/inventory/', 'collector/identity/'],
	'collector/problems/': ['collector/contracts/', 'collector/identity/'],
	'collector/changes/': ['collector/contracts/', 'collector/identity/'],
	'collector/inspection/': ['collector/availability/', 'collector/inventory/', 'collector/faults/', 'collector/contracts/'],
	'collector/reports/': ['collector/availability/', 'collector/inventory/', 'collector/faults/', 'collector/contracts/'],
	'collector/audit/': ['collector/state/'],
	'collector/identity/': ['collector/state/', 'collector/audit/'],
	'collector/cluster/': ['core/'],
	'collector/api/': ['*'],
	'collector/': ['*'],
	'console/': ['protocol/'],
	'cli/': ['agent/', 'collector/', 'alerts/', 'core/', 'scripts/build-agent.ts'],
	'scripts/': ['core/', 'protocol/', 'agent/', 'collector/node-flags.ts'],
	// The boards are drawn by the console; what it can draw is what may be generated.
	'scripts/dashboards/': ['protocol/', 'console/'],
	'tests/': ['*'],
	'bench/': ['*'],
};

/** `collector/api/` may import its siblings, but neither the composition root nor the alert pipeline's inside. */
const FORBIDDEN: readonly { readonly from: string; readonly to: RegExp; readonly why: string }[] = [
	{ from: 'collector/api/', to: /^collector\/(app|main)\.ts$/, why: 'handlers get their services as arguments' },
	{ from: 'protocol/', to: /^node:/, why: 'wire formats run in a browser' },
	{ from: 'console/src/', to: /^node:/, why: 'the console runs in a browser' },
	{ from: 'collector/', to: /^(agent|cli|console)\//, why: 'the collector stands alone' },
];

export function foldersOf(): readonly string[] {
	return ['protocol', 'core', 'agent', 'alerts', 'collector', 'console', 'cli', 'scripts', 'tests', 'bench'];
}

function rowOf(file: string): string | null {
	let best: string | null = null;
	for (const prefix of Object.keys(TABLE)) if (file.startsWith(prefix) && prefix.length > (best?.length ?? 0)) best = prefix;
	return best;
}

/** Every prefix that `file` may import from, its own row included; `null` when no row covers it. */
export function allowedImports(file: string): ReadonlySet<string> | null {
	const row = rowOf(file);
	if (row === null) return null;
	const allowed = new Set([row]);
	const queue = [...(TABLE[row] ?? [])];
	for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
		if (allowed.has(next)) continue;
		allowed.add(next);
		// `collector/` as a permission means all of it; as a row it is the composition root.
		if (next === 'collector/' || next === '*') continue;
		queue.push(...(TABLE[next] ?? []));
	}
	return allowed;
}

/** What is wrong with `file` importing `target` (a path from the repository's root, or a package), or `null`. */
export function violation(file: string, target: string): string | null {
	for (const rule of FORBIDDEN) {
		if (file.startsWith(rule.from) && rule.to.test(target)) return `${file} imports ${target}: ${rule.why}`;
	}
	const local = foldersOf().some((folder) => target.startsWith(`${folder}/`));
	if (!local) return null;
	const allowed = allowedImports(file);
	if (allowed === null) return null;
	// Tests beside the code start real servers through the harness, and may build what they test with.
	if (/\.(long\.)?test\.ts$|\.fixture\.ts$/.test(file) && /^(tests\/harness|scripts)\//.test(target)) return null;
	if (allowed.has('*')) return null;
	for (const prefix of allowed) if (target.startsWith(prefix)) return null;
	return `${file} imports ${target}, which its row of the import table does not allow`;
}

const IMPORT =
	/(?:^|\n)\s*(?:import|export)\s[^'";]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** The specifiers of every static, dynamic and type import of a source text, in order. */
export function importsOf(text: string): readonly string[] {
	return [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}
