import { createTransport } from 'nodemailer';
import { parseDuration } from '../../../core/duration.ts';
import { errorText, systemErrorCode } from '../../../core/errors.ts';
import type { Secret } from '../../../core/secret.ts';
import { byteLength, unitLength } from '../../templates/shorten.ts';
import { PLAIN } from '../../templates/texts.ts';
import { marked } from '../authored.ts';
import { authoredText, notifierFrame, type Redact, redactor, textOf } from '../channel-frame.ts';
import type { Notification } from '../notification.ts';
import type { Notifier, NotifierContext, SendResult } from '../notifier.ts';
import { tlsOptions } from '../tls.ts';
import type { EmailConfig } from './config.ts';

const LIMIT_BYTES = 64 * 1024;
/** Headers that have a place of their own in a mail. */
const SHOWN = ['from', 'to', 'subject'];
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', '#34': '"', '#39': "'", '#43': '+', nbsp: ' ' };
const NEVER_SENT = /\b(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EDNS|EAUTH|EENVELOPE|ETLS)\b/;

interface SmtpError {
	readonly responseCode?: unknown;
}

/** What one mail says. */
interface Mail {
	readonly id: string;
	readonly subject: string;
	readonly text: string | null;
	readonly html: string | null;
	readonly from: string;
	readonly to: string;
	/** Further headers, and `From` and `To` where they differ from the envelope. */
	readonly headers: readonly (readonly [string, string])[];
}

/**
 * Mail by SMTP (RFC 5321): 5yz is final, 4yz and a lost connection are repeated. The Message-ID is that of the notification
 * over all attempts, so that a server or a reader drops the second copy.
 */
export function createEmail(config: EmailConfig, context: NotifierContext): Notifier {
	const password = config.auth_password ?? config.auth_secret;
	const secret = password === undefined ? null : context.secret(password);
	const redact = redactor(secret === null ? [] : [secret]);
	const write = mailWriter(config, context);
	const transport = transportOf(config, context, secret);
	const send = async (mail: Mail, signal: AbortSignal): Promise<SendResult> => {
		const opened = transport();
		const stop = () => opened.close();
		signal.addEventListener('abort', stop, { once: true });
		const shown = new Map(mail.headers.map(([name, value]) => [name.toLowerCase(), value]));
		try {
			const sent = await opened.sendMail({
				envelope: { from: mail.from, to: mail.to },
				from: shown.get('from') ?? mail.from,
				to: shown.get('to') ?? mail.to,
				subject: mail.subject,
				...(mail.text === null ? {} : { text: mail.text }),
				...(mail.html === null ? {} : { html: mail.html }),
				messageId: `<${mail.id}@fournines>`,
				date: new Date(context.clock.now()),
				headers: {
					'Auto-Submitted': 'auto-generated',
					...Object.fromEntries(mail.headers.filter(([name]) => !SHOWN.includes(name.toLowerCase()))),
				},
			});
			if (sent.rejected.length > 0) {
				return {
					kind: 'refused',
					code: 'partly',
					reason: `not taken for ${sent.rejected.map(String).join(', ')}: ${redact(sent.response)}`,
				};
			}
			return { kind: 'sent', code: sent.response.slice(0, 3) };
		} catch (error) {
			return failed(error, redact);
		} finally {
			signal.removeEventListener('abort', stop);
			opened.close();
		}
	};
	return {
		...notifierFrame('email', config, context, [config.smarthost, config.to]),
		compose: async (notification, { possibleDuplicate }) => {
			const mail = await write(notification, possibleDuplicate);
			return { text: `${mail.subject}\n\n${mail.text ?? readable(mail.html ?? '')}`, send: (signal) => send(mail, signal) };
		},
	};
}

