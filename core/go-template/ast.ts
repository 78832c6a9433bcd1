/** A parsed template. Lines are 1-based. */
export type Node =
	| { readonly kind: 'text'; readonly text: string }
	| { readonly kind: 'action'; readonly pipe: Pipe; readonly line: number }
	| {
			readonly kind: 'if' | 'with';
			readonly pipe: Pipe;
			readonly body: readonly Node[];
			readonly otherwise: readonly Node[];
			readonly line: number;
	  }
	| {
			readonly kind: 'range';
			readonly pipe: Pipe;
			readonly body: readonly Node[];
			readonly otherwise: readonly Node[];
			readonly line: number;
	  }
	| { readonly kind: 'template'; readonly name: string; readonly pipe: Pipe | null; readonly line: number }
	| { readonly kind: 'break' | 'continue'; readonly line: number };

/** `$a, $b := command | command`. */
export interface Pipe {
	readonly variables: readonly string[];
	/** `=` sets existing variables, `:=` makes new ones. */
	readonly assigns: boolean;
	readonly commands: readonly Command[];
}

export interface Command {
	readonly operands: readonly Operand[];
	readonly line: number;
}

export type Operand =
	| { readonly kind: 'literal'; readonly value: string | number | boolean | null }
	| { readonly kind: 'function'; readonly name: string }
	| { readonly kind: 'dot' }
	| { readonly kind: 'variable'; readonly name: string; readonly fields: readonly string[] }
	| { readonly kind: 'field'; readonly fields: readonly string[] }
	| { readonly kind: 'pipe'; readonly pipe: Pipe; readonly fields: readonly string[] };
