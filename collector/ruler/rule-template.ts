import { parseTemplate, type Template } from '../../core/go-template/template.ts';
import { labelsToObject } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import { ruleTemplateFunctions, type TemplateServices } from './template-functions.ts';

/** On one line with the text, so that lines in errors are those of the text. */
const DEFINITIONS = '{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}';

const UNUSED: TemplateServices = { query: async () => [], externalUrl: '' };

/** Parses the template of a label or annotation. Throws `FN_TEMPLATE_PARSE`. */
export function parseRuleTemplate(text: string, alert: string, services: TemplateServices = UNUSED): Template {
	// Most labels and many annotations are plain text.
	return parseTemplate(text.includes('{{') ? DEFINITIONS + text : text, {
		name: `__alert_${alert}`,
		functions: ruleTemplateFunctions(services),
	});
}

export interface AlertData {
	readonly labels: Labels;
	readonly value: number;
	readonly externalLabels: Readonly<Record<string, string>>;
	readonly externalUrl: string;
}

/** The data of an alert's templates: `.Labels .Value .ExternalLabels .ExternalURL`. */
export function alertTemplateData(data: AlertData): object {
	return {
		Labels: new Map(Object.entries(labelsToObject(data.labels))),
		ExternalLabels: new Map(Object.entries(data.externalLabels)),
		ExternalURL: data.externalUrl,
		Value: data.value,
	};
}