/** Ours, unless the configuration has texts of its own or a template file replaces one of Alertmanager's defaults. */
function mailWriter(
	config: EmailConfig,
	context: NotifierContext,
): (notification: Notification, possibleDuplicate: boolean) => Promise<Mail> {
	const { language } = config;
	const place = { type: 'email', language, markup: PLAIN } as const;
	const shippedText = textOf(context, { ...place, style: 'message' });
	const shippedTitle = textOf(context, { ...place, style: 'title', part: 'title' });
	const asAlertmanager = config.html !== undefined || config.text !== undefined || context.alertmanager.redefined;
	const byDefault = (name: string) => (asAlertmanager ? `{{ template "email.default.${name}" . }}` : undefined);
	const authored = (name: string, template: string | undefined, html = false) => authoredText(context, template, { name, html, language });
	const given = Object.entries(config.headers);
	const subjectGiven = given.find(([name]) => name.toLowerCase() === 'subject')?.[1];
	const subject = authored('headers.Subject', subjectGiven ?? byDefault('subject'));
	const html = authored('html', config.html ?? byDefault('html'), true);
	const text = authored('text', config.text);
	const line = (name: string, template: string) => (template.includes('{{') ? authored(name, template) : async () => template);
	const from = line('from', config.from);
	const to = line('to', config.to);
	const headers = given
		.filter(([name]) => name.toLowerCase() !== 'subject')
		.map(([name, template]) => [name, line(`headers.${name}`, template)] as const);
	return async (notification, possibleDuplicate) => {
		const named =
			(await subject(notification, possibleDuplicate)) ??
			`${await shippedTitle(notification, possibleDuplicate, { limit: 140, measure: unitLength })} #${notification.number}`;
		const own = { html: await html(notification, possibleDuplicate), text: await text(notification, possibleDuplicate) };
		const size = { limit: LIMIT_BYTES, measure: byteLength, listed: 200, spelledOut: 50 };
		const isShipped = own.html === null && own.text === null;
		return {
			id: notification.id,
			// The shipped text says itself what it may be.
			subject: marked(oneLine(named), possibleDuplicate && !isShipped, language ?? context.language),
			text: isShipped ? await shippedText(notification, possibleDuplicate, size) : own.text,
			html: own.html,
			from: oneLine((await from(notification, false)) ?? config.from),
			to: oneLine((await to(notification, false)) ?? ''),
			headers: await Promise.all(
				headers.map(async ([name, value]) => [name, oneLine((await value(notification, possibleDuplicate)) ?? '')] as const),
			),
		};
	};
}

function transportOf(config: EmailConfig, context: NotifierContext, secret: Secret | null) {
	const [host = '', port = '25'] = config.smarthost.split(':');
	const timeoutMs = parseDuration(config.timeout);
	const tls = tlsOptions(config.tls_config, context.secret);
	const identity = config.auth_identity ?? '';
	const cramMd5 = config.auth_password === undefined && config.auth_secret !== undefined;
	return () =>
		createTransport({
			host,
			port: Number(port),
			secure: port === '465',
			requireTLS: config.require_tls && port !== '465',
			...(config.hello === undefined ? {} : { name: config.hello }),
			...(config.auth_username === undefined ? {} : { auth: { user: config.auth_username, pass: secret?.reveal() ?? '' } }),
			...(cramMd5 ? { authMethod: 'CRAM-MD5' } : {}),
			...(identity === '' ? {} : { customAuth: { PLAIN: plainFor(identity) } }),
			tls,
			connectionTimeout: timeoutMs,
			greetingTimeout: timeoutMs,
			socketTimeout: timeoutMs,
			disableFileAccess: true,
			disableUrlAccess: true,
		});
}

interface Login {
	readonly auth: { readonly credentials: { readonly user: string; readonly pass: string } };
	readonly sendCommand: (command: string) => Promise<{ readonly status: number; readonly text: string }>;
}

/** PLAIN with an identity to act for, which the library leaves out. */
function plainFor(identity: string): (login: Login) => Promise<void> {
	return async ({ auth, sendCommand }) => {
		const { user, pass } = auth.credentials;
		const { status, text } = await sendCommand(`AUTH PLAIN ${Buffer.from([identity, user, pass].join('\0')).toString('base64')}`);
		if (status !== 235) throw new Error(`authentication as ${user} for ${identity} was refused: ${text}`);
	};
}

/** A line break in a label must not begin another header. */
function oneLine(text: string): string {
	return text.replace(/\s+/g, ' ').trim();
}

/** What people read of a page, for the history. */
function readable(html: string): string {
	return html
		.replace(/<(style|script|head)\b[\s\S]*?<\/\1>/gi, '')
		.replace(/<(?:br|\/p|\/tr|\/h[1-6]|\/div|\/table)\b[^>]*>/gi, '\n')
		.replace(/<[^>]*>/g, ' ')
		.replace(/&(amp|lt|gt|#34|#39|#43|nbsp);/g, (whole, name: string) => ENTITIES[name] ?? whole)
		.replace(/[ \t]+/g, ' ')
		.replace(/\s*\n\s*/g, '\n')
		.trim();
}

function failed(error: unknown, redact: Redact): SendResult {
	const { responseCode } = (typeof error === 'object' && error !== null ? error : {}) as SmtpError;
	const reason = redact(errorText(error));
	if (typeof responseCode === 'number') {
		const code = String(responseCode);
		return responseCode >= 500 ? { kind: 'refused', code, reason } : { kind: 'retry', code, reason, possiblySent: false };
	}
	const code = systemErrorCode(error) || 'error';
	// A connection that breaks after the data was sent looks like any other: only what never began is known not to be taken.
	return { kind: 'retry', code, reason, possiblySent: !NEVER_SENT.test(`${code} ${reason}`) };
}
