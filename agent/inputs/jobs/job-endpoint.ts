import type { IncomingMessage } from 'node:http';
import { AppError, errorText } from '../../../core/errors.ts';
import type { JobDesk } from './job-desk.ts';

export interface JobAnswer {
	readonly status: number;
	readonly text: string;
}

const BODY_BYTES = 16 * 1024;
const TASK_PATH = /^\/jobs\/([^/]+)$/;
const PATH = /^\/jobs\/([^/]+)\/([^/]+)$/;

/** Whether the path belongs to job reports at all. */
export function isJobPath(path: string): boolean {
	return path.startsWith('/jobs/');
}

/**
 * `GET` or `POST /jobs/<task>/{start,success,fail}` with fields in the query or in a form; `DELETE /jobs/<task>` forgets one. From this machine only, wherever the agent
 * listens: a report needs no account. `desk` is `null` where nothing takes reports.
 */
export async function answerJobReport(request: IncomingMessage, desk: JobDesk | null): Promise<JobAnswer> {
	if (!/^(127\.|::1$|::ffff:127\.)/.test(request.socket.remoteAddress ?? ''))
		return { status: 403, text: 'reports are taken from this machine only\n' };
	// A page in a browser on this machine could otherwise report in a job's name.
	if (request.headers.origin !== undefined || request.headers['sec-fetch-site'] !== undefined)
		return { status: 403, text: 'reports are not taken from a browser\n' };
	if (desk?.open !== true) return { status: 404, text: 'this agent takes no reports of jobs; set inputs.jobs in agent.yml\n' };
	if (request.method === 'DELETE') {
		try {
			return forget(desk, request.url ?? '/');
		} catch (error) {
			return { status: 400, text: `${errorText(error)}\n` };
		}
	}
	if (request.method !== 'GET' && request.method !== 'POST') return { status: 405, text: 'use GET or POST\n' };
	const url = new URL(request.url ?? '/', 'http://agent');
	const match = PATH.exec(url.pathname);
	if (match === null) return { status: 404, text: 'write /jobs/<task>/start, /success or /fail\n' };
	try {
		const fields = Object.fromEntries(url.searchParams);
		if (request.method === 'POST') Object.assign(fields, Object.fromEntries(new URLSearchParams(await readBody(request))));
		desk.ping(decodeURIComponent(match[1] as string), decodeURIComponent(match[2] as string), fields);
		return { status: 200, text: 'OK\n' };
	} catch (error) {
		if (error instanceof AppError) return { status: error.status, text: `${error.code}: ${error.message}\n` };
		return { status: 400, text: `${errorText(error)}\n` };
	}
}

function forget(desk: JobDesk, path: string): JobAnswer {
	const task = TASK_PATH.exec(new URL(path, 'http://agent').pathname)?.[1];
	if (task === undefined) return { status: 405, text: 'use GET or POST; DELETE /jobs/<task> forgets a task\n' };
	switch (desk.forget(decodeURIComponent(task))) {
		case 'forgotten':
			return { status: 200, text: 'OK\n' };
		case 'unknown':
			return { status: 404, text: 'no such task has reported\n' };
		case 'configured':
			return { status: 409, text: 'the task is named in inputs.jobs.tasks; take it out there\n' };
	}
}

function readBody(request: IncomingMessage): Promise<string> {
	return new Promise((resolve, reject) => {
		const chunks: Buffer[] = [];
		let size = 0;
		request.on('data', (chunk: Buffer) => {
			size += chunk.length;
			if (size > BODY_BYTES) reject(new AppError('FN_JOB_PING', `the form has more than ${BODY_BYTES} bytes`, { status: 413 }));
			else chunks.push(chunk);
		});
		request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
		request.on('error', reject);
	});
}
