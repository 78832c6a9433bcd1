/** JSON of `/api/fournines/v1/alert-rules`: the alerting rules in force, with the thresholds that the configuration sets for them. */

/** Another threshold than the rule is written with, for some results. What is not named counts for all. */
export interface ThresholdOverrideAnswer {
	readonly value: number;
	readonly host: string;
	readonly system: string;
	/** Further labels of the result. */
	readonly labels: Readonly<Record<string, string>>;
	/** Only inside, or only outside of the hours of this calendar; `''`: always. */
	readonly during: string;
	readonly outside: string;
	/** Whether it is in force at this moment, by its calendar. */
	readonly holds: boolean;
	/** Line of the configuration file, from 1; 0 when the file was changed since it was read. */
	readonly line: number;
}

export interface AlertRuleAnswer {
	readonly name: string;
	readonly group: string;
	/** Path of the rule file. */
	readonly file: string;
	readonly query: string;
	readonly forSeconds: number;
	readonly labels: Readonly<Record<string, string>>;
	readonly annotations: Readonly<Record<string, string>>;
	readonly state: 'inactive' | 'pending' | 'firing';
	/** How many of its alerts are pending, and firing. */
	readonly pending: number;
	readonly firing: number;
	/** Of the last evaluation; `''` when it went well. */
	readonly lastError: string;
	/** `null`: the rule has no threshold that could be another; `problem` says why. */
	readonly threshold: {
		readonly value: number;
		/** `query` around the threshold: with another number between the parts it is what would be evaluated. */
		readonly parts: readonly string[];
	} | null;
	readonly problem: string;
	/** In the order of the configuration; which of them counts for a result is in docs/rules.md. */
	readonly overrides: readonly ThresholdOverrideAnswer[];
}

/** `GET /alert-rules`. */
export interface AlertRuleListAnswer {
	/** `''`: the collector runs on its built-in configuration. */
	readonly configFile: string;
	readonly rules: readonly AlertRuleAnswer[];
}
