import type { EffectiveSettings } from "@nigh/contract";

/** Something that an import has changed about a collection that was there. */
export interface ChangedSetting {
	readonly name: "recall" | "latencyMs" | "maxMB";
	/** `null`: none. */
	readonly from: number | null;
	readonly to: number | null;
}

/** What of that which may change is another now. */
export function changedSettings(before: EffectiveSettings, after: EffectiveSettings): ChangedSetting[] {
	const [was, is] = [before, after].map(({ recall, latencyMs, memory }) => ({
		recall,
		latencyMs,
		maxMB: memory?.maxMB ?? null,
	})) as [Values, Values];
	return (["recall", "latencyMs", "maxMB"] as const).flatMap((name) =>
		was[name] === is[name] ? [] : [{ name, from: was[name], to: is[name] }],
	);
}

type Values = Readonly<Record<ChangedSetting["name"], number | null>>;

/** `recall 0.95 -> 0.99, latencyMs none -> 5` */
export function changedText(changed: readonly ChangedSetting[]): string {
	return changed.map(({ name, from, to }) => `${name} ${from ?? "none"} -> ${to ?? "none"}`).join(", ");
}
