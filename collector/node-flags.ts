/**
 * V8 flags of the collector's process, for whoever starts it; `scripts/bootstrap.mjs`, the packages and the image say the same.
 * On a large machine V8 lets the young generation grow to three times 64 MB at the first burst and does not give it back.
 * What a burst of samples or alerts leaves behind is dead long before 16 MB are full. `bench/alerts.ts` shows the effect.
 */
export const COLLECTOR_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=16'];
