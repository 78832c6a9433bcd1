import type { Texts } from '../../texts/zh.ts';

/** Hundredths of a point as points: `-0.5`, `100`. */
export function pointsText(centipoints: number): string {
	return String(centipoints / 100);
}

/** Fen as yuan, with as many decimals as it has. */
export function yuanText(fen: number): string {
	return (fen / 100).toLocaleString('en-US', { maximumFractionDigits: 2 });
}

/** Quarters of a contract are numbered (`q3`), months are `2026-11`. */
export function periodText(id: string, words: Texts['assessment']): string {
	const quarter = /^q(\d+)$/.exec(id)?.[1];
	return quarter === undefined ? id : words.quarter(Number(quarter));
}
