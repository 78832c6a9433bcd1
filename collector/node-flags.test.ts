import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COLLECTOR_NODE_FLAGS } from './node-flags.ts';

const text = (path: string) => readFileSync(join(import.meta.dirname, '..', path), 'utf8');
const flags = COLLECTOR_NODE_FLAGS.join(' ');

test.each([
	{
		what: 'npm start and the command',
		path: 'scripts/bootstrap.mjs',
		line: `const COLLECTOR_NODE_FLAGS = ['${COLLECTOR_NODE_FLAGS.join("', '")}'];`,
	},
	{ what: 'the package', path: 'deploy/install/fournines', line: `/runtime/node" ${flags} "$base/app/cli/main.ts"` },
	{ what: 'the image', path: 'deploy/Dockerfile', line: `ENTRYPOINT ["node", "${COLLECTOR_NODE_FLAGS.join('", "')}", "cli/main.ts"]` },
])('$what starts the collector with its flags', ({ path, line }) => {
	expect(text(path)).toContain(line);
});
