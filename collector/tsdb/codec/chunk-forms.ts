/** How the times of a chunk are written: low four bits of its first byte. Diagrams: docs/formats/chunk.md. */
export const TIME_REGULAR = 0;
export const TIME_DELTA2 = 1;
/** How the values are written: high four bits. */
export const VALUE_CONST = 0;
export const VALUE_DELTA_CONST = 1;
export const VALUE_DELTA = 2;
export const VALUE_DELTA2 = 3;
export const VALUE_RAW = 4;
/** Only in compacted files, where zstd follows. */
export const VALUE_DELTA_VARINTS = 5;
export const VALUE_PLANES = 6;
export const VALUE_DELTA_PLANES = 7;

/** Other forms of a chunk of scaled integers, for `ChunkEncoder.variant`. */
export const CHUNK_VARIANTS = [VALUE_DELTA_VARINTS, VALUE_PLANES, VALUE_DELTA_PLANES] as const;
export type ChunkVariant = (typeof CHUNK_VARIANTS)[number];

export const MAX_SCALE = 9;
export const POWERS: Float64Array = Float64Array.from({ length: MAX_SCALE + 1 }, (_, i) => 10 ** i);
