import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand, freePort, type RunningProcess, started, startProcess, temporaryFolder, waitFor } from './process.ts';

export interface NginxServer {
	readonly port: number;
	/** `http://127.0.0.1:<port>` */
	readonly url: string;
	readonly statusUrl: string;
	readonly accessLog: string;
	readonly errorLog: string;
	/** Ends the server; its port stays reserved for `start`. */
	stop(): Promise<void>;
	/** Starts it again on the same port after `stop` or `kill`. */
	start(): Promise<void>;
	kill(): Promise<void>;
	/** Opens its log files anew, as logrotate asks it to. */
	reopenLogs(): void;
	/** Ends it and removes its folder. */
	remove(): Promise<void>;
}

export function available(): boolean {
	return findCommand('nginx') !== null;
}

/** Nginx with stub_status at `/nginx_status`, a page at `/`, and everything else at `upstream` when given. */
export async function startNginx(
	options: {
		readonly upstream?: string;
		/** Several of them are tried one after another. */
		readonly upstreams?: readonly string[];
		/** Text of a `log_format` for the access log, without the quotes around it. */
		readonly logFormat?: string;
	} = {},
): Promise<NginxServer> {
	const command = findCommand('nginx') ?? 'nginx';
	const folder = temporaryFolder('nginx');
	const port = await freePort();
	const url = `http://127.0.0.1:${port}`;
	const accessLog = join(folder.path, 'access.log');
	const errorLog = join(folder.path, 'error.log');
	const config = join(folder.path, 'nginx.conf');
	const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
		.map((name) => `\t${name}_temp_path ${join(folder.path, name)};`)
		.join('\n');
	const upstreams = options.upstreams ?? [];
	const target = upstreams.length > 0 ? 'http://behind' : options.upstream;
	const proxy = target === undefined ? 'return 404;' : `proxy_pass ${target};`;
	const behind =
		upstreams.length === 0 ? '' : `\tupstream behind { ${upstreams.map((server) => `server ${server} max_fails=0;`).join(' ')} }\n`;
	const format = options.logFormat === undefined ? '' : `\tlog_format wanted '${options.logFormat}';\n`;
	writeFileSync(
		config,
		`daemon off;
worker_processes 1;
pid ${join(folder.path, 'nginx.pid')};
error_log ${errorLog} warn;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 64; }
http {
${format}${behind}	access_log ${accessLog} ${options.logFormat === undefined ? 'combined' : 'wanted'};
${temporary}
	server {
		listen 127.0.0.1:${port};
		location = /nginx_status { stub_status; access_log off; }
		location = / { default_type text/plain; return 200 "welcome to the portal\\n"; }
		location / { ${proxy} }
	}
}
`,
	);
	let running: RunningProcess | null = null;
	const start = async () => {
		const child = startProcess(command, ['-c', config, '-p', folder.path, '-e', errorLog]);
		running = child;
		await waitFor(`nginx on port ${port}: ${child.output()}`, async () => (await fetch(`${url}/nginx_status`)).ok);
	};
	const stop = async () => {
		await running?.stop();
		running = null;
	};
	const server: NginxServer = {
		port,
		url,
		statusUrl: `${url}/nginx_status`,
		accessLog,
		errorLog,
		start,
		stop,
		kill: async () => {
			// The master alone would leave its worker behind, listening: it is asked to stop at once instead.
			running?.kill('SIGTERM');
			await running?.exited;
			running = null;
		},
		reopenLogs: () => running?.kill('SIGUSR1'),
		remove: async () => {
			await stop();
			folder.remove();
		},
	};
	return started(server);
}
