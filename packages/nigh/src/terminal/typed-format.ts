import { isNighError } from "@nigh/contract";
import { formatOf, type VectorFormat } from "@nigh/formats";
import { UsageError } from "./usage-error.ts";

/**
 * The format of a file that was typed, told by its extension.
 *
 * @throws UsageError that lists the extensions there are.
 */
export function typedFormat(file: string): VectorFormat {
	try {
		return formatOf(file);
	} catch (error) {
		if (!isNighError(error, "INVALID_OPTION")) throw error;
		const known = (error.details.known as readonly string[]).join(" ");
		throw new UsageError(`The format of ${file} cannot be told: its name must end in one of ${known}`, {
			cause: error,
		});
	}
}
