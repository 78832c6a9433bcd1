/** A file name pattern with `*` and `?`; everything else stands for itself. Stars that follow each other are one, so that matching stays linear enough. */
export function globPattern(glob: string): RegExp {
	const source = glob
		.replace(/\*+/g, '*')
		.replace(/[.+^${}()|[\]\\]/g, '\\$&')
		.replace(/\*/g, '.*')
		.replace(/\?/g, '.');
	return new RegExp(`^${source}$`);
}
