import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand, freePort, type RunningProcess, startProcess, temporaryFolder, waitFor } from './process.ts';

const CATALINA_HOME = '/usr/share/tomcat10';
const MANAGER = '/usr/share/tomcat10-admin/manager';

export interface TomcatServer {
	readonly port: number;
	/** `http://127.0.0.1:<port>` */
	readonly url: string;
	/** Account with the role manager-status. */
	readonly username: string;
	readonly password: string;
	/** Folder of `access.log`-like files and `catalina.out`-like output. */
	readonly logs: string;
	/** Access log, in the common format. */
	readonly accessLog: string;
	stop(): Promise<void>;
	start(): Promise<void>;
	remove(): Promise<void>;
}

export function available(): boolean {
	return findCommand('java') !== null && existsSync(join(CATALINA_HOME, 'bin', 'bootstrap.jar')) && existsSync(MANAGER);
}

/** Debian's Tomcat 10 with the manager application in a base folder of its own. */
export async function startTomcat(): Promise<TomcatServer> {
	const folder = temporaryFolder('tomcat');
	const port = await freePort();
	const base = folder.path;
	const username = 'watcher';
	const password = 'tomcat-test-password';
	for (const name of ['conf', 'logs', 'temp', 'work', 'webapps/ROOT']) mkdirSync(join(base, name), { recursive: true });
	cpSync('/etc/tomcat10/web.xml', join(base, 'conf', 'web.xml'), { dereference: true });
	const properties = ['/etc/tomcat10/catalina.properties', join(CATALINA_HOME, 'etc/catalina.properties')].find((file) => existsSync(file));
	if (properties !== undefined) cpSync(properties, join(base, 'conf', 'catalina.properties'), { dereference: true });
	writeFileSync(join(base, 'webapps/ROOT/index.html'), '<!doctype html><title>portal</title><p>application is up</p>\n');
	writeFileSync(
		join(base, 'conf', 'tomcat-users.xml'),
		`<tomcat-users xmlns="http://tomcat.apache.org/xml" version="1.0">
	<role rolename="manager-status"/>
	<user username="${username}" password="${password}" roles="manager-status"/>
</tomcat-users>
`,
	);
	writeFileSync(
		join(base, 'conf', 'server.xml'),
		`<Server port="-1">
	<GlobalNamingResources>
		<Resource name="UserDatabase" auth="Container" type="org.apache.catalina.UserDatabase"
			factory="org.apache.catalina.users.MemoryUserDatabaseFactory" pathname="conf/tomcat-users.xml"/>
	</GlobalNamingResources>
	<Service name="Catalina">
		<Connector port="${port}" address="127.0.0.1" protocol="HTTP/1.1" maxThreads="20" minSpareThreads="2"/>
		<Engine name="Catalina" defaultHost="localhost">
			<Realm className="org.apache.catalina.realm.UserDatabaseRealm" resourceName="UserDatabase"/>
			<Host name="localhost" appBase="webapps" autoDeploy="false">
				<Context path="/manager" docBase="${MANAGER}" privileged="true"/>
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
				'-XX:+UseSerialGC',
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
			await waitFor('Tomcat to serve its page', async () => (await fetch(`${url}/index.html`)).ok, { timeoutMs: 60_000, intervalMs: 200 });
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
		password,
		logs: join(base, 'logs'),
		accessLog: join(base, 'logs', 'access.log'),
		start,
		stop,
		remove: async () => {
			await stop();
			folder.remove();
		},
	};
	try {
		await start();
	} catch (error) {
		await server.remove();
		throw error;
	}
	return server;
}
