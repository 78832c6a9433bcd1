import { type AckToken, parseAckToken } from '../../../alerts/incident/ack-link.ts';
import type { Incident } from '../../../alerts/incident/incident.ts';
import type { CallbackAnswer } from '../../../alerts/notify/channel-line.ts';
import type { OnCall } from '../../../alerts/on-call.ts';
import type { AckRequest } from '../../../alerts/relay/relayed.ts';
import { AppError } from '../../../core/errors.ts';
import { formatZoned } from '../../../core/zone-time.ts';

export interface AckPageServices {
	readonly onCall: OnCall;
	/** Writes the operations log; the token is not part of it. */
	readonly record: (operation: { readonly actor: string; readonly object: string; readonly srcAddr: string }) => Promise<void>;
}

/** Answers whoever opens the link of a message, or presses its button. */
export type AckPage = (request: AckRequest) => Promise<CallbackAnswer>;

/**
 * The page behind the link of a message. Looking takes nothing, because messengers open links by themselves to show a preview;
 * only its button does. No log-in: the token says who was called.
 */
export function createAckPage({ onCall, record }: AckPageServices): AckPage {
	const { incidents, links, duty } = onCall;
	const look = async (text: string, atMs: number) => {
		const token = parseAckToken(text);
		const incident = token === null ? null : await find(token);
		const verdict = token === null || incident === null ? ({ kind: 'bad' } as const) : links.verify(token, incident, atMs);
		// Whether the number exists is nobody's business without the right token.
		return token === null || incident === null || verdict.kind === 'bad' ? null : { token, incident, verdict };
	};
	const find = async ({ number }: AckToken): Promise<Incident | null> => {
		try {
			return await incidents.get(String(number));
		} catch (error) {
			if (error instanceof AppError && error.status === 404) return null;
			throw error;
		}
	};
	const answer = (status: number, body: string): CallbackAnswer => ({ status, type: 'text/html; charset=utf-8', body: page(body) });
	const zone = () => duty.plan.config.zone;

	return async ({ method, token: text, address, atMs }) => {
		const found = await look(text, atMs);
		if (found === null) return answer(404, UNKNOWN);
		const { token, verdict } = found;
		let { incident } = found;
		const canTake = verdict.kind === 'good' && incident.state === 'open';
		if (method === 'POST' && canTake) {
			const { personId, name } = verdict;
			({ incident } = await incidents.acknowledge(incident.id, { person: personId, name, by: personId, way: 'link', call: token.seq }));
			await record({ actor: personId, object: incident.id, srcAddr: address });
		}
		const form = method === 'GET' && canTake ? '<form method="post"><button type="submit">我来处理</button></form>' : '';
		return answer(200, `${facts(incident, verdict.name, duty.name(incident.owner), zone())}${form}`);
	};
}

const UNKNOWN = '<h1>链接无效</h1><p>请使用最新一条消息中的链接，或登录控制台处理。</p>';

function facts(incident: Incident, person: string, owner: string, zone: string): string {
	const state = { open: '等待确认', acknowledged: `已由 ${owner} 确认处理`, resolved: '已恢复' }[incident.state];
	return `<h1>事件 ${incident.number}</h1>
<p class="title">${escaped(incident.title)}</p>
<dl><dt>状态</dt><dd>${escaped(state)}</dd>
<dt>开始</dt><dd>${escaped(formatZoned(incident.startsAtMs, zone))}</dd>
<dt>告警</dt><dd>${incident.firing.length} 条未恢复，共 ${incident.alertCount} 条</dd>
<dt>您是</dt><dd>${escaped(person)}</dd></dl>`;
}

function escaped(text: string): string {
	return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function page(body: string): string {
	return `<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><title>四个九 · 事件确认</title>
<style>
body{font:16px/1.6 "PingFang SC","Microsoft YaHei","Noto Sans CJK SC",system-ui,sans-serif;margin:0;background:#f3f5f8;color:#1b2733}
main{max-width:560px;margin:0 auto;padding:24px 20px}
h1{font-size:20px;margin:0 0 12px;color:#12355b}.title{font-size:18px;font-weight:600;margin:0 0 16px}
dl{display:grid;grid-template-columns:4em 1fr;gap:6px 12px;margin:0 0 24px}dt{color:#5d6b79}dd{margin:0}
button{width:100%;padding:14px;font:inherit;font-weight:600;color:#fff;background:#1d5b99;border:0;border-radius:8px}
</style></head><body><main>
${body}
</main></body></html>
`;
}
