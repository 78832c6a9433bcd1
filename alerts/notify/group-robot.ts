import type { Secret, SecretRef } from '../../core/secret.ts';
import { type BodyCodes, judgeBody } from './body-code.ts';
import { JSON_HEADERS, notifierFrame, redactor, serviceCall } from './channel-frame.ts';
import type { Notification } from './notification.ts';
import type { Notifier, NotifierContext } from './notifier.ts';

interface GroupRobotConfig {
	readonly base_url: string;
	readonly send_resolved: boolean;
	readonly timeout: string;
	readonly rate_per_minute: number;
	readonly secret?: SecretRef;
}

/** How one product's group robot differs from the others. */
export interface GroupRobot {
	readonly type: string;
	/** What the robot is known by; whoever has it can write into the group. */
	readonly key: SecretRef;
	readonly codes: BodyCodes;
	/** Address and body of one message, signed where the robot has a secret. */
	readonly request: (
		message: object,
		signing: { readonly key: Secret; readonly secret: Secret | null; readonly nowMs: number },
	) => { readonly url: string; readonly body: object };
	/** What people read, and the message in the product's own shape. */
	readonly compose: (
		notification: Notification,
		options: { readonly possibleDuplicate: boolean },
	) => Promise<{ readonly text: string; readonly message: object }>;
}

/** A robot that writes into a group: one POST, which is answered with 200 whatever happens and a code that decides. */
export function createGroupRobot(config: GroupRobotConfig, context: NotifierContext, robot: GroupRobot): Notifier {
	const key = context.secret(robot.key);
	const secret = config.secret === undefined ? null : context.secret(config.secret);
	const redact = redactor([key]);
	const call = serviceCall(context, {
		timeout: config.timeout,
		redact,
		judge: (response, world) => judgeBody(response, robot.codes, world),
	});
	return {
		...notifierFrame(robot.type, config, context, [config.base_url, key.reveal()]),
		compose: async (notification, options) => {
			const { text, message } = await robot.compose(notification, options);
			const send = (signal: AbortSignal) => {
				const { url, body } = robot.request(message, { key, secret, nowMs: context.clock.now() });
				return call({ url, headers: JSON_HEADERS, body: JSON.stringify(body) }, signal);
			};
			return { text, send };
		},
	};
}

/** Whether somebody must be called out by name: something of these severities fires. */
export function calledOut(notification: Notification, severities: readonly string[]): boolean {
	return notification.alerts.some((alert) => alert.status === 'firing' && severities.includes(alert.labels['severity'] ?? ''));
}

/** These products' markdown knows no escapes. What comes from a label must neither call people out (`<@…>`) nor make a link. */
export function escapeMarkdown(text: string): string {
	return escapeTags(text).replace(/\]\(/g, ']（');
}

export function escapeTags(text: string): string {
	return text.replace(/</g, '＜').replace(/>/g, '＞');
}
