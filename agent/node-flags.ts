/**
 * V8 flags of the agent's process, for whoever starts it. Small objects die young in a loop that repeats every ten
 * seconds, so a young generation of 1 MB is enough, and threads of V8 for compiling and collecting cost more than they
 * save in a process that is idle for 99 % of its time. Machine code of the baseline compiler takes 1.2 MB and saves nothing
 * that can be measured at this pace. `bench/agent-footprint.ts` shows the effect.
 */
export const AGENT_NODE_FLAGS: readonly string[] = [
	'--max-semi-space-size=1',
	'--optimize-for-size',
	'--single-threaded',
	'--no-sparkplug',
];

/** Environment of the agent's process: glibc otherwise keeps freed buffers in several arenas. Without effect elsewhere. */
export const AGENT_ENVIRONMENT: Readonly<Record<string, string>> = {
	MALLOC_ARENA_MAX: '1',
	MALLOC_TRIM_THRESHOLD_: '131072',
	MALLOC_MMAP_THRESHOLD_: '131072',
};
