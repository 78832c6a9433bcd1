import { accessSync, constants, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand, freePort, type RunningProcess, started, startProcess, temporaryFolder, waitFor } from './process.ts';

const CATALINA_HOME = '/usr/share/tomcat10';
const WEB_XML = '/etc/tomcat10/web.xml';
const MANAGER = '/usr/share/tomcat10-admin/manager';

export interface TomcatServer {
	readonly port: number;
	/** `http://127.0.0.1:<port>` */
	readonly url: string;
	/** Account with the role manager-status. */
	readonly username: string;
	/** Account with the roles manager-status and manager-jmx, and the same password. */
	readonly jmxUsername: string;
	readonly password: string;
	/** Pid of the JVM; -1 while it does not run. */
	readonly pid: () => number;
	/** Folder of `access.log`-like files and `catalina.out`-like output. */
	readonly logs: string;
	/** Access log, in the common format. */
	readonly accessLog: string;
	stop(): Promise<void>;
	start(): Promise<void>;
	remove(): Promise<void>;
}

function isReadable(file: string): boolean {
	try {
		accessSync(file, constants.R_OK);
		return true;
	} catch {
		return false;
	}
}

/** Not to everybody, either: Debian lets only root and its own group read what it is configured by. */
export function available(): boolean {
	return (
		findCommand('java') !== null && existsSync(join(CATALINA_HOME, 'bin', 'bootstrap.jar')) && existsSync(MANAGER) && isReadable(WEB_XML)
	);
}

/** Debian's Tomcat 10 with the manager application in a base folder of its own. */
export async function startTomcat(
	options: {
		/** Whether the manager application is there. Default true; hardened servers have it removed. */
		readonly manager?: boolean;
		/** An executor that the connector shares, and a data source in the global naming resources. */
		readonly executor?: boolean;
		/** More arguments of the JVM. */
		readonly jvm?: readonly string[];
	} = {},
): Promise<TomcatServer> {
	const folder = temporaryFolder('tomcat');
	const port = await freePort();
	const base = folder.path;
	const username = 'watcher';
	const jmxUsername = 'watcher-jmx';
	const password = 'tomcat-test-password';
	const manager = options.manager === false ? '' : `<Context path="/manager" docBase="${MANAGER}" privileged="true"/>`;
	const executor = options.executor === true ? '<Executor name="shared" maxThreads="15" minSpareThreads="2"/>' : '';
	const source =
		options.executor === true
			? '<Resource name="jdbc/orders" auth="Container" type="javax.sql.DataSource" driverClassName="none.Driver" url="jdbc:none:secret-address" username="secret-user" password="secret-password" maxTotal="40" maxWaitMillis="2500"/>'
			: '';
	for (const name of ['conf', 'logs', 'temp', 'work', 'webapps/ROOT']) mkdirSync(join(base, name), { recursive: true });
	cpSync(WEB_XML, join(base, 'conf', 'web.xml'), { dereference: true });
	const properties = ['/etc/tomcat10/catalina.properties', join(CATALINA_HOME, 'etc/catalina.properties')].find((file) => existsSync(file));
	if (properties !== undefined) cpSync(properties, join(base, 'conf', 'catalina.properties'), { dereference: true });
	writeFileSync(join(base, 'webapps/ROOT/index.html'), '<!doctype html><title>portal</title><p>application is up</p>\n');
	writeFileSync(
		join(base, 'conf', 'tomcat-users.xml'),
		`<tomcat-users xmlns="http://tomcat.apache.org/xml" version="1.0">
	<role rolename="manager-status"/>
	<role rolename="manager-jmx"/>
	<user username="${username}" password="${password}" roles="manager-status"/>
	<user username="${jmxUsername}" password="${password}" roles="manager-status,manager-jmx"/>
</tomcat-users>
`,
	);
	writeFileSync(
		join(base, 'conf', 'server.xml'),
		`<Server port="-1">
	<GlobalNamingResources>
		<Resource name="UserDatabase" auth="Container" type="org.apache.catalina.UserDatabase"
			factory="org.apache.catalina.users.MemoryUserDatabaseFactory" pathname="conf/tomcat-users.xml"/>
		${source}
	</GlobalNamingResources>
	<Service name="Catalina">
		${executor}
		<Connector port="${port}" ${options.executor === true ? 'executor="shared" ' : ''}address="127.0.0.1" protocol="HTTP/1.1" maxThreads="20" minSpareThreads="2"/>
		<Engine name="Catalina" defaultHost="localhost">
			<Realm className="org.apache.catalina.realm.UserDatabaseRealm" resourceName="UserDatabase"/>
			<Host name="localhost" appBase="webapps" autoDeploy="false">
				${manager}
				<Valve className="org.apache.catalina.valves.AccessLogValve" directory="logs" prefix="access" suffix=".log"
					rotatable="false" buffered="false" pattern="common"/>
			</Host>
		</Engine>
	</Service>
</Server>
`,
	);
	const url = `http://127.0.0.1:${port}`;
	let running: RunningProcess | null = null;
	const start = async () => {
		const child = startProcess(findCommand('java') ?? 'java', [
			...[
				'-Xms32m',
				'-Xmx96m',
				...(options.jvm ?? ['-XX:+UseSerialGC']),
				'-XX:TieredStopAtLevel=1',
				`-Dcatalina.home=${CATALINA_HOME}`,
				`-Dcatalina.base=${base}`,
			],
			...[`-Djava.io.tmpdir=${join(base, 'temp')}`, '-classpath'],
			`${join(CATALINA_HOME, 'bin/bootstrap.jar')}:${join(CATALINA_HOME, 'bin/tomcat-juli.jar')}`,
			...['org.apache.catalina.startup.Bootstrap', 'start'],
		]);
		running = child;
		try {
			await waitFor('Tomcat to serve its page', async () => (await fetch(`${url}/index.html`)).ok, { intervalMs: 200 });
		} catch (error) {
			throw new Error(`${error instanceof Error ? error.message : String(error)}\n${child.output()}`);
		}
	};
	const stop = async () => {
		await running?.stop();
		running = null;
	};
	const server: TomcatServer = {
		port,
		url,
		username,
		jmxUsername,
		password,
		pid: () => running?.pid ?? -1,
		logs: join(base, 'logs'),
		accessLog: join(base, 'logs', 'access.log'),
		start,
		stop,
		remove: async () => {
			await stop();
			folder.remove();
		},
	};
	return started(server);
}
