import { systemErrorCode } from '../../core/errors.ts';
import { parseServerVersion, privileges } from '../inputs/mysql/server-version.ts';
import { type Words, words } from './words.ts';

/** Whom the unit runs the agent as. */
export const AGENT_USER = 'fournines-agent';

/** What somebody should do, and the lines to type or to copy. */
export interface Advice {
	readonly text: Words;
	readonly lines: readonly string[];
}

/** What is known about a source that fails or is read in part. */
export interface Symptom {
	/** `nginx`, `tomcat`, `mysql`, … */
	readonly input: string;
	/** Label `instance` of the source. */
	readonly instance: string;
	/** `null` when the source was read. */
	readonly error: unknown;
	/** Parts that were not read (`part` of `fournines_*_part_success` that is 0). */
	readonly failedParts: readonly string[];
	/** Account that the configuration names, `''` when it names none. */
	readonly username: string;
	/** `version` of `mysql_version_info`, `''` when unknown. */
	readonly serverVersion: string;
	/** Table of the heartbeat, `''` when there is none. */
	readonly heartbeatTable: string;
	readonly platform: NodeJS.Platform;
}

/** From the symptom to what helps, in order of likelihood; empty when there is nothing to say beyond the error itself. Pure. */
export function adviceFor(symptom: Symptom): readonly Advice[] {
	const reach = reachability(symptom);
	if (reach !== null) return [reach];
	switch (symptom.input) {
		case 'mysql':
			return mysqlAdvice(symptom);
		case 'redis':
			return redisAdvice(symptom);
		case 'nginx':
			return nginxAdvice(symptom);
		case 'tomcat':
			return tomcatAdvice(symptom);
		case 'ntp':
			return hasCode(symptom.error, 'FN_AGENT_NTP_TIMEOUT')
				? [
						{
							text: words(
								'放行到时间服务器的 UDP 123（chrony 为本机 UDP 323）。',
								'Let UDP port 123 to the time server through (chrony: 323 on this host).',
							),
							lines: [],
						},
					]
				: [];
		case 'access_log':
		case 'log':
			return fileAdvice(symptom);
		default:
			return [];
	}
}

/** Nothing listens, nothing answers, or the name is unknown: the same for every kind of source. */
function reachability({ error, instance }: Symptom): Advice | null {
	switch (deepestCode(error)) {
		case 'ECONNREFUSED':
			return {
				text: words(
					`${instance} 没有程序监听：服务未启动，或端口写错。`,
					`Nothing listens at ${instance}: the service is not running, or the port is wrong.`,
				),
				lines: ['ss -ltnp'],
			};
		case 'ENOTFOUND':
		case 'EAI_AGAIN':
			return { text: words(`主机名无法解析：${instance}。`, `The name in ${instance} cannot be resolved.`), lines: [] };
		case 'EHOSTUNREACH':
		case 'ENETUNREACH':
		case 'ETIMEDOUT':
			return {
				text: words(
					`到 ${instance} 的网络不通，请检查路由、安全组和防火墙（见下方的防火墙申请）。`,
					`${instance} cannot be reached: check routes, security groups and firewalls (see the firewall request below).`,
				),
				lines: [],
			};
		case 'ENOENT':
			return instance.startsWith('/')
				? { text: words(`套接字或文件不存在：${instance}。`, `The socket or file does not exist: ${instance}.`), lines: [] }
				: null;
		default:
			return null;
	}
}

