/** A name and what is to be said about it; `undefined`: nothing, the line is left out. */
export type Fact = readonly [name: string, value: string | undefined];

/** A line for each fact, the values below each other. */
export function factLines(facts: readonly Fact[]): string[] {
	const told = facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined);
	const width = Math.max(0, ...told.map(([name]) => name.length));
	return told.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd());
}
