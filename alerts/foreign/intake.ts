import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { Secret, SecretRef } from '../../core/secret.ts';
import type { AlertSink } from '../../protocol/alert.ts';
import type { CallbackRequest } from '../notify/channel-line.ts';
import { sameSecret } from '../notify/provider-callback.ts';
import type { IntakeConfig } from './config.ts';
import { foreignAlerts } from './foreign-alerts.ts';

export interface IntakeOptions {
	readonly configs: readonly IntakeConfig[];
	readonly secret: (ref: SecretRef) => Secret;
	readonly clock: Clock;
	/** Labels of the alerts that fire. */
	readonly open: () => readonly Readonly<Record<string, string>>[];
	readonly receive: AlertSink;
}

/** Takes the posts of other systems. Resolves with how many alerts were taken. */
export type Intake = (name: string, request: CallbackRequest) => Promise<number>;

/** Throws `FN_SECRET_UNREADABLE`; the intake itself `FN_ALERTS_INTAKE_UNKNOWN`, `FN_ALERTS_INTAKE_TOKEN` and `FN_ALERTS_INTAKE_INVALID`. */
export function createIntake(options: IntakeOptions): Intake {
	const known = new Map(options.configs.map((config) => [config.name, { config, token: options.secret(config.token) }]));
	return async (name, request) => {
		const intake = known.get(name);
		if (intake === undefined) {
			throw new AppError('FN_ALERTS_INTAKE_UNKNOWN', `there is no intake "${name.slice(0, 64)}"; see alerts.intake`, { status: 404 });
		}
		const bearer = /^Bearer (.+)$/i.exec(request.headers['authorization'] ?? '')?.[1];
		if (!sameSecret(bearer ?? request.query['token'] ?? '', intake.token)) {
			const message = `the token for the intake "${name}" is missing or wrong; send it as "Authorization: Bearer …" or as ?token=`;
			throw new AppError('FN_ALERTS_INTAKE_TOKEN', message, { status: 401 });
		}
		const alerts = foreignAlerts(bodyOf(request, name), intake.config, { nowMs: options.clock.now(), open: options.open() });
		if (alerts.length > 0) await options.receive(alerts);
		return alerts.length;
	};
}

/** JSON, or a form, which is how Aliyun posts. */
function bodyOf(request: CallbackRequest, name: string): unknown {
	const text = request.body.toString('utf8').trim();
	if (/^[[{]/.test(text)) {
		try {
			return JSON.parse(text) as unknown;
		} catch {
			throw new AppError('FN_ALERTS_INTAKE_INVALID', `a post to the intake "${name}" is no JSON`, { status: 400 });
		}
	}
	return Object.fromEntries(new URLSearchParams(text));
}
