import { expect, test } from 'vitest';
import { onCallPhrases } from './on-call-phrases.ts';

function textsOf(language: 'zh-CN' | 'en'): readonly string[] {
	const phrases = onCallPhrases(language);
	return [
		phrases.taken(7, 'N', 'T'),
		phrases.confirmed(7, 'T'),
		phrases.alreadyTaken(7, 'N'),
		phrases.notYours,
		phrases.nothingWaits,
		phrases.answerWith(['A7', 'A12']),
		phrases.drill(null),
		phrases.drill('N'),
		phrases.unsigned('R', ['outgoing', 'incoming']),
		phrases.reportDue(7, 'T'),
		phrases.fault(7, 'T'),
		phrases.faultOver(7),
	];
}

test('everything is said in both languages, with the number that people need', () => {
	const [chinese, english] = [textsOf('zh-CN'), textsOf('en')];
	expect(chinese.filter((text) => !/\p{Script=Han}/u.test(text))).toEqual([]);
	expect(english.filter((text) => /\p{Script=Han}/u.test(text))).toEqual([]);
	for (const [i, text] of chinese.entries()) expect(/\d+/.exec(text)?.[0]).toBe(/\d+/.exec(english[i] ?? '')?.[0]);
});