function mysqlAdvice(symptom: Symptom): readonly Advice[] {
	const version = parseServerVersion(symptom.serverVersion);
	const user = symptom.username === '' ? 'fournines' : symptom.username;
	const account = `'${user}'@'<agent-host>'`;
	const code = deepestCode(symptom.error);
	if (code === 'ER_ACCESS_DENIED_ERROR' || code === 'ER_HOST_NOT_PRIVILEGED') {
		return [
			{
				text: words(
					'账号、密码或来源地址不被接受。请在主库上创建账号（在从库上先执行 SET sql_log_bin = 0，否则会产生错误事务）：',
					'The account, its password or the address it comes from is refused. Create it on the master (on a replica after SET sql_log_bin = 0, or it becomes an errant transaction):',
				),
				lines: [
					`CREATE USER ${account} IDENTIFIED BY '…';`,
					`GRANT PROCESS, REPLICATION CLIENT ON *.* TO ${account};              -- MySQL`,
					`GRANT PROCESS, SLAVE MONITOR, BINLOG MONITOR ON *.* TO ${account};   -- MariaDB 10.5+`,
				],
			},
		];
	}
	if (code === 'ER_CON_COUNT_ERROR')
		return [
			{
				text: words(
					'连接数已满，监控账号也无法登录：请检查 max_connections 和空闲连接。',
					'All connections are taken, also for monitoring: look at max_connections and idle connections.',
				),
				lines: ['SHOW PROCESSLIST;'],
			},
		];
	const advice: Advice[] = [];
	const parts = new Set(symptom.failedParts);
	if (['replication', 'positions', 'threads', 'transactions', 'status'].some((part) => parts.has(part))) {
		advice.push({
			text: words('账号缺少只读监控权限：', 'The account lacks the rights for monitoring:'),
			lines: [`GRANT ${privileges(version)} ON *.* TO ${account};`],
		});
	}
	if (parts.has('heartbeat')) {
		const table = symptom.heartbeatTable === '' ? 'heartbeat.heartbeat' : symptom.heartbeatTable;
		advice.push({
			text: words(
				'心跳表读不到：表不存在（建表语句见 agent/inputs/mysql/README.md），或没有权限：',
				'The heartbeat table cannot be read: it does not exist (see agent/inputs/mysql/README.md), or the right is missing:',
			),
			lines: [`GRANT SELECT ON ${table} TO ${account};`],
		});
	}
	if (parts.has('digests')) {
		advice.push({
			text: words(
				'慢语句摘要读不到：performance_schema 未开启（MariaDB 默认关闭），或没有权限：',
				'Statement digests cannot be read: performance_schema is off (as MariaDB has it), or the right is missing:',
			),
			lines: ["SHOW VARIABLES LIKE 'performance_schema';", `GRANT SELECT ON performance_schema.* TO ${account};`],
		});
	}
	return advice;
}

const REDIS_RIGHTS: Readonly<Record<string, string>> = {
	slowlog: '+slowlog|len +slowlog|get',
	latency: '+latency|latest',
	config: '+config|get',
};

function redisAdvice(symptom: Symptom): readonly Advice[] {
	const user = symptom.username === '' ? 'fournines' : symptom.username;
	const text = messageOf(symptom.error);
	if (/NOAUTH|WRONGPASS|NOPERM|invalid username-password|Authentication required/i.test(text)) {
		return [
			{
				text: words(
					'Redis 不接受账号或密码。请在 Redis 上执行（Redis 6 及以上），并把密码写入 password 指向的文件：',
					'Redis refuses the account. Run this on Redis 6 or later, and put the password into the file that "password" names:',
				),
				lines: [`ACL SETUSER ${user} on >… resetkeys resetchannels -@all +info +ping ${Object.values(REDIS_RIGHTS).join(' ')}`, 'ACL SAVE'],
			},
		];
	}
	const missing = symptom.failedParts.flatMap((part) => REDIS_RIGHTS[part] ?? []);
	if (missing.length === 0) return [];
	return [
		{
			text: words(
				'账号缺少以下命令的权限（不给也可以，只是少这些指标）：',
				'The account may not use these commands (without them only their metrics are missing):',
			),
			lines: [`ACL SETUSER ${user} ${missing.join(' ')}`],
		},
	];
}

function nginxAdvice(symptom: Symptom): readonly Advice[] {
	const status = statusOf(symptom.error);
	if (status === 403)
		return [
			{
				text: words('状态页拒绝了本机地址，请在该 location 中加入：', 'The status page refuses this address; add to its location:'),
				lines: ['allow 127.0.0.1;', 'deny all;'],
			},
		];
	if (status === 404 || hasCode(symptom.error, 'FN_AGENT_SOURCE_FORMAT')) {
		return [
			{
				text: words(
					'该地址没有 stub_status 页。请在 server 中加入，然后 nginx -t && nginx -s reload：',
					'There is no stub_status page at this address. Add this to a server, then nginx -t && nginx -s reload:',
				),
				lines: ['location = /nginx_status {', '    stub_status;', '    allow 127.0.0.1;', '    deny all;', '    access_log off;', '}'],
			},
		];
	}
	return [];
}

