/** Exit code of the tables when a figure does not show what it has to; 1 is left to what goes wrong. */
export const CHECK_FAILED = 3;
