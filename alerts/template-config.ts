import { type Static, Type } from 'typebox';

const Lines = Type.Array(Type.String(), { default: [] });

/** A text of the operator's own, a Go template as Alertmanager's; what it may use is in docs/alert-texts.md. The first that fits is taken. */
const TextSchema = Type.Object(
	{
		/** Types of channels or names of `channels`; empty for all. */
		channels: Lines,
		languages: Type.Array(Type.Union([Type.Literal('zh-CN'), Type.Literal('en')]), { default: [] }),
		part: Type.Union([Type.Literal('text'), Type.Literal('title')], { default: 'text' }),
		template: Type.String({ minLength: 1, maxLength: 20_000 }),
	},
	{ additionalProperties: false },
);

/** Key `alerts.templates`: a name with `*` may match several files; relative ones start at the configuration's folder. */
export const TemplatesConfigSchema = Type.Array(Type.Union([TextSchema, Type.String({ minLength: 1 })]), { default: [] });
type TemplatesConfig = Static<typeof TemplatesConfigSchema>;

/** The two kinds of entries apart, in their order. */
export function templatesOf({ templates }: { readonly templates: TemplatesConfig }) {
	return {
		own: templates.filter((entry) => typeof entry !== 'string'),
		patterns: templates.filter((entry) => typeof entry === 'string'),
	};
}
