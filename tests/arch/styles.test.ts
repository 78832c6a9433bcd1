import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const SOURCE = resolve(import.meta.dirname, '../../console/src');
const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' });
const read = (pattern: RegExp) => files.filter((name) => pattern.test(name)).map((name) => readFileSync(join(SOURCE, name), 'utf8'));

/** Classes in the selectors of the console's own style sheets; those of the component library are its own. */
function styledClasses(): ReadonlySet<string> {
	const selectors = read(/\.css$/).flatMap((text) => text.replaceAll(/\/\*.*?\*\//gs, '').match(/[^{}]+(?=\{)/g) ?? []);
	const names = selectors.flatMap((selector) => [...selector.matchAll(/\.([a-z][\w-]*)/g)].map((match) => match[1] ?? ''));
	return new Set(names.filter((name) => !/^(ant|anticon)\b/.test(name)));
}

/** What pages give as a class: `className="a b"`, the texts inside `className={…}`, and what the tips of charts are made of. */
const given = read(/(?<!\.test)\.tsx?$/).flatMap((text) => [
	...[...text.matchAll(/\bclassName="([^"]+)"|\belement\('\w+', '([^']+)'/g)].map(([, plain, made]) => plain ?? made ?? ''),
	...[...text.matchAll(/[cC]lassName=\{((?:[^{}]|\{[^{}]*\})*)\}/g)].flatMap(([, inner = '']) =>
		// Texts that are compared with, or that name a property, are no classes.
		[...inner.replaceAll(/[!=]== '[^']*'|\['[^']*'\]/g, '').matchAll(/'([^']*)'|`([^`]*)`/g)].map(
			([, quoted, template = '']) => quoted ?? template.replaceAll(/\$\{[^}]*\}/g, '$'),
		),
	),
]);
const named = new Set(given.flatMap((text) => text.split(' ')).filter((name) => name !== '' && name !== '$'));
/** What stands before the hole of a template: `band-` of `band-${state}`. */
const beginnings = [...named].filter((name) => name.includes('$')).map((name) => name.slice(0, name.indexOf('$')));

test('every class of the style sheets is given to something', () => {
	const styled = [...styledClasses()];
	expect(styled.length).toBeGreaterThan(100);
	const unused = styled.filter((name) => !named.has(name) && !beginnings.some((beginning) => name.startsWith(beginning)));
	expect(unused).toEqual([]);
});

test('every class that is given has a style', () => {
	const styled = styledClasses();
	expect([...named].filter((name) => !name.includes('$') && !styled.has(name))).toEqual([]);
});
