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
	/** So much later than it happened an event may be seen here, by the slowest check: what failed earlier than that failed first. */
	readonly doubtSeconds: number;
	readonly outages: readonly Outage[];
	/** Its outages if nothing below it had failed: what its own checks say. Of a service without children: `outages`. */
	readonly own: readonly Outage[];
}

/** An outage, or the part of one that has one explanation: what a cause explains of it, or what remains. */
export interface ExplainedOutage extends Outage {
	/** The outage that it is all of, the beginning, or the rest. */
	readonly whole: Outage;
	/** The outages that it is told by, deepest services only; itself where it has a reason of its own. Never empty. */
	readonly roots: readonly Outage[];
	/** Outages below it that failed beside its own reason. */
	readonly beside: readonly Outage[];
}

/**
 * Which outage of a tree of services is told by which. An outage is explained by those of its children while they last, and their
 * explanation is passed on, so that the deepest ones remain. It has a reason of its own from the moment at which no child explains it
 * any more: it began before the first of them by more than the doubt about when that one failed, its own checks failed at another time
 * than every child, or they, or it, went on when the child had recovered. What came before that moment stays explained, the rest does
 * not. Pure; services that are not in the list do not explain.
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
			if (child === undefined || child.contract !== node.contract) return [];
			return explain(child).map((part): Below => ({ part, span: spanOf(part, nowSeconds), doubtSeconds: child.doubtSeconds }));
		});
		const explained = node.outages.flatMap((outage) => explainOne(outage, node, below, nowSeconds));
		known.set(node.service, explained);
		return explained;
	};
	return nodes.flatMap(explain);
}

/** An outage of a child, or a part of one. */
interface Below {
	readonly part: ExplainedOutage;
	readonly span: SecondSpan;
	readonly doubtSeconds: number;
}

function explainOne(outage: Outage, node: OutageNode, below: readonly Below[], nowSeconds: number): readonly ExplainedOutage[] {
	const { edgeSeconds } = node;
	const whole = spanOf(outage, nowSeconds);
	const children = below.filter(({ span }) => span.from < whole.to + edgeSeconds && span.to > whole.from - edgeSeconds);
	const own = node.own.map((one) => spanOf(one, nowSeconds)).filter(({ from, to }) => from < whole.to && to > whole.from);
	const since = Math.min(uncoveredFrom(children, whole, edgeSeconds), ...own.map((span) => ownReasonFrom(span, children, edgeSeconds)));
	const itself = plain(outage);
	const roots = (of: readonly Below[]) => unique(of.flatMap(({ part }) => part.roots));
	if (since >= whole.to) return [{ ...itself, whole: itself, roots: roots(children), beside: [] }];
	// What is explained for no longer than checks differ is not told apart.
	if (since - whole.from <= edgeSeconds) return [{ ...itself, whole: itself, roots: [itself], beside: roots(children) }];
	const rest = { ...itself, fromSeconds: since };
	return [
		{ ...itself, toSeconds: since, whole: itself, roots: roots(children.filter(({ span }) => span.from < since)), beside: [] },
		{ ...rest, whole: itself, roots: [rest], beside: roots(children) },
	];
}

/** From when on own checks say more than that a child is down; never where they only look through it. */
function ownReasonFrom(own: SecondSpan, children: readonly Below[], edgeSeconds: number): number {
	const seenThrough = children.filter(
		({ span, doubtSeconds }) => own.from >= span.from - doubtSeconds && own.from <= span.from + edgeSeconds,
	);
	if (seenThrough.length === 0) return own.from;
	const recovered = Math.max(...seenThrough.map(({ span }) => span.to));
	return own.to <= recovered + edgeSeconds ? Number.POSITIVE_INFINITY : recovered;
}

/** From when on no child was down, for longer than checks differ. */
function uncoveredFrom(children: readonly Below[], whole: SecondSpan, edgeSeconds: number): number {
	let at = whole.from;
	for (const { span, doubtSeconds } of [...children].sort((a, b) => a.span.from - b.span.from)) {
		if (span.from - at > (at === whole.from ? doubtSeconds : edgeSeconds)) return at;
		at = Math.max(at, span.to);
	}
	return at === whole.from || whole.to - at > edgeSeconds ? at : Number.POSITIVE_INFINITY;
}

function spanOf({ fromSeconds, toSeconds }: Outage, nowSeconds: number): SecondSpan {
	return { from: fromSeconds, to: toSeconds ?? nowSeconds };
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
