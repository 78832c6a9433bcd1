/** What parts tell about their work, if somebody wants to know. The default costs one call and records nothing. */
export interface Tracing {
	/** Runs `work` inside a span; an error is recorded on it and thrown on. Attributes must not carry secrets. */
	span<T>(name: string, attributes: Readonly<Record<string, string | number>>, work: () => Promise<T>): Promise<T>;
	/** Sends what is still waiting. */
	stop(): Promise<void>;
}

export const noTracing: Tracing = {
	span: (_name, _attributes, work) => work(),
	stop: async () => {},
};
