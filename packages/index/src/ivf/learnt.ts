import type { Coarse } from "./coarse.ts";
import type { NlistChoice } from "./nlist.ts";
import type { ProductCodes } from "./product-codes.ts";
import type { RabitqCells } from "./rabitq-cells.ts";

/** What training has found. */
export interface Learnt {
	readonly choice: NlistChoice;
	readonly coarse: Coarse;
	/** Of `"ivfpq"`. */
	readonly product: ProductCodes | undefined;
	/** Of `"ivfrabitq"`. */
	readonly rabitq: RabitqCells | undefined;
}

export function disposeLearnt({ coarse, product, rabitq }: Learnt): void {
	coarse.dispose();
	product?.dispose();
	rabitq?.dispose();
}
