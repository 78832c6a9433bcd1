import { type ParseContext, type ParsedEvent, parsedEvent } from './parsed-event.ts';
import { parseSyslogLine } from './syslog.ts';

type Meaning = Partial<ParsedEvent>;

/** `/var/log/auth.log` and `/var/log/secure`: sshd, sudo, su and the account tools; everything else is a message of its program. */
export function parseAuthLine(text: string, context: ParseContext): ParsedEvent {
	const line = parseSyslogLine(text, context);
	const { message, repeated } = unfoldRepeated(line.message);
	const meaning = meaningOf(line.program, message);
	const fields: Record<string, string> = { ...meaning.fields };
	if (line.host !== '') fields['logHost'] = line.host;
	if (line.pid !== '') fields['pid'] = line.pid;
	if (repeated > 1) fields['repeated'] = String(repeated);
	return parsedEvent(sourceOf(line.program), { ...meaning, eventTimeMs: line.eventTimeMs, module: line.program, fields });
}

/** rsyslog folds equal lines: `message repeated 3 times: [ Failed password …]` stands for three events. */
function unfoldRepeated(message: string): { readonly message: string; readonly repeated: number } {
	const match = /^message repeated ([0-9]+) times: \[ ?(.*?)\]?$/s.exec(message);
	return match === null ? { message, repeated: 1 } : { message: match[2] ?? '', repeated: Number(match[1]) };
}

function sourceOf(program: string): string {
	return program === '' ? 'auth' : program.startsWith('sshd') ? 'sshd' : program;
}

function meaningOf(program: string, message: string): Meaning {
	const session = pamSession(message);
	if (session !== null) return session;
	if (program.startsWith('sshd')) return sshd(message);
	if (program === 'sudo') return sudo(message);
	if (program === 'su') return su(message);
	return account(message) ?? {};
}

/** A user's name may contain anything, also ` from `: the last ` from ` is sshd's own. */
function sshd(message: string): Meaning {
	const authentication = /^(Accepted|Failed) (\S+) for (invalid user )?(.*) from (\S+) port ([0-9]+)/s.exec(message);
	if (authentication !== null) {
		const [, outcome = '', method = '', invalid, user = '', address = '', port = ''] = authentication;
		return {
			kind: 'login',
			actor: user,
			action: method,
			result: outcome === 'Accepted' ? 'success' : 'failure',
			srcAddr: address,
			severity: outcome === 'Accepted' ? 'info' : 'warning',
			fields: { port, ...(invalid === undefined ? {} : { invalidUser: 'true' }) },
		};
	}
	const unknownUser = /^Invalid user (.*) from (\S+)(?: port ([0-9]+))?$/s.exec(message);
	if (unknownUser !== null) {
		const [, user = '', address = '', port = ''] = unknownUser;
		// A kind of its own: the failed password of the same attempt follows as a line and must not count twice.
		return {
			kind: 'invalid-user',
			actor: user,
			result: 'failure',
			srcAddr: address,
			severity: 'warning',
			fields: { port, invalidUser: 'true' },
		};
	}
	const tooMany = /^(?:error: )?maximum authentication attempts exceeded for (invalid user )?(.*) from (\S+) port ([0-9]+)/s.exec(message);
	if (tooMany !== null) {
		const [, , user = '', address = '', port = ''] = tooMany;
		return { kind: 'login-limit', actor: user, result: 'failure', srcAddr: address, severity: 'warning', fields: { port } };
	}
	const ended =
		/^(?:Disconnected from|Connection (?:closed|reset) by) (?:(?:authenticating |invalid )?user (.*) )?(\S+) port ([0-9]+)/s.exec(message);
	if (ended !== null) {
		const [, user = '', address = '', port = ''] = ended;
		return { kind: 'disconnect', actor: user, srcAddr: address, fields: { port } };
	}
	return {};
}

/** `pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)` */
function pamSession(message: string): Meaning | null {
	const match = /^pam_unix\(([^:)]+):session\): session (opened|closed) for user ([^\s(]+)/.exec(message);
	if (match === null) return null;
	const [, service = '', change = '', user = ''] = match;
	return {
		kind: change === 'opened' ? 'session' : 'logout',
		actor: user,
		action: change,
		object: service,
		result: 'success',
		severity: 'info',
	};
}

function sudo(message: string): Meaning {
	const match = /^\s*(\S+) : (?:(.*?) ; )?TTY=(.*?) ; PWD=(.*?) ; USER=(.*?) ;(?: GROUP=(.*?) ;)?(?: ENV=.*? ;)? COMMAND=(.*)$/s.exec(
		message,
	);
	if (match === null) return {};
	const [, actor = '', refusal, tty = '', pwd = '', user = '', , command = ''] = match;
	return {
		kind: 'command',
		actor,
		action: 'sudo',
		object: command,
		// Before TTY sudo writes only what went wrong: wrong passwords, not in sudoers, not allowed.
		result: refusal === undefined ? 'success' : 'failure',
		severity: refusal === undefined ? 'info' : 'warning',
		fields: { tty, pwd, runAs: user, ...(refusal === undefined ? {} : { refusal }) },
	};
}

function su(message: string): Meaning {
	const match = /^(FAILED SU )?\(to (\S+)\) (\S+) on (\S+)/.exec(message);
	if (match === null) return {};
	const [, failed, target = '', actor = '', tty = ''] = match;
	return {
		kind: 'switch-user',
		actor,
		action: 'su',
		object: target,
		result: failed === undefined ? 'success' : 'failure',
		severity: failed === undefined ? 'info' : 'warning',
		fields: { tty },
	};
}

/** useradd, userdel, usermod, groupadd, passwd and chage. */
function account(message: string): Meaning | null {
	const created = /^new (user|group): name=([^,\s]+)/.exec(message);
	if (created !== null)
		return { kind: 'account', action: `create-${created[1]}`, object: created[2] ?? '', result: 'success', severity: 'warning' };
	const added = /^add '([^']+)' to (?:shadow )?group '([^']+)'/.exec(message);
	if (added !== null) {
		return {
			kind: 'account',
			action: 'add-to-group',
			object: added[1] ?? '',
			result: 'success',
			severity: 'warning',
			fields: { group: added[2] ?? '' },
		};
	}
	const removed = /^(?:delete|remove) (user|group) '([^']+)'/.exec(message);
	if (removed !== null)
		return { kind: 'account', action: `delete-${removed[1]}`, object: removed[2] ?? '', result: 'success', severity: 'warning' };
	const password = /^pam_unix\((?:passwd|chpasswd):chauthtok\): password changed for (\S+)/.exec(message);
	if (password !== null)
		return { kind: 'account', action: 'change-password', object: password[1] ?? '', result: 'success', severity: 'info' };
	return null;
}
