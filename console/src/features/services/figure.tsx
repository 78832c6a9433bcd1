interface FigureProps {
	readonly name: string;
	readonly value: string;
	readonly note: string;
	readonly large?: boolean;
}

/** A number with its name above and what it is measured by below. */
export function Figure({ name, value, note, large = false }: FigureProps) {
	return (
		<div className="figure">
			<span className="muted">{name}</span>
			<b className={large ? 'num figure-large' : 'num'}>{value}</b>
			<small className="muted num">{note}</small>
		</div>
	);
}
