export interface AgentTable {
	host: string;
	agent_version: string;
	/** Ed25519, PEM. */
	public_key: string;
	enrolled_at_ms: number;
	/** 0 before the first time. */
	last_sync_ms: number;
	config_version: string;
	config_state: string;
	config_reason: string;
	revoked_at_ms: number | null;
}

export interface EnrolmentTokenTable {
	token_hash: string;
	/** `''`: any host. */
	host: string;
	created_by: string;
	created_at_ms: number;
	expires_at_ms: number;
	used_at_ms: number | null;
	used_by_host: string;
}

export interface AgentConfigTable {
	id: string;
	target: string;
	text: string;
	author: string;
	note: string;
	at_ms: number;
}

export interface AgentTables {
	agent: AgentTable;
	enrolment_token: EnrolmentTokenTable;
	agent_config: AgentConfigTable;
}
