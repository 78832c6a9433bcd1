import { basename, dirname, resolve } from 'node:path';
import {
	type Document,
	isMap,
	isScalar,
	isSeq,
	LineCounter,
	type Node,
	parseDocument,
	visit,
	type YAMLMap,
	type YAMLSeq,
	Document as YamlDocument,
} from 'yaml';
import { formatPath } from '../../core/config-file.ts';
import { AppError } from '../../core/errors.ts';
import { AlertsConfigSchema } from '../config.ts';
import { FOREIGN_RECEIVERS, foreignGlobalKeys } from '../foreign-receivers.ts';
import { fitSchema, keyOf, type Path, type Shape } from './fit-schema.ts';
import { inlineAliases } from './inline-aliases.ts';
import { isSecretText, isTellingComment, type SecretPlaces } from './secret-places.ts';

/** What was done with a part of the file, or is different from now on. */
export interface Note {
	/** `moved`: a secret. `changed`: written differently, means the same. `left out`: has no counterpart. `differs`: is taken, and does something else. */
	readonly kind: 'moved' | 'changed' | 'left out' | 'differs';
	/** In the file that was read; 0 for the file as a whole. */
	readonly line: number;
	/** `receivers[0].email_configs[0].auth_password` */
	readonly place: string;
	readonly message: string;
}

export interface Converted {
	/** A `collector.yml` with the one key `alerts`. */
	readonly yaml: string;
	readonly notes: readonly Note[];
}

export interface ConvertOptions {
	/** The file that `text` was read from: relative names start at its folder. */
	readonly file: string;
	readonly secrets: SecretPlaces;
	/** For names of template files as the file has them, which may have `*` in them: those to be read from now on. */
	readonly templates: (patterns: readonly string[]) => readonly string[];
}

/** What Alertmanager's own page shows in the place of a secret. */
const MASKED = '<secret>';

/** Turns an Alertmanager's file into one for us that does the same. No secret is in the result. Throws `FN_ALERTS_CONVERT`. */
export function convertAlertmanager(text: string, options: ConvertOptions): Converted {
	const lines = new LineCounter();
	const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
	const [error] = document.errors;
	if (error !== undefined) throw refused(options, `line ${lines.linePos(error.pos[0]).line} is not valid YAML: ${error.message}`);
	inlineAliases(document, (message) => refused(options, message));
	const { contents } = document;
	if (!isMap(contents) || !contents.has('route') || !contents.has('receivers'))
		throw refused(options, 'it has no "route" and "receivers", so it is no configuration of an Alertmanager');
	const notes: Note[] = [];
	const note: AddNote = (kind, { path, node }, message) => {
		const at = node?.range?.[0];
		notes.push({ kind, line: at === undefined ? 0 : lines.linePos(at).line, place: formatPath(path), message });
	};
	dropTellingComments(document, note);
	leaveOutForeign(document, contents, note);
	nameReceivers(contents, note);
	fitSchema(contents, AlertsConfigSchema as Shape, {
		secret: ({ path, text: value, node, always }) => {
			if (value === MASKED)
				throw refused(options, `${formatPath(path)} is ${MASKED}, as Alertmanager shows it; convert the file that it was started with`);
			if (!always && !isSecretText(secretKey(path), value)) return null;
			const ref = options.secrets.put(labelOf(path, contents), value);
			note('moved', { path, node }, 'file' in ref ? `to ${ref.file}` : `to the variable ${ref.env}`);
			return document.createNode(ref, { flow: true }) as Node;
		},
		unknown: (path, key) => note('left out', { path, node: key }, 'this key is not known here'),
		file: (name, path, node) => {
			const whole = resolve(dirname(options.file), name);
			if (whole !== name) note('changed', { path, node }, `is ${whole}`);
			return whole;
		},
	});
	keepDefaults(document, contents, note);
	moveTemplates(document, contents, { options, note });
	sayWhatDiffers(contents, note);
	const made = new YamlDocument();
	made.commentBefore = ` Made of ${basename(options.file)} by fournines convert alertmanager.`;
	const comment = [document.commentBefore, contents.commentBefore].filter((part) => part !== undefined && part !== null).join('\n');
	contents.commentBefore = comment === '' ? null : comment;
	made.contents = made.createNode({}) as typeof made.contents;
	made.set('alerts', contents);
	return { yaml: made.toString({ lineWidth: 0 }), notes: notes.sort((a, b) => a.line - b.line) };
}

type AddNote = (kind: Note['kind'], at: { readonly path: Path; readonly node?: Node | null | undefined }, message: string) => void;

function refused({ file }: ConvertOptions, message: string): AppError {
	return new AppError('FN_ALERTS_CONVERT', `${file} cannot be converted: ${message}`, { status: 400 });
}

/** The key that says what a text is: values of headers are in lists. */
function secretKey(path: Path): string {
	if (path.includes('proxy_connect_header')) return 'authorization';
	return String(path.findLast((step) => typeof step === 'string'));
}

/** `receiver-type-key`, which people recognise in a folder. */
function labelOf(path: Path, contents: YAMLMap): string {
	if (path[0] !== 'receivers') return path.slice(1).join('.');
	const name = contents.getIn([...path.slice(0, 2), 'name']);
	return [String(name), ...path.slice(2)].join('.');
}

