import { isMap, isScalar, isSeq, type Node, type Pair, Scalar, type YAMLMap } from 'yaml';

/** As much of a schema as is looked at; what TypeBox makes is plain JSON Schema. */
export interface Shape {
	readonly type?: string;
	readonly properties?: Readonly<Record<string, Shape>>;
	readonly patternProperties?: Readonly<Record<string, Shape>>;
	readonly additionalProperties?: boolean;
	readonly items?: Shape;
	readonly anyOf?: readonly Shape[];
	readonly const?: unknown;
	readonly minLength?: number;
	readonly pattern?: string;
	readonly $ref?: string;
	readonly $defs?: Readonly<Record<string, Shape>>;
}

export type Path = readonly (string | number)[];

export interface FitRules {
	/** A text where the schema knows only a reference to a secret, or knows both; answers what stands there instead. */
	secret(place: { readonly path: Path; readonly text: string; readonly node: Node; readonly always: boolean }): Node | null;
	/** A key that the schema does not know is taken out. */
	unknown(path: Path, key: Node): void;
	/** A relative name of a file; answers the whole one. */
	file(name: string, path: Path, node: Node): string;
}

const YES = /^(y|yes|on|true)$/i;
const NO = /^(n|no|off|false)$/i;

/**
 * Makes a tree that another reader of YAML took for good into one that `shape` describes: texts that look like numbers or
 * truths, truths written as `yes`, keys without a value (which are absent to Go), secrets in the open, keys that are not known.
 */
export function fitSchema(root: Node, shape: Shape, rules: FitRules): void {
	const definitions = new Map<string, Shape>();
	const resolved = (of: Shape): Shape => {
		for (const [name, definition] of Object.entries(of.$defs ?? {})) definitions.set(name, definition);
		return of.$ref === undefined ? of : (definitions.get(of.$ref) ?? {});
	};
	const visit = (node: unknown, of: Shape, path: Path): unknown => {
		const wanted = resolved(of);
		if (isMap(node)) visitMap(node, wanted, path);
		else if (isSeq(node))
			node.items = node.items.filter((item) => !isNothing(item)).map((item, i) => visit(item, wanted.items ?? {}, [...path, i]));
		else if (isScalar(node)) return visitScalar(node, wanted, path);
		return node;
	};
	const visitScalar = (node: Scalar, wanted: Shape, path: Path): Node => {
		const branches = branchesOf(wanted);
		const takesText = branches.some(({ type, const: only }) => type === 'string' && only === undefined);
		const text = typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
		if (branches.some(isSecretRef)) {
			const instead = rules.secret({ path, text, node, always: !takesText });
			if (instead !== null) return instead;
		}
		if (takesText && !branches.some(({ type }) => type === typeof node.value || (type === 'integer' && typeof node.value === 'number')))
			quote(node, text);
		if (branches.some(({ type }) => type === 'boolean') && typeof node.value === 'string') {
			if (YES.test(text)) Object.assign(node, { value: true, source: 'true', type: Scalar.PLAIN });
			else if (NO.test(text)) Object.assign(node, { value: false, source: 'false', type: Scalar.PLAIN });
		}
		const isFile = String(path.at(-1)).endsWith('_file') || (typeof path.at(-1) === 'number' && path.at(-2) === 'files');
		if (isFile && typeof node.value === 'string') quote(node, rules.file(node.value, path, node));
		return node;
	};
	const visitMap = (map: YAMLMap, wanted: Shape, path: Path) => {
		const [each] = Object.values(wanted.patternProperties ?? {});
		map.items = map.items.filter((pair) => {
			if (isNothing(pair.value)) return false;
			const key = keyOf(pair);
			const inner = wanted.properties?.[key] ?? each;
			if (isScalar(pair.value) && pair.value.value === '' && isNeverEmpty(inner ?? {})) return false;
			if (inner === undefined && wanted.properties !== undefined) {
				rules.unknown([...path, key], pair.key as Node);
				return false;
			}
			pair.value = visit(pair.value, inner ?? {}, [...path, key]);
			return true;
		});
	};
	visit(root, shape, []);
}

export function keyOf(pair: Pair): string {
	return isScalar(pair.key) ? String(pair.key.source ?? pair.key.value) : String(pair.key);
}

function isNothing(value: unknown): boolean {
	return value === null || (isScalar(value) && value.value === null);
}

/** An empty text is to Go what is not there. */
function isNeverEmpty(shape: Shape): boolean {
	return branchesOf(shape).every((branch) => isSecretRef(branch) || (branch.minLength ?? 0) > 0 || branch.pattern !== undefined);
}

function quote(node: Scalar, text: string): void {
	Object.assign(node, {
		value: text,
		source: text,
		type: node.type === undefined || node.type === Scalar.PLAIN ? Scalar.QUOTE_DOUBLE : node.type,
	});
}

function branchesOf(shape: Shape): readonly Shape[] {
	return shape.anyOf?.flatMap(branchesOf) ?? [shape];
}

/** `{ file: … }` or `{ env: … }`. */
function isSecretRef({ type, properties = {} }: Shape): boolean {
	const keys = Object.keys(properties);
	return type === 'object' && keys.length === 1 && (keys[0] === 'file' || keys[0] === 'env');
}
