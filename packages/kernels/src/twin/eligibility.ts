import { ELIGIBILITY } from "../layout.ts";
import type { TwinMemory } from "./memory.ts";

/** Which labels may be answered. The struct is drawn in assembly/eligibility.ts; address 0 stands for "all". */
export class Eligibility {
	readonly m: TwinMemory;
	#allow = 0;
	#allowed = 0;
	#born = 0;
	#died = 0;
	#reader = 0;
	#dated = 0;

	constructor(m: TwinMemory) {
		this.m = m;
	}

	open(at: number): void {
		if (at === 0) return;
		this.#allow = this.m.loadU32(at + ELIGIBILITY.allow);
		this.#allowed = this.m.loadU32(at + ELIGIBILITY.allowed);
		this.#born = this.m.loadU32(at + ELIGIBILITY.born);
		this.#died = this.m.loadU32(at + ELIGIBILITY.died);
		this.#reader = this.m.loadF64(at + ELIGIBILITY.reader);
		this.#dated = this.m.loadU32(at + ELIGIBILITY.dated);
	}

	/** 1 where the bitmap, which there must be, has the label; 0 where not. */
	allowedBit(label: number): number {
		if (label >= this.#allowed) return 0;
		return (this.m.loadU32(this.#allow + 4 * (label >>> 5)) >>> (label & 31)) & 1;
	}

	/** Whether the reader sees a label, whatever the bitmap says. */
	isAlive(label: number): boolean {
		if (this.#born === 0) return true;
		if (label >= this.#dated) return false;
		const reader = this.#reader;
		return this.m.loadF64(this.#born + 8 * label) <= reader && reader < this.m.loadF64(this.#died + 8 * label);
	}

	/** Whether the struct that was opened last admits a label. */
	admits(label: number): boolean {
		return (this.#allow === 0 || this.allowedBit(label) === 1) && this.isAlive(label);
	}
}