function dropTellingComments(document: Document, note: AddNote): void {
	let dropped = 0;
	const clean = (comment: string): string => {
		const kept = comment.split('\n').filter((line) => !isTellingComment(line));
		dropped += comment.split('\n').length - kept.length;
		return kept.join('\n');
	};
	document.commentBefore = clean(document.commentBefore ?? '') || null;
	document.comment = clean(document.comment ?? '') || null;
	visit(document, {
		Node: (_key, node) => {
			for (const key of ['comment', 'commentBefore'] as const) {
				const kept = clean(node[key] ?? '');
				if (kept === '') Reflect.deleteProperty(node, key);
				else node[key] = kept;
			}
		},
	});
	if (dropped > 0)
		note('left out', { path: [] }, `${dropped === 1 ? 'one line' : `${dropped} lines`} of comments, in which a secret may stand`);
}

/** Their entries are full of secrets, and send nothing here. */
function leaveOutForeign(document: Document, contents: YAMLMap, note: AddNote): void {
	const found = new Set<string>();
	const global = contents.get('global');
	if (isMap(global)) {
		global.items = global.items.filter((pair) => {
			const kind = foreignGlobalKeys[keyOf(pair)];
			if (kind === undefined) return true;
			note('left out', { path: ['global', keyOf(pair)], node: pair.key as Node }, `there is no channel for ${kind}`);
			return false;
		});
	}
	for (const [i, receiver] of receiversOf(contents).entries()) {
		for (const pair of receiver.items) {
			const kind = FOREIGN_RECEIVERS.find((name) => keyOf(pair) === `${name}_configs`);
			if (kind === undefined) continue;
			const count = isSeq(pair.value) ? pair.value.items.length : 1;
			pair.value = document.createNode([]);
			found.add(kind);
			note(
				'left out',
				{ path: ['receivers', i, `${kind}_configs`], node: pair.key as Node },
				`${count === 1 ? 'one entry' : `${count} entries`}: there is no channel for ${kind}`,
			);
		}
		if (receiver.items.every(({ value }) => !isSeq(value) || value.items.length === 0) && receiver.items.some(({ value }) => isSeq(value)))
			note(
				'differs',
				{ path: ['receivers', i], node: receiver },
				`nobody is told by the receiver "${String(receiver.get('name'))}": give it a channel of ours`,
			);
	}
	if (found.size > 0) contents.set('leave_out', document.createNode([...found], { flow: true }));
}

/** `namespace/name` is what the operator of Kubernetes calls them; with a slash we name the place of a message. */
function nameReceivers(contents: YAMLMap, note: AddNote): void {
	const taken = new Set(receiversOf(contents).map((receiver) => String(receiver.get('name'))));
	const names = new Map<string, string>();
	for (const [i, receiver] of receiversOf(contents).entries()) {
		const name = String(receiver.get('name'));
		let plain = name.replaceAll('/', '.').slice(0, 100);
		if (plain === name) continue;
		while (taken.has(plain)) plain = `${plain.slice(0, 99)}_`;
		taken.add(plain);
		names.set(name, plain);
		receiver.set('name', plain);
		note(
			'changed',
			{ path: ['receivers', i, 'name'], node: receiver },
			`is "${plain}": the name of a receiver has no slash and at most 100 characters here`,
		);
	}
	const rename = (route: unknown) => {
		if (!isMap(route)) return;
		const known = names.get(String(route.get('receiver')));
		if (known !== undefined) route.set('receiver', known);
		const children = route.get('routes');
		if (isSeq(children)) for (const child of children.items) rename(child);
	};
	rename(contents.get('route'));
}

function receiversOf(contents: YAMLMap): readonly YAMLMap[] {
	const receivers = contents.get('receivers');
	return isSeq(receivers) ? receivers.items.filter((item): item is YAMLMap => isMap(item)) : [];
}

/** Mail and WeChat are silent about recoveries there unless the file says otherwise. */
function keepDefaults(document: Document, contents: YAMLMap, note: AddNote): void {
	for (const [i, receiver] of receiversOf(contents).entries()) {
		for (const key of ['email_configs', 'wechat_configs']) {
			const entries = receiver.get(key);
			for (const [j, entry] of (isSeq(entries) ? entries.items : []).entries()) {
				if (!isMap(entry) || entry.has('send_resolved')) continue;
				entry.set('send_resolved', document.createNode(false));
				note(
					'changed',
					{ path: ['receivers', i, key, j], node: entry },
					'has "send_resolved: false" written out, which is true here where nothing is said',
				);
			}
		}
	}
}

function moveTemplates(
	document: Document,
	contents: YAMLMap,
	{ options, note }: { readonly options: ConvertOptions; readonly note: AddNote },
): void {
	const listed = contents.get('templates') as YAMLSeq | undefined;
	if (!isSeq(listed)) return;
	const patterns = listed.items.map((item) => (isScalar(item) ? String(item.value) : ''));
	const files = options.templates(patterns);
	contents.set('templates', document.createNode([...files]));
	note(
		'changed',
		{ path: ['templates'], node: listed },
		files.length === 0 ? 'no file matches, so nothing is read' : `are ${files.join(', ')}`,
	);
}

function sayWhatDiffers(contents: YAMLMap, note: AddNote): void {
	const mails = receiversOf(contents).some((receiver) => {
		const entries = receiver.get('email_configs');
		return isSeq(entries) && entries.items.some((entry) => isMap(entry) && !entry.has('html') && !entry.has('text'));
	});
	if (mails) note('differs', { path: [] }, 'mails without "html" and "text" say what ours say, with number, code and the link to take it');
	note(
		'differs',
		{ path: [] },
		`of more than 20 messages a minute to one receiver and team the rest is one digest a minute (storm), an alert that fires more than four times an hour is told once (flapping), and a host that is down hides what runs on it (topology); alerts.storm, alerts.flapping and alerts.topology change that`,
	);
}
