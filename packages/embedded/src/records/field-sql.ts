/**
 * The value of a field of the metadata as SQL, for queries and for expression indexes: SQLite takes an index only where both texts agree.
 * It is NULL on a missing field and on null, 1 and 0 on true and false, JSON text on arrays and objects.
 */
export function fieldSql(path: readonly string[]): string {
	return `json_extract(metadata, ${pathSql(path)})`;
}

/** The JSON type of a field (`integer real text true false null array object`), NULL where it is missing. */
export function fieldTypeSql(path: readonly string[]): string {
	return `json_type(metadata, ${pathSql(path)})`;
}

/**
 * The path as an SQL literal. Every key is quoted as JSON quotes it, which is how SQLite compares keys: dots, brackets, `$` and quotes in
 * it mean nothing, and an array is never entered (that would take `[n]`).
 */
export function pathSql(path: readonly string[]): string {
	const text = path.map((key) => `.${JSON.stringify(key)}`).join("");
	return `'$${text.replaceAll("'", "''")}'`;
}
