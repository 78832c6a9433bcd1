/**
 * V8 flags of the agent's process, for whoever starts it. Small objects die young in a loop that repeats every ten
 * seconds, so a young generation of 1 MB is enough and saves some 10 MB; `bench/agent-memory.ts` shows the effect.
 */
export const AGENT_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=1', '--optimize-for-size'];
