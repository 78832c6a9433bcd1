import { useMutation } from '@tanstack/react-query';
import { Form, Input, InputNumber, Modal, Select, Switch } from 'antd';
import { localInputText, parseLocalInput } from '../../format/time.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { useTexts } from '../../texts/language.tsx';

/** A question of a dialog. Times are asked in China's time and handed over as milliseconds. */
export interface Field {
	readonly name: string;
	readonly label: string;
	readonly kind: 'text' | 'area' | 'time' | 'number' | 'select' | 'many' | 'words' | 'switch' | 'code';
	readonly options?: readonly { readonly value: string; readonly label: string }[];
	readonly optional?: boolean;
	readonly initial?: string | number | boolean | readonly string[];
	readonly hint?: string;
}

export type FieldValues = Readonly<Record<string, unknown>>;

export interface Action {
	readonly key: string;
	readonly label: string;
	readonly title?: string;
	readonly intro?: string;
	readonly fields: readonly Field[];
	readonly primary?: boolean;
	readonly danger?: boolean;
	/** Seldom needed: behind the button for more. */
	readonly secondary?: boolean;
	readonly run: (values: FieldValues) => Promise<unknown>;
}

/** Asks what an action needs, does it, and shows why it was refused. */
export function ActionDialog({ action, onClose }: { readonly action: Action; readonly onClose: (done: boolean) => void }) {
	const texts = useTexts();
	const [form] = Form.useForm();
	const run = useMutation({
		mutationFn: (raw: FieldValues) => action.run(valuesOf(action.fields, raw)),
		onSuccess: () => onClose(true),
	});
	return (
		<Modal
			open
			title={action.title ?? action.label}
			okText={action.label}
			cancelText={texts.common.cancel}
			okButtonProps={{ loading: run.isPending, danger: action.danger === true }}
			onOk={() => form.submit()}
			onCancel={() => onClose(false)}
			width={action.fields.some(({ kind }) => kind === 'code') ? 720 : 520}
		>
			{action.intro === undefined ? null : <p className="muted">{action.intro}</p>}
			<Form
				form={form}
				layout="vertical"
				initialValues={initialValues(action.fields)}
				onFinish={(values: FieldValues) => run.mutate(values)}
			>
				{action.fields.map((field) => (
					<Form.Item
						key={field.name}
						name={field.name}
						label={field.label}
						{...(field.hint === undefined ? {} : { extra: field.hint })}
						{...(field.kind === 'switch' ? { valuePropName: 'checked' } : {})}
						rules={field.optional === true || field.kind === 'switch' ? [] : [{ required: true, message: texts.desk.required }]}
					>
						{inputOf(field)}
					</Form.Item>
				))}
			</Form>
			{run.error === null ? null : <ErrorNotice error={run.error} />}
		</Modal>
	);
}

function inputOf(field: Field) {
	const options = field.options?.map((option) => ({ ...option })) ?? [];
	switch (field.kind) {
		case 'area':
			return <Input.TextArea rows={3} maxLength={4000} />;
		case 'code':
			return <Input.TextArea className="code-editor" autoSize={{ minRows: 8, maxRows: 24 }} spellCheck={false} />;
		case 'time':
			return <Input type="datetime-local" />;
		case 'number':
			return <InputNumber className="field-number" />;
		case 'select':
			return <Select options={options} showSearch={{ optionFilterProp: 'label' }} />;
		case 'many':
			return <Select mode="multiple" options={options} showSearch={{ optionFilterProp: 'label' }} />;
		case 'words':
			return <Select mode="tags" open={false} suffixIcon={null} options={options} />;
		case 'switch':
			return <Switch />;
		default:
			return <Input maxLength={200} />;
	}
}

function initialValues(fields: readonly Field[]): Record<string, unknown> {
	return Object.fromEntries(
		fields.map(({ name, kind, initial }) => [
			name,
			kind === 'time' && typeof initial === 'number'
				? localInputText(initial)
				: (initial ?? (kind === 'many' || kind === 'words' ? [] : undefined)),
		]),
	);
}

/** Times as milliseconds, texts trimmed; what was left open is left out. */
function valuesOf(fields: readonly Field[], raw: FieldValues): FieldValues {
	const values: Record<string, unknown> = {};
	for (const { name, kind } of fields) {
		const value = raw[name];
		if (kind === 'switch') values[name] = value === true;
		else if (value === undefined || value === null || value === '') continue;
		else if (kind === 'time') values[name] = parseLocalInput(String(value)) ?? undefined;
		else values[name] = typeof value === 'string' && kind !== 'code' ? value.trim() : value;
	}
	return values;
}
