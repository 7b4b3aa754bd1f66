/** "env" "memory", a memory, limits "shared with a maximum": in the import section of both builds. */
const MEMORY_IMPORT = [3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 3];
const UNSHARED_WITH_MAXIMUM = 1;

/**
 * The same module for an unshared memory: the two differ in one byte, the flags of the imported memory's limits. (A module compiled for
 * shared memory refuses an unshared one; its atomic instructions are allowed on both.)
 */
export function withUnsharedMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
	const at = bytes.findIndex((_, i) => MEMORY_IMPORT.every((value, j) => bytes[i + j] === value));
	if (at < 0) throw new Error("the compiled kernels do not import a shared memory: build them again");
	const copy = new Uint8Array(bytes);
	copy[at + MEMORY_IMPORT.length - 1] = UNSHARED_WITH_MAXIMUM;
	return copy;
}
