import { expect, test } from 'vitest';
import { passwordRules } from './password-rules.ts';

test.each([
	{ name: 'a good one', password: 'Correct-horse-7', account: 'ops', open: [] },
	{ name: 'nothing typed', password: '', account: 'ops', open: ['length', 'upper', 'lower', 'digit', 'symbol', 'account'] },
	{ name: 'the account inside, in another case', password: 'xOPS-1234a', account: 'ops', open: ['account'] },
	{
		name: 'Chinese letters are neither symbols nor upper case',
		password: '密码密码密码密码',
		account: '',
		open: ['upper', 'lower', 'digit', 'symbol'],
	},
])('$name', ({ password, account, open }) => {
	expect(
		passwordRules(password, account)
			.filter(({ met }) => !met)
			.map(({ rule }) => rule),
	).toEqual(open);
});
