/** `# lint: CHECK: REASON`. */
const REASON = /^\s*#\s*lint:\s*([a-z-]+):\s*(\S.*)$/;

/**
 * Findings that a rule file accepts, with the reason beside them: `# lint: missing-absent: …` directly above a rule is about that rule, above `groups:`
 * about the whole file. A comment without a reason accepts nothing.
 */
export class StatedReasons {
	readonly #ofFile = new Set<string>();
	/** By the line of the rule that follows. */
	readonly #ofRules = new Map<number, Set<string>>();

	constructor(text: string) {
		const lines = text.split('\n');
		let inGroups = false;
		let above = new Set<string>();
		lines.forEach((line, index) => {
			const [, check = ''] = REASON.exec(line) ?? [];
			if (check !== '') {
				if (inGroups) above.add(check);
				else this.#ofFile.add(check);
				return;
			}
			if (/^groups\s*:/.test(line)) inGroups = true;
			if (/^\s*(#|$)/.test(line)) return;
			if (above.size > 0) this.#ofRules.set(index + 1, above);
			above = new Set();
		});
	}

	/** `line` is where the rule begins, 1-based. */
	accepts(check: string, line: number): boolean {
		return this.#ofFile.has(check) || this.#ofRules.get(line)?.has(check) === true;
	}
}
