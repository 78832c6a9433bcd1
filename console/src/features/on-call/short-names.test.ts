import { expect, test } from 'vitest';
import { shortNames } from './short-names.ts';

test.each([
	{ name: 'numbered', names: ['驻场工程师一', '驻场工程师二', '驻场工程师十一'], want: ['一', '二', '十一'] },
	{ name: 'people', names: ['张伟', '张丽'], want: ['张伟', '张丽'] },
	{ name: 'one only', names: ['驻场工程师一'], want: ['驻场工程师一'] },
	{ name: 'one that begins another', names: ['值班员', '值班员二'], want: ['员', '员二'] },
	{ name: 'words', names: ['anna', 'anne'], want: ['anna', 'anne'] },
	{ name: 'words with numbers', names: ['eng-1', 'eng-12'], want: ['1', '12'] },
	{ name: 'nobody', names: [], want: [] },
])('short names of $name', ({ names, want }) => {
	expect([...shortNames(names).values()]).toEqual(want);
});
