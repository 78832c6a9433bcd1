export interface UserAccountTable {
	id: string;
	account: string;
	role: string;
	password_hash: string;
	password_changed_at_ms: number;
	failed_logins: number;
	locked_until_ms: number;
	created_at_ms: number;
}

export interface UserSessionTable {
	/** SHA-256 of the cookie's value: a stolen database holds no usable session. */
	token_hash: string;
	user_id: string;
	created_at_ms: number;
	last_seen_at_ms: number;
}

export interface MachineTokenTable {
	token_hash: string;
	name: string;
	scope: string;
	created_at_ms: number;
	revoked_at_ms: number | null;
}

export interface OperationLogTable {
	id: string;
	at_ms: number;
	actor: string;
	action: string;
	object: string;
	result: string;
	src_addr: string;
	detail: string;
}

export interface IdentityTables {
	user_account: UserAccountTable;
	user_session: UserSessionTable;
	machine_token: MachineTokenTable;
	operation_log: OperationLogTable;
}
