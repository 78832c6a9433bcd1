import type { SecondSpan } from '../inventory/calendar.ts';
import type { InventoryConfig, ServiceConfig } from '../inventory/config.ts';

/** Confirmed downtime of a service, whole seconds. */
export interface Outage {
	readonly service: string;
	readonly fromSeconds: number;
	/** `null` while it lasts. */
	readonly toSeconds: number | null;
}

/** A service with what it stands on, and when it was down. */
export interface OutageNode {
	readonly service: string;
	readonly children: readonly string[];
	/** Contract whose clocks run for it: a fault of one contract says nothing about the deadlines of another. */
	readonly contract: string;
	/** Two transitions at most this far apart are one event that different checks saw at different times. */
	readonly edgeSeconds: number;
	readonly outages: readonly Outage[];
	/** Its outages if nothing below it had failed: what its own checks say. Of a service without children: `outages`. */
	readonly own: readonly Outage[];
}

export interface ExplainedOutage extends Outage {
	/** The outages that it is told by, deepest services only; itself where it has a reason of its own. Never empty. */
	readonly roots: readonly Outage[];
	/** Outages below it that failed beside its own reason. */
	readonly beside: readonly Outage[];
}

/**
 * Which outage of a tree of services is told by which. An outage is explained by those of its children where they cover all of it,
 * and their explanation is passed on, so that the deepest ones remain. It has a reason of its own where its own checks failed at
 * another time than every child, or where some of it is covered by no child. Pure; services that are not in the list do not explain.
 */
export function explainOutages(nodes: readonly OutageNode[], nowSeconds: number): readonly ExplainedOutage[] {
	const byId = new Map(nodes.map((node) => [node.service, node]));
	const known = new Map<string, readonly ExplainedOutage[]>();
	const explain = (node: OutageNode): readonly ExplainedOutage[] => {
		const done = known.get(node.service);
		if (done !== undefined) return done;
		// A tree that is its own descendant is refused by the inventory; here it must only end.
		known.set(node.service, []);
		const below = node.children.flatMap((id) => {
			const child = byId.get(id);
			return child === undefined || child.contract !== node.contract ? [] : explain(child);
		});
		const explained = node.outages.map((outage) => explainOne(outage, node, below, nowSeconds));
		known.set(node.service, explained);
		return explained;
	};
	return nodes.flatMap(explain);
}

function explainOne(outage: Outage, node: OutageNode, below: readonly ExplainedOutage[], nowSeconds: number): ExplainedOutage {
	const { edgeSeconds } = node;
	const span = (one: Outage): SecondSpan => ({ from: one.fromSeconds, to: one.toSeconds ?? nowSeconds });
	const whole = span(outage);
	const overlaps = (one: Outage): boolean => span(one).from < whole.to + edgeSeconds && span(one).to > whole.from - edgeSeconds;
	const children = below.filter(overlaps);
	/** Its own checks failed, but no sooner, no later and no longer than the child: they look through it. */
	const seenThrough = (own: SecondSpan): boolean =>
		children.some((child) => {
			const { from, to } = span(child);
			return Math.abs(own.from - from) <= edgeSeconds && own.to <= to + edgeSeconds;
		});
	const ownReason = node.own.map(span).some((own) => own.from < whole.to && own.to > whole.from && !seenThrough(own));
	const roots = unique(children.flatMap((child) => child.roots));
	if (children.length === 0 || ownReason || !covers(children.map(span), whole, edgeSeconds))
		return { ...outage, roots: [plain(outage)], beside: roots };
	return { ...outage, roots, beside: [] };
}

/** Whether no part of `whole` longer than `edge` lies outside of all spans. */
function covers(spans: readonly SecondSpan[], whole: SecondSpan, edge: number): boolean {
	let at = whole.from;
	for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
		if (from - at > edge) return false;
		at = Math.max(at, to);
	}
	return whole.to - at <= edge;
}

function unique(outages: readonly Outage[]): readonly Outage[] {
	return [...new Map(outages.map((outage) => [`${outage.service} ${outage.fromSeconds}`, plain(outage)])).values()];
}

function plain({ service, fromSeconds, toSeconds }: Outage): Outage {
	return { service, fromSeconds, toSeconds };
}

/**
 * The inventory as it would be if nothing below a service ever failed: each service keeps its own checks and counts its children as good.
 * A service whose own checks alone cannot bring it down is left out.
 */
export function ownParts(inventory: InventoryConfig): InventoryConfig {
	return { ...inventory, services: inventory.services.flatMap(ownPart) };
}

function ownPart(service: ServiceConfig): readonly ServiceConfig[] {
	const { children, checks, combine } = service;
	if (children.length === 0) return [service];
	if (checks.length === 0 || combine === 'any') return [];
	if (combine === 'all') return [{ ...service, children: [] }];
	if (!('quorum' in combine)) return [service];
	const left = combine.quorum - children.length;
	return left < 1 ? [] : [{ ...service, children: [], combine: { quorum: left } }];
}
