/** A twin whose every text may be another one. */
export type Twin<T> = {
	readonly [K in keyof T]: T[K] extends (...args: infer A) => string ? (...args: A) => string : T[K] extends string ? string : Twin<T[K]>;
};
