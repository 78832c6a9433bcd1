import { createTransport } from 'nodemailer';
import { parseDuration } from '../../../core/duration.ts';
import { errorText, systemErrorCode } from '../../../core/errors.ts';
import { byteLength, unitLength } from '../../templates/shorten.ts';
import { PLAIN } from '../../templates/texts.ts';
import { notifierFrame, type Redact, redactor, textOf } from '../channel-frame.ts';
import { readCa } from '../http-config.ts';
import type { Notifier, NotifierContext, SendResult } from '../notifier.ts';
import type { EmailConfig } from './config.ts';

const LIMIT_BYTES = 64 * 1024;
const NEVER_SENT = /\b(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EDNS|EAUTH|EENVELOPE|ETLS)\b/;

interface SmtpError {
	readonly responseCode?: unknown;
}

/**
 * Mail by SMTP (RFC 5321): 5yz is final, 4yz and a lost connection are repeated. The Message-ID is that of the notification
 * over all attempts, so that a server or a reader drops the second copy.
 */
export function createEmail(config: EmailConfig, context: NotifierContext): Notifier {
	const [host = '', port = '25'] = config.smarthost.split(':');
	const password = config.auth_password === undefined ? null : context.secret(config.auth_password);
	const timeoutMs = parseDuration(config.timeout);
	const ca = config.tls_config.ca_file === undefined ? undefined : readCa(config.tls_config.ca_file);
	const redact = redactor(password === null ? [] : [password]);
	const place = { type: 'email', language: config.language, markup: PLAIN } as const;
	const write = textOf(context, { ...place, style: 'message' });
	const title = textOf(context, { ...place, style: 'title', part: 'title' });
	const send = async (mail: { subject: string; text: string; id: string }, signal: AbortSignal): Promise<SendResult> => {
		const transport = createTransport({
			host,
			port: Number(port),
			secure: port === '465',
			requireTLS: config.require_tls && port !== '465',
			...(config.hello === undefined ? {} : { name: config.hello }),
			...(config.auth_username === undefined ? {} : { auth: { user: config.auth_username, pass: password?.reveal() ?? '' } }),
			tls: ca === undefined ? {} : { ca },
			connectionTimeout: timeoutMs,
			greetingTimeout: timeoutMs,
			socketTimeout: timeoutMs,
			disableFileAccess: true,
			disableUrlAccess: true,
		});
		const stop = () => transport.close();
		signal.addEventListener('abort', stop, { once: true });
		try {
			const sent = await transport.sendMail({
				from: config.from,
				to: config.to,
				subject: mail.subject,
				text: mail.text,
				messageId: `<${mail.id}@fournines>`,
				date: new Date(context.clock.now()),
				headers: { 'Auto-Submitted': 'auto-generated' },
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
			transport.close();
		}
	};
	return {
		...notifierFrame('email', config, context, [config.smarthost, config.to]),
		compose: async (notification, { possibleDuplicate }) => {
			const size = { limit: LIMIT_BYTES, measure: byteLength, listed: 200, spelledOut: 50 };
			const text = await write(notification, possibleDuplicate, size);
			const named = await title(notification, possibleDuplicate, { limit: 140, measure: unitLength });
			const subject = `${named} #${notification.number}`.replace(/\s+/g, ' ');
			return { text: `${subject}\n\n${text}`, send: (signal) => send({ subject, text, id: notification.id }, signal) };
		},
	};
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
