import type { Texts } from '../../texts/zh.ts';

export type PasswordRule = keyof Texts['setup']['rule'];

/** The collector's policy, checked while typing; the collector has the last word. */
export function passwordRules(password: string, account: string): readonly { readonly rule: PasswordRule; readonly met: boolean }[] {
	return [
		{ rule: 'length', met: [...password].length >= 8 },
		{ rule: 'upper', met: /\p{Lu}/u.test(password) },
		{ rule: 'lower', met: /\p{Ll}/u.test(password) },
		{ rule: 'digit', met: /\p{Nd}/u.test(password) },
		{ rule: 'symbol', met: /[^\p{L}\p{Nd}]/u.test(password) },
		{ rule: 'account', met: password !== '' && (account === '' || !password.toLowerCase().includes(account.toLowerCase())) },
	];
}
