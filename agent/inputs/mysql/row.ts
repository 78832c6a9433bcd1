/** A row as text; NULL is `null`. */
export type Row = Readonly<Record<string, string | null>>;
