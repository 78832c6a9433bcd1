/** JSON between agents and the collector, and about agents in the product API, at `/api/fournines/v1`. */

/** `POST /enrol`: exchanges a one-time token for the agent's own key. Open: the token is the proof. */
export interface EnrolRequest {
	readonly token: string;
	readonly host: string;
	readonly agentVersion: string;
	/** Ed25519, PEM (SPKI): what this agent will sign files with that pass a gap device. */
	readonly publicKey: string;
	/** Base64 of the signature with that key over `fournines-enrol`, token and host, joined by line feeds. */
	readonly proof: string;
}

/** What an agent signs when it enrols, so that an answer that was lost can be had again, and only by the same agent. */
export function enrolmentProofText(request: { readonly token: string; readonly host: string }): string {
	return ['fournines-enrol', request.token, request.host].join('\n');
}

export interface EnrolAnswer {
	/** Bearer token of the scope `push`, for this agent alone. Shown once. */
	readonly key: string;
	readonly labels: AgentLabels;
}

/** What the inventory says of a host; `''` where it says nothing. */
export interface AgentLabels {
	readonly host: string;
	readonly system: string;
	readonly zone: string;
}

/** What became of a central configuration on a host. `none`: the agent runs on its own file. */
export type CentralConfigState = 'none' | 'applied' | 'failed';

/** `POST /agent/sync`, with the agent's own key: what it runs on. The answer is what it should run on. */
export interface AgentSyncRequest {
	readonly agentVersion: string;
	/** Version that is in force; `''` without one. */
	readonly configVersion: string;
	readonly state: CentralConfigState;
	/** Version that could not be applied and why, when `state` is `failed`. */
	readonly failedVersion: string;
	readonly reason: string;
}

export interface AgentSyncAnswer {
	readonly version: string;
	readonly labels: AgentLabels;
	/** Keys `interval` and `inputs` of agent.yml; empty when nothing is configured centrally. */
	readonly config: Readonly<Record<string, unknown>>;
}

/** `GET /agents`. */
export interface AgentListAnswer {
	readonly agents: readonly AgentEntry[];
}

export interface AgentEntry {
	readonly host: string;
	readonly system: string;
	readonly zone: string;
	readonly agentVersion: string;
	readonly enrolledAtMs: number;
	/** When it last asked for its configuration; 0 before the first time. */
	readonly lastSyncMs: number;
	readonly revoked: boolean;
	/** Version that it should run on, and what it said last. */
	readonly wantedVersion: string;
	readonly configVersion: string;
	readonly state: CentralConfigState;
	readonly reason: string;
}

/** `POST /agents/enrolment-tokens`. */
export interface EnrolmentTokenRequest {
	/** Only this host may use it; `''` any. */
	readonly host: string;
	/** 60 to 2,592,000 (30 days). */
	readonly validSeconds: number;
}

export interface EnrolmentTokenAnswer {
	/** Shown once. */
	readonly token: string;
	readonly expiresAtMs: number;
}

/** `GET /agents/configs/{target}`: the text in force and those before it, newest first. `PUT` takes `{ text, note }`. */
export interface CentralConfigAnswer {
	/** `all`, `system:<system>` or `host:<host>`. */
	readonly target: string;
	readonly text: string;
	readonly history: readonly {
		readonly id: string;
		readonly atMs: number;
		readonly author: string;
		readonly note: string;
		readonly text: string;
	}[];
}

export interface CentralConfigRequest {
	/** YAML with the keys `interval` and `inputs` of agent.yml; empty takes the document away. */
	readonly text: string;
	readonly note: string;
}