function tomcatAdvice(symptom: Symptom): readonly Advice[] {
	const user = symptom.username === '' ? 'fournines' : symptom.username;
	const userLine = (roles: string) => [
		`<role rolename="${roles.split(',').pop()}"/>`,
		`<user username="${user}" password="…" roles="${roles}"/>`,
	];
	const status = statusOf(symptom.error);
	if (status === 401 || hasCode(symptom.error, 'FN_AGENT_SOURCE_REFUSED')) {
		return [
			{
				text: words(
					'账号或密码不被接受。请在 conf/tomcat-users.xml 中加入（只读角色），每次尝试间隔 5 分钟以免锁定账号：',
					'The account is refused. Add it to conf/tomcat-users.xml (a role that only reads); attempts are five minutes apart so that it is not locked:',
				),
				lines: userLine('manager-status'),
			},
		];
	}
	if (status === 403) {
		return [
			{
				text: words(
					'manager 拒绝了来源地址，或账号没有角色。请检查 manager 的 META-INF/context.xml：',
					'The manager refuses the address, or the account has no role. Check META-INF/context.xml of the manager:',
				),
				lines: [
					'<Valve className="org.apache.catalina.valves.RemoteCIDRValve" allow="127.0.0.0/8,::1/128"/>',
					...userLine('manager-status'),
				],
			},
		];
	}
	if (status === 404 || hasCode(symptom.error, 'FN_AGENT_SOURCE_FORMAT')) {
		return [
			{
				text: words(
					'没有部署 manager（加固时常被删除）。可安装它（Debian：apt install tomcat10-admin），或改用 JVM 自身的计数器：',
					'There is no manager (hardening often removes it). Install it (Debian: apt install tomcat10-admin), or use the counters of the JVM:',
				),
				lines: ['way: process   # agent.yml, inputs.tomcat[]'],
			},
		];
	}
	if (hasCode(symptom.error, 'FN_AGENT_TOMCAT_PROCESS')) {
		return [
			{
				text: words(
					'看不到 Tomcat 进程：探针需要以 root 或 Tomcat 的用户运行，或配置 manager-status 账号：',
					"Tomcat's process cannot be seen: run the agent as root or as Tomcat's user, or give it an account:",
				),
				lines: userLine('manager-status'),
			},
		];
	}
	if (symptom.failedParts.includes('jmxproxy')) {
		return [
			{
				text: words(
					'JMX 代理读不到，账号缺少角色 manager-jmx（该角色也能写，探针只读）：',
					'The JMX proxy cannot be read: the account lacks the role manager-jmx (which could also write; the agent only reads):',
				),
				lines: userLine('manager-status,manager-jmx'),
			},
		];
	}
	return [];
}

function fileAdvice(symptom: Symptom): readonly Advice[] {
	const path = symptom.instance.replace(/^[^/]*:(?=\/)/, '');
	return [
		{
			text: words(
				'日志文件读不到：文件不存在，或探针的用户没有读权限：',
				'The log cannot be read: it does not exist, or the user of the agent may not read it:',
			),
			lines: [`ls -l ${path}`, `usermod -aG adm ${AGENT_USER}`, `setfacl -m u:${AGENT_USER}:r ${path}`],
		},
	];
}

/** The code at the end of the chain of causes: the system's or the driver's own. */
export function deepestCode(error: unknown): string {
	let code = '';
	for (let current: unknown = error, depth = 0; current instanceof Error && depth < 10; current = current.cause, depth++) {
		code = systemErrorCode(current) || code;
		// Several addresses were tried: any of their errors says enough.
		if ('errors' in current && Array.isArray(current.errors)) code = systemErrorCode(current.errors[0]) || code;
	}
	return code;
}

function hasCode(error: unknown, code: string): boolean {
	for (let current: unknown = error, depth = 0; current instanceof Error && depth < 10; current = current.cause, depth++) {
		if (systemErrorCode(current) === code) return true;
	}
	return false;
}

function statusOf(error: unknown): number {
	return typeof error === 'object' && error !== null && 'status' in error && typeof error.status === 'number' ? error.status : 0;
}

function messageOf(error: unknown): string {
	let text = '';
	for (let current: unknown = error, depth = 0; current instanceof Error && depth < 10; current = current.cause, depth++)
		text += ` ${current.message}`;
	return text;
}
