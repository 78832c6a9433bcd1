/** Options `--name N` over their defaults. Throws for a name that has none, and for what is not a number from zero on. */
export function numbersFrom<T extends object>(args: readonly string[], defaults: T): T {
	const own: Record<string, number> = {};
	for (let i = 0; i < args.length; i += 2) {
		const name = args[i]?.replace(/^--/, '') ?? '';
		const value = Number(args[i + 1]);
		if (!Object.hasOwn(defaults, name) || !(value >= 0))
			throw new Error(`--${name} ${args[i + 1]}: known are ${Object.keys(defaults).join(', ')}, with a number`);
		own[name] = value;
	}
	return { ...defaults, ...own };
}
