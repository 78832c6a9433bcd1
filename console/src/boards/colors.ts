/** Grafana's named colours, a little darker than its own for a white ground. */
const NAMED: Readonly<Record<string, string>> = {
	green: '#2f8f5b',
	yellow: '#c99700',
	red: '#c93a31',
	blue: '#2b6cb0',
	orange: '#d9730d',
	purple: '#7d5ba6',
	gray: '#6b7785',
	grey: '#6b7785',
	white: '#ffffff',
	black: '#1b2733',
	text: '#1b2733',
	transparent: 'transparent',
};

/** Neighbours differ in hue and in lightness, so that lines can be told apart also by the colour-blind. */
export const PALETTE = [
	'#2b6cb0',
	'#2f8f5b',
	'#d9730d',
	'#7d5ba6',
	'#0f8b8d',
	'#c93a31',
	'#8c6d1f',
	'#4f9bd9',
	'#7fb069',
	'#b5508d',
	'#56616d',
	'#e0a02f',
] as const;

export function paletteColor(index: number): string {
	return PALETTE[index % PALETTE.length] ?? PALETTE[0];
}

/** A colour as written in a board: a name, with `dark-`, `light-` and their like taken for the plain one, or any CSS colour. */
export function namedColor(color: string): string {
	return NAMED[color] ?? NAMED[color.replace(/^(super-light|light|semi-dark|dark)-/, '')] ?? color;
}
