/** Each name without what all of them begin with, which tells nobody from another: 驻场工程师一, 驻场工程师二 → 一, 二. */
export function shortNames(names: readonly string[]): ReadonlyMap<string, string> {
	const lists = names.map((name) => [...name]);
	const [first = []] = lists;
	let common = 0;
	while (names.length > 1 && lists.every((list) => list.length > common + 1 && list[common] === first[common])) common++;
	// One character in common is a family name; digits and letters of one word belong together.
	const cut = common < 2 || lists.some((list) => /[a-z]/i.test(list[common] ?? '') && /[a-z]/i.test(list[common - 1] ?? '')) ? 0 : common;
	return new Map(names.map((name, i) => [name, (lists[i] ?? []).slice(cut).join('')]));
}
